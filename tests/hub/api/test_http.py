"""The hub over HTTP, as a real process: what partners see of it."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import requests
from attrs import frozen

from sesame_sdk import ConfigurationError, Signal
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import EventType
from sesame_sdk.testing import LocalHub
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, ORDER, Partner, kind, manifest, new_hub, policy, weighting
from tests.hub.process import free_port, serving

SET = "application/secevent+jwt"
YESTERDAY = timestamps.utc_now() - timedelta(days=1)


@frozen
class Deployment:
    """A hub's address, the same ledger opened by an operator, and a shop."""

    url: str
    hub: Hub
    shop: Partner

    def post(self, body: bytes, **headers: str) -> requests.Response:
        """Deliver an event."""
        headers = {"Content-Type": SET, "Accept": SET} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return requests.post(f"{self.url}/v1/events", data=body, headers=headers, timeout=30)

    def read(self, *subjects: str) -> requests.Response:
        """Read scores of many."""
        return requests.post(
            f"{self.url}/v1/scores/read", json={"subjects": subjects}, headers=self.bearer(), timeout=30
        )

    def read_one(self, subject: str) -> requests.Response:
        """Read the score of one."""
        return requests.get(f"{self.url}/v1/scores/{subject}", headers=self.bearer(), timeout=30)

    def bearer(self) -> dict[str, str]:
        """A read token that was not used before."""
        return {"Authorization": f"Bearer {self.shop.read_token().decode()}"}

    def signal(self, person: str, key: str, at: datetime = YESTERDAY) -> Signal:
        """An order of yesterday."""
        return self.shop.signal(person, key, at=at)


@pytest.fixture(scope="module")
def deployment(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], str]
) -> Iterator[Deployment]:
    """A running hub with all of ada's consents, and none of bob's."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path_factory.mktemp("http") / "hub", issuer=url, database=new_database())
    with Hub.open(path) as hub, serving(path, port):
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, LATES, reads=["retail"])
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        hub.add_grants(shop.grants("ada", ORDER, LATE, reads="retail", given_at=YESTERDAY))
        yield Deployment(url, hub, shop)


def test_a_purchase_becomes_a_score(deployment: Deployment) -> None:
    """From a posted envelope to a score read over the network, with the receipt in between."""
    answer = deployment.post(
        deployment.shop.seal(deployment.signal("ada", "1"), deployment.signal("bob", "2"))
    )
    assert (answer.status_code, answer.headers["Content-Type"]) == (202, SET)
    receipt = deployment.shop.read_receipt(answer.content)
    assert (receipt.accepted, [dropped.reason for dropped in receipt.dropped]) == (1, ["no_grant"])
    ada, bob = deployment.shop.pseudonym("ada"), deployment.shop.pseudonym("bob")
    scores = deployment.read(ada, bob).json()["scores"]
    assert scores[bob] is None
    assert (scores[ada]["points"], scores[ada]["band"], scores[ada]["contributions"]) == (510.0, "fair", [])
    assert deployment.read_one(ada).json() == {"score": scores[ada]}


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/healthz", "/.well-known/jwks.json", "/none"]
)
def test_head_is_get_without_a_body(deployment: Deployment, path: str) -> None:
    """As probes ask: the same status and headers, on a connection that goes on."""
    with requests.Session() as session:
        get, head = (
            session.request(method, f"{deployment.url}{path}", timeout=30) for method in ("GET", "HEAD")
        )
        again = session.get(f"{deployment.url}/health/live", timeout=30)
    assert (head.status_code, head.content, again.status_code) == (get.status_code, b"", 200)
    for answer in (get, head):
        del answer.headers["Date"], answer.headers["X-Request-Id"]
    assert head.headers == get.headers


@pytest.mark.parametrize("strips", [True, False])
def test_a_hub_below_a_path(strips: bool) -> None:
    """Its URL has a path, which the proxy before it strips or leaves."""
    with LocalHub(issuer="https://host.example/hubs/one") as hub:
        partner = hub.admit_partner(kinds=[kind(ORDER)])
        base = "https://host.example" if strips else hub.issuer
        for path in ("/health/ready", "/.well-known/jwks.json", "/.well-known/ssf-configuration"):
            assert Transport(base, adapter=hub.adapter).get(path).status == 200
        with hub.client(partner) as client:
            client.post([partner.signal("ada", "1", ORDER)])
            assert client.deliver().sent == 1


@pytest.mark.parametrize("name", ["ssf-configuration", "oauth-authorization-server"])
def test_metadata_of_a_hub_below_a_path(name: str) -> None:
    """SSF 1.0 section 7.2 and RFC 8414 section 3.1: the path comes after the well-known part."""
    with LocalHub(issuer="https://host.example/hubs/one") as hub:
        transport = Transport("https://host.example", adapter=hub.adapter)
        answer = transport.get(f"/.well-known/{name}/hubs/one")
        assert json.loads(answer.body)["issuer"] == hub.issuer
        with pytest.raises(ConfigurationError, match="404"):
            transport.get(f"/.well-known/{name}/hubs/two")


def test_an_unknown_person_and_one_without_a_grant_look_the_same(deployment: Deployment) -> None:
    """Byte for byte, but for the name that was asked, and header for header."""
    deployment.hub.add_grants(deployment.shop.grants("dora", ORDER, given_at=YESTERDAY))
    deployment.post(deployment.shop.seal(deployment.signal("dora", "d")))
    known, unknown = deployment.shop.pseudonym("dora"), deployment.shop.pseudonym("stranger")
    for ask in (deployment.read, deployment.read_one):
        first, second = ask(known), ask(unknown)
        assert first.content.replace(known.encode(), unknown.encode()) == second.content
        assert first.status_code == second.status_code == 200
        for answer in (first, second):
            del answer.headers["Date"], answer.headers["X-Request-Id"]
        assert first.headers == second.headers


def test_without_a_wish_for_the_receipt_the_answer_is_empty(deployment: Deployment) -> None:
    """RFC 8935 section 2.2; and sending again with the wish gets it."""
    envelope = deployment.shop.seal(deployment.signal("ada", "3"))
    for accept in ("*/*", "application/json", ""):
        plain = deployment.post(envelope, Accept=accept)
        assert (plain.status_code, plain.content) == (202, b"")
    again = deployment.post(envelope, Accept=f"application/json, {SET};q=0.5")
    assert deployment.shop.read_receipt(again.content).accepted == 1
    assert again.content == deployment.post(envelope).content


def test_a_gzipped_body_is_taken(deployment: Deployment) -> None:
    """Content-Encoding gzip, as the SDK's client sends it."""
    packed = gzip.compress(deployment.shop.seal(deployment.signal("ada", "4")))
    assert deployment.post(packed, Content_Encoding="gzip").status_code == 202


def test_a_refusal_by_the_guard_carries_its_findings(deployment: Deployment) -> None:
    """Registering a kind that the guard refuses: 400, access_denied, and each rule with its source.

    Problem details, whatever Accept says; every other refusal stays application/json.
    """
    refused = manifest(kind("retail.order.pharmacy", "medicine_ordered"), name="sesame-bad")
    for accept in (SET, "application/json", "*/*"):
        answer = deployment.post(deployment.shop.token(EventType.REGISTRATION, refused), Accept=accept)
        assert (answer.status_code, answer.json()["err"]) == (400, "access_denied")
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert "SPC-1" in {finding["rule"] for finding in answer.json()["findings"]}
    assert all(finding["source"] and finding["hint"] for finding in answer.json()["findings"])


_BOMB = gzip.compress(bytes(50 << 20))


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"x" * ((2 << 20) + 1), {}, 413, id="too large as it is"),
        pytest.param(_BOMB, {"Content_Encoding": "gzip"}, 413, id="too large when it is unpacked"),
        pytest.param(_BOMB[:500], {"Content_Encoding": "gzip"}, 400, id="gzip cut short"),
        pytest.param(zlib.compress(b"x"), {"Content_Encoding": "gzip"}, 400, id="not gzip"),
        pytest.param(b"x", {"Content_Encoding": "br"}, 415, id="another encoding"),
        pytest.param(b"x", {"Content_Type": "application/json"}, 415, id="another type"),
        pytest.param(b"x", {}, 400, id="no token"),
        pytest.param(b"", {}, 400, id="nothing"),
    ],
)
def test_a_body_that_cannot_be_taken(
    deployment: Deployment, body: bytes, headers: dict[str, str], status: int
) -> None:
    """One form for every refusal: err and description."""
    answer = deployment.post(body, **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    assert answer.json().keys() == {"err", "description"}


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(None, 401, id="no token"),
        pytest.param("Basic YTpi", 401, id="another scheme"),
        pytest.param("Bearer abc", 401, id="no JWT"),
        pytest.param("Bearer \u00e9", 401, id="not ASCII"),
    ],
)
def test_a_read_without_a_token_is_not_believed(
    deployment: Deployment, authorization: str | None, status: int
) -> None:
    """401, with the scheme to use (RFC 6750)."""
    headers = {"Authorization": authorization.encode()} if authorization else {}
    for method, path in (("GET", "/v1/scores/ada"), ("POST", "/v1/scores/read")):
        answer = requests.request(
            method, deployment.url + path, json={"subjects": ["ada"]}, headers=headers, timeout=30
        )
        assert answer.status_code == status
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_purpose_that_was_not_registered_is_forbidden(deployment: Deployment) -> None:
    """403: the reader is who it says, and may not."""
    token = deployment.shop.read_token(context="community").decode()
    answer = requests.get(
        f"{deployment.url}/v1/scores/ada", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert (answer.status_code, answer.json()["err"]) == (403, "access_denied")


@pytest.mark.parametrize("count", [0, 10_001])
def test_too_many_subjects_are_refused(deployment: Deployment, count: int) -> None:
    """10,000 is the most, and none is no question."""
    assert deployment.read(*(f"s{number}" for number in range(count))).status_code == 400


def test_what_is_not_a_question_is_refused(deployment: Deployment) -> None:
    """JSON of another shape."""
    for body in (b"[]", b'{"subjects": [1]}', b'{"subjects": "ada"}', b"\xff"):
        headers = deployment.bearer() | {"Content-Type": "application/json"}
        answer = requests.post(f"{deployment.url}/v1/scores/read", data=body, headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")


def test_keys_are_published_without_their_private_part(deployment: Deployment) -> None:
    """What receipts are verified by."""
    keys = requests.get(f"{deployment.url}/.well-known/jwks.json", timeout=30).json()["keys"]
    assert keys == deployment.hub.jwks()["keys"]
    assert "d" not in keys[0]


def test_the_page_loads_nothing_from_outside(deployment: Deployment) -> None:
    """Plain HTML under a policy that lets nothing in; the same as a document."""
    page = requests.get(f"{deployment.url}/schema", timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not any(word in page.text for word in ("<script", "src=", "<link", "http://", "https://"))
    document = requests.get(f"{deployment.url}/schema/openapi.json", timeout=30).json()
    assert {"/v1/events", "/v1/scores/read", "/v1/scores/{subject}"} <= document["paths"].keys()
    assert all(path in page.text for path in document["paths"])


@pytest.mark.parametrize("path", ["/healthz", "/schema", "/nowhere", "/v1/events", "/v1/scores/x"])
def test_every_answer_is_guarded(deployment: Deployment, path: str) -> None:
    """Also an error carries the headers that keep browsers and caches in check."""
    answer = requests.get(deployment.url + path, timeout=30)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "server" not in answer.headers
    if answer.status_code >= 400:
        assert json.loads(answer.content).keys() == {"err", "description"}
