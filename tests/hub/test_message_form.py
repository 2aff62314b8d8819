"""A partner can put no text about a person into a message that the hub keeps after an erasure."""

import json
from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.management import MessageError, VerificationRequest
from sesame_sdk.hub.streams.streams import StatusRequest, StreamRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import sign_claims, sign_event
from sesame_sdk.signing.key_rotation import PROOF_TYP, KeyRotation, announcement_jti
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.sd_jwt import digest_of
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, ORDER, Partner, manifest
from tests.hub.rights.test_erasure import everything
from tests.hub.rights.test_traces import in_base64
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


def _announcement(shop: Partner, jwk: dict[str, Any] | None = None, **claims: Any) -> bytes:
    following, at = SigningKey.generate(), shop.clock()
    parties = {"iss": shop.issuer, "aud": HUB, "iat": _now(shop), "jti": "a-proof", "old_kid": shop.key.kid}
    proof = sign_claims(parties | claims, following, typ=PROOF_TYP).decode()
    bare = {name: following.public_jwk[name] for name in ("kty", "crv", "x")}
    payload = KeyRotation(bare | (jwk or {}), 60, proof)
    jti = announcement_jti(following.kid)
    named = {"issuer": shop.issuer, "audience": HUB, "now": at, "jti": jti}
    return sign_event(EventType.KEY_ROTATION, payload, shop.key, **named)


@pytest.mark.parametrize(
    ("jwk", "claims"),
    [
        pytest.param({"note": TEXT}, {}, id="in the key"),
        pytest.param({"kid": TEXT}, {}, id="as the key's id"),
        pytest.param({}, {"note": TEXT}, id="in the proof"),
        pytest.param({}, {"aud": [HUB, TEXT]}, id="as an audience of the proof"),
        pytest.param({}, {"jti": TEXT}, id="as the id of the proof"),
    ],
)
def test_a_text_in_the_announcement_of_a_key_is_refused(
    hub: Hub, shop: Partner, jwk: dict[str, Any], claims: dict[str, Any]
) -> None:
    """The hub keeps the key and the announcement."""
    with pytest.raises(InvalidInputError, match=r"jwk|kid|proof|aud|jti"):
        hub.receive(_announcement(shop, jwk, **claims))
    assert "lovelace" not in repr(everything(hub))
    assert shop.read_receipt(hub.receive(_announcement(shop)))


def test_what_readers_wrote_is_deleted_with_a_person_whom_they_know(hub: Hub, shop: Partner) -> None:
    """A stream's description, the state of a verification; a status reason and unknown events at once."""
    created = hub.stream_management.create(
        shop.stream_token(),
        StreamRequest(events_requested=(f"urn:{TEXT.replace(' ', '-')}", str(EventType.SCORES_CHANGED))),
    )
    assert created["events_requested"] == [EventType.SCORES_CHANGED]
    name = created["stream_id"]
    paused = hub.stream_management.set_status(shop.stream_token(), StatusRequest(name, "paused", TEXT))
    assert paused == {"stream_id": name, "status": "paused", "reason": TEXT}
    assert TEXT not in repr(everything(hub))
    with pytest.raises(InvalidInputError, match="description"):
        StreamRequest(name, description=TEXT * 3)
    described = hub.stream_management.update(
        shop.stream_token(), StreamRequest(name, description=TEXT), whole=False
    )
    assert described["description"] == TEXT
    hub.stream_management.request_verification(shop.stream_token(), VerificationRequest(name, TEXT))
    in_tokens = in_base64(TEXT.encode())
    assert TEXT in repr(everything(hub))
    assert any(spelling in repr(everything(hub)).encode() for spelling in in_tokens)
    hub.rights.erase("ada")
    assert TEXT not in repr(everything(hub))
    assert not any(spelling in repr(everything(hub)).encode() for spelling in in_tokens)
