"""Tokens of streams: a reader's own for minutes, and OAuth's client credentials."""

import json
from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.errors import RateLimitedError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners.rate_limit import Limit
from sesame_sdk.hub.streams.stream_auth import ACCESS_LIFETIME, ASSERTION_TYPE, TOKEN_PATH
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import new_jti, sign_claims
from tests.hub.fixtures import BENEFITS, Clock, Partner


def token_request(shop: Partner, **changes: Any) -> dict[str, str]:
    """A good request for a token; changes of the assertion are prefixed with an underscore."""
    now = int(shop.clock().timestamp())
    claims = {
        "iss": shop.issuer,
        "sub": shop.issuer,
        "aud": shop.hub.settings.issuer + TOKEN_PATH,
        "iat": now,
        "exp": now + 60,
        "jti": new_jti(),
        **{name[1:]: value for name, value in changes.items() if name.startswith("_")},
    }
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign_claims(claims, shop.key, typ=changes.pop("typ", "JWT")).decode(),
        **{name: value for name, value in changes.items() if not name.startswith("_")},
    }
    return {name: value for name, value in fields.items() if value is not None}


def test_a_readers_own_token_may_be_used_again_while_it_lives(hub: Hub, shop: Partner, clock: Clock) -> None:
    """And not for another purpose, nor for reading scores."""
    token = shop.stream_token()
    name = hub.stream_management.create(token, StreamRequest())["stream_id"]
    assert hub.stream_management.status(token, name)["status"] == "enabled"
    with pytest.raises(InvalidInputError, match="must be sesame-read"):
        hub.read_scores(token, ["p"])
    with pytest.raises(InvalidInputError, match="must be sesame-stream"):
        hub.stream_management.status(shop.read_token(), name)
    with pytest.raises(InvalidInputError) as caught:
        hub.stream_management.status(shop.stream_token(context="community"), name)
    assert caught.value.code == "access_denied"
    clock.advance(minutes=7)
    with pytest.raises(InvalidInputError, match="expired"):
        hub.stream_management.status(token, name)


def test_an_access_token_manages_streams_until_it_expires(hub: Hub, shop: Partner, clock: Clock) -> None:
    """Purpose and context are those registered, where there is one of each."""
    answer = hub.stream_management.issue_token(token_request(shop))
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == (
        "Bearer",
        600,
        "ssf.read ssf.manage",
    )
    token = answer["access_token"].encode()
    made = hub.stream_management.create(token, StreamRequest())
    assert (made["purpose"], made["context"]) == (BENEFITS, "retail")
    assert hub.stream_management.read(token) == [made]
    with pytest.raises(InvalidInputError, match="must be sesame-read"):
        hub.read_scores(token, ["p"])
    clock.advance(seconds=ACCESS_LIFETIME.seconds + 61)
    with pytest.raises(InvalidInputError, match="expired"):
        hub.stream_management.read(token)


def test_a_scope_limits_an_access_token(hub: Hub, shop: Partner) -> None:
    """To read is not to change."""
    token = hub.stream_management.issue_token(token_request(shop, scope="ssf.read"))["access_token"].encode()
    assert hub.stream_management.read(token) == []
    with pytest.raises(InvalidInputError, match=r"lacks ssf\.manage") as caught:
        hub.stream_management.create(token, StreamRequest())
    assert caught.value.code == "access_denied"


def test_requests_beyond_a_scope_are_charged(hub: Hub, shop: Partner) -> None:
    """As everything that is refused after its signature was verified."""
    token = hub.stream_management.issue_token(token_request(shop, scope="ssf.read"))["access_token"].encode()
    hub.set_partner_limit(shop.issuer, Limit(1, 5))
    assert hub.stream_management.read(token) == []
    refused: list[type[Exception]] = []
    for _ in range(10):
        with pytest.raises((InvalidInputError, RateLimitedError)) as caught:
            hub.stream_management.create(token, StreamRequest())
        refused.append(caught.type)
    assert refused[0] is InvalidInputError
    assert refused[-1] is RateLimitedError


def test_an_access_token_ends_with_the_key_that_got_it(hub: Hub, shop: Partner, clock: Clock) -> None:
    """A thief's token does not outlive the revocation."""
    token = hub.stream_management.issue_token(token_request(shop))["access_token"].encode()
    hub.revoke_key(shop.key.kid, clock())
    with pytest.raises(InvalidInputError, match="revoked"):
        hub.stream_management.read(token)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"grant_type": "authorization_code"}, "unsupported_grant_type", id="another grant"),
        pytest.param({"grant_type": None}, "unsupported_grant_type", id="no grant"),
        pytest.param({"scope": "ssf.manage admin"}, "invalid_scope", id="an unknown scope"),
        pytest.param({"client_assertion_type": "x"}, "invalid_client", id="another kind of assertion"),
        pytest.param({"client_assertion": None}, "invalid_client", id="no assertion"),
        pytest.param({"client_assertion": "a.b.c"}, "invalid_client", id="an assertion that is none"),
        pytest.param({"typ": "sesame-read+jwt"}, "invalid_client", id="a token of another type"),
        pytest.param({"_sub": "https://other.example"}, "invalid_client", id="another subject"),
        pytest.param({"client_id": "https://other.example"}, "invalid_client", id="another client id"),
        pytest.param({"_aud": "https://other.example"}, "invalid_client", id="for another server"),
        pytest.param({"_exp": 1}, "invalid_client", id="expired"),
        pytest.param({"_exp": 99_999_999_999}, "invalid_client", id="for too long"),
        pytest.param(
            {"purpose": "urn:sesame-sdk:purpose:MatchmakingRanking", "context": "retail"},
            "access_denied",
            id="a purpose that is not registered",
        ),
    ],
)
def test_a_wrong_request_gets_no_token(changes: dict[str, Any], code: str, hub: Hub, shop: Partner) -> None:
    """With a code of RFC 6749 section 5.2."""
    with pytest.raises(InvalidInputError) as caught:
        hub.stream_management.issue_token(token_request(shop, **changes))
    assert caught.value.code == code


def test_an_assertion_works_once(hub: Hub, shop: Partner) -> None:
    """Whoever records it gets nothing."""
    request = token_request(shop)
    hub.stream_management.issue_token(request)
    with pytest.raises(InvalidInputError, match="used before"):
        hub.stream_management.issue_token(request)


def test_another_partners_access_token_finds_no_stream_of_ours(hub: Hub, shop: Partner, clock: Clock) -> None:
    """A token is bound to its reader."""
    name = hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"]
    other = Partner.join("https://other.example", hub, clock, reads=["retail"])
    token = hub.stream_management.issue_token(token_request(other))["access_token"].encode()
    with pytest.raises(InvalidInputError, match="unknown stream"):
        hub.stream_management.status(token, name)


def test_a_forged_access_token_is_rejected(hub: Hub, shop: Partner) -> None:
    """Signed by a partner in the hub's name, or altered."""
    token = hub.stream_management.issue_token(token_request(shop))["access_token"]
    header, payload, signature = token.split(".")
    claims = json.loads(base64url.decode(payload.encode(), field="payload"))
    forged = sign_claims(claims, shop.key, typ="at+jwt")
    altered = base64url.encode(json.dumps({**claims, "sub": "https://other.example"}).encode()).decode()
    for bad in (forged, f"{header}.{altered}.{signature}".encode()):
        with pytest.raises(InvalidInputError) as caught:
            hub.stream_management.read(bad)
        assert caught.value.code in {"invalid_key", "authentication_failed"}
