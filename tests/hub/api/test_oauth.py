"""OAuth over HTTP, by a client of another library: Authlib."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from attrs import frozen
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import OKPKey

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import Partner, new_hub, policy, weighting
from tests.hub.process import free_port, serving


@frozen
class Deployment:
    """A hub's address, a reader, and the file of its private key."""

    url: str
    shop: Partner
    key: Path


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running hub with one reader."""
    folder = tmp_path_factory.mktemp("oauth")
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(folder / "hub", issuer=url)
    with Hub.open(path) as hub, serving(path, port):
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, reads=["retail"])
        hub.set_policy(policy(weighting(ORDERS)))
        shop.key.save(folder / "key.jwk")
        yield Deployment(url, shop, folder / "key.jwk")


def test_a_client_of_another_library_gets_a_token_and_uses_it(deployment: Deployment) -> None:
    """With private_key_jwt, from the metadata on."""
    metadata = requests.get(f"{deployment.url}/.well-known/oauth-authorization-server", timeout=30).json()
    assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    endpoint, kid = metadata["token_endpoint"], deployment.shop.key.kid
    with OAuth2Session(
        deployment.shop.issuer,
        OKPKey.import_key(json.loads(deployment.key.read_text())),
        token_endpoint_auth_method=PrivateKeyJWT(endpoint, alg="Ed25519", headers={"kid": kid, "typ": "JWT"}),
    ) as session:
        token = session.fetch_token(endpoint, grant_type="client_credentials")
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    made = requests.post(f"{deployment.url}/v1/ssf/stream", json={}, headers=bearer, timeout=30)
    assert made.status_code == 201
    listed = requests.get(f"{deployment.url}/v1/ssf/stream", headers=bearer, timeout=30)
    assert listed.json() == [made.json()]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        pytest.param("grant_type=password", 400, "unsupported_grant_type", id="another grant"),
        pytest.param("grant_type=client_credentials", 401, "invalid_client", id="no assertion"),
        pytest.param("grant_type=a&grant_type=a", 400, "invalid_request", id="a parameter twice"),
        pytest.param("&".join(f"p{number}=1" for number in range(50)), 400, "invalid_request", id="too many"),
        pytest.param(b"grant_type=\xff", 400, "invalid_request", id="not UTF-8"),
    ],
)
def test_errors_have_the_form_of_oauth(
    body: str | bytes, status: int, error: str, deployment: Deployment
) -> None:
    """RFC 6749 section 5.2."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{deployment.url}/v1/oauth/token", data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"
