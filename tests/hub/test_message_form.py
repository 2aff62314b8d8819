"""A partner can put no text about a person into a message that the hub keeps after an erasure."""

import json
from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.management import MessageError
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.sd_jwt import digest_of
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, ORDER, Partner, manifest
from tests.hub.rights.test_erasure import everything
from tests.hub.test_stream_contents import Reader
from tests.rogue import forging

pytestmark = pytest.mark.long

TEXT = "ada lovelace of 12 st james square owes us money"
SALT = "a-salt-of-two-and-20-l"
DIGEST = "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"


def plain(value: object) -> Any:
    """As JSON has it."""
    return json.loads(codec.encode(value))


def disclosed(shop: Partner, salt: str = SALT) -> bytes:
    """The disclosure of an order of ada's."""
    return base64url.encode(codec.encode([salt, shop.signal("ada", "1")]))


def signals(shop: Partner, *digests: object, salt: str = SALT, **claims: Any) -> bytes:
    """An envelope with ada's order, and further digests."""
    disclosure = disclosed(shop, salt)
    listed = [{"...": digest} for digest in (digest_of(disclosure), *digests)]
    payload = {EventType.SIGNALS.value: {"signals": listed}}
    return (
        forging.signed(shop, forging.claims(shop, payload, iat=_now(shop), **claims))
        + b"~"
        + disclosure
        + b"~"
    )


def _now(shop: Partner) -> int:
    return int(shop.clock().timestamp())


@pytest.fixture(autouse=True)
def _consent(hub: Hub, shop: Partner) -> None:
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="none"),
        pytest.param({"toe": 1780315200, "exp": 1812345678, "nbf": 1}, id="times"),
        pytest.param({"txn": "8675309", "jti": "urn:uuid:018bcfe5-6800-7abc"}, id="identifiers"),
        pytest.param({"aud": [HUB, "https://other.example"]}, id="another audience"),
    ],
)
def test_claims_of_their_form_are_accepted(hub: Hub, shop: Partner, claims: dict[str, Any]) -> None:
    """Other software for Shared Signals sends them, also with its signals in the clear."""
    assert shop.read_receipt(hub.receive(signals(shop, DIGEST, **claims))).accepted == 1
    clear = {EventType.SIGNALS.value: {"signals": [plain(shop.signal("ada", "2"))]}}
    other = {name: value for name, value in claims.items() if name != "jti"} | {"jti": "in-the-clear"}
    token = forging.signed(shop, forging.claims(shop, clear, iat=_now(shop), _sd_alg=None, **other))
    assert shop.read_receipt(hub.receive(token)).accepted == 1


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"txn": TEXT}, id="txn"),
        pytest.param({"toe": TEXT}, id="toe"),
        pytest.param({"jti": TEXT}, id="jti"),
        pytest.param({"aud": [HUB, TEXT]}, id="aud"),
        pytest.param(
            {"aud": [HUB, "https://other.example/?" + TEXT.replace(" ", "+")]}, id="aud with a query"
        ),
        pytest.param({"aud": [HUB, *("https://other.example",) * 8]}, id="many audiences"),
        pytest.param({"note": TEXT}, id="an unknown claim"),
        pytest.param({"sub_id": {"format": "opaque", "id": TEXT}}, id="sub_id"),
    ],
)
@pytest.mark.parametrize("event", [EventType.SIGNALS, EventType.REGISTRATION])
def test_a_text_in_a_claim_is_refused(
    hub: Hub, shop: Partner, event: EventType, claims: dict[str, Any]
) -> None:
    """In envelopes and in registrations; nothing of it is stored."""
    if event is EventType.SIGNALS:
        body = signals(shop, **claims)
    else:
        payload = {event.value: plain(manifest(ORDERS, name="another"))}
        body = forging.signed(shop, forging.claims(shop, payload, iat=_now(shop), _sd_alg=None, **claims))
    with pytest.raises(InvalidInputError):
        hub.receive(body)
    assert "lovelace" not in repr(everything(hub))


@pytest.mark.parametrize(
    ("digests", "salt"),
    [
        pytest.param([TEXT], SALT, id="a digest that is a sentence"),
        pytest.param([DIGEST[:-1]], SALT, id="a digest that is too short"),
        pytest.param([], TEXT, id="a salt that is a sentence"),
        pytest.param([], "short", id="a salt that is too short"),
    ],
)
def test_a_text_in_a_digest_or_a_salt_is_refused(
    hub: Hub, shop: Partner, digests: list[str], salt: str
) -> None:
    """They are kept with the signals of others."""
    with pytest.raises(InvalidInputError, match="base64url"):
        hub.receive(signals(shop, *digests, salt=salt))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b'"txn"', b'"txn": "TEXT", "txn"', id="a claim twice"),
        pytest.param(b'"signals"', b'"signals": [{"...": "TEXT"}], "signals"', id="the signals twice"),
        pytest.param(b'{"..."', b'{"...": "TEXT", "..."', id="a digest twice"),
        pytest.param(b'"urn:', b'"urn:sesame-sdk:event:signals": "TEXT", "urn:', id="the event twice"),
    ],
)
def test_a_member_that_is_repeated_is_refused(hub: Hub, shop: Partner, before: bytes, after: bytes) -> None:
    """Parsers keep one of them, and the token keeps both."""
    disclosure = disclosed(shop)
    payload = {EventType.SIGNALS.value: {"signals": [{"...": digest_of(disclosure)}]}}
    text = forging.text(forging.claims(shop, payload, iat=_now(shop), txn="8675309"))
    assert before in text
    repeated = text.replace(before, after.replace(b"TEXT", TEXT.encode()), 1)
    with pytest.raises(InvalidInputError):
        hub.receive(forging.signed(shop, repeated) + b"~" + disclosure + b"~")


def test_an_unknown_member_of_a_registration_is_refused(hub: Hub, shop: Partner) -> None:
    """At any depth: the digest of a manifest does not cover it."""
    declared = plain(manifest(ORDERS, name="another"))
    for changed in (
        declared | {"note": TEXT},
        declared | {"kinds": [declared["kinds"][0] | {"note": TEXT}]},
    ):
        token = shop.token(EventType.REGISTRATION, changed)
        with pytest.raises(InvalidInputError, match="unknown member"):
            hub.receive(token)


def test_the_text_of_a_rejected_message_is_not_kept(hub: Hub, shop: Partner) -> None:
    """A known code is; another one is stored as "other"."""
    reader = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    shop.send(shop.signal("ada", "1"))
    hub.streams.rescore_pending()
    (jti,) = reader.poll()
    reader.poll(setErrs={jti: MessageError("ada_lovelace_owes_us", TEXT)})
    (dead,) = hub.streams.list_dead_letters(reader.name)
    assert (dead.code, dead.reason) == ("other", "")
    assert "lovelace" not in repr(everything(hub))
