"""Security Event Tokens: ours with each noun, and the shapes that the Shared Signals specifications show."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk import InvalidInputError, Manifest
from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.model.envelope import Dropped, DropReason, EventType, Receipt
from sesame_sdk.signing.jwt import SET_TYP, Event, Token, sign_claims, sign_event, verify_event
from sesame_sdk.signing.keys import Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt
from tests.conftest import NOON
from tests.signing.parties import HUB, KEY, SHOP, TRUST, sealed

RECEIPT = Receipt("batch-1", NOON, 7, 1, (Dropped("id-9", DropReason.NO_GRANT),))


@pytest.fixture(scope="module")
def examples(shared_data: Path) -> list[dict[str, Any]]:
    """The payloads of all SETs in the SSF, CAEP and RISC specifications."""
    lines = (shared_data / "ssf/set_payload_examples.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["json"] for line in lines]


def receipt_of(token: bytes) -> Event[Receipt]:
    """As the shop reads the hub's answer."""
    return verify_event(
        Token.parse(token), TRUST, event=EventType.RECEIPT, payload=Receipt, audience=HUB, now=NOON
    )


def event_type(token: bytes) -> EventType:
    """The type of a token's event, not verified."""
    return Token.parse(token).event_type


def test_a_noun_goes_out_and_comes_back() -> None:
    """With its issuer, time and id."""
    token = sign_event(EventType.RECEIPT, RECEIPT, KEY, issuer=SHOP, audience=HUB, now=NOON, jti="answer-1")

    assert event_type(token) is EventType.RECEIPT
    assert receipt_of(token) == Event(SHOP, KEY.kid, "answer-1", NOON, RECEIPT)


def test_two_tokens_never_share_an_id() -> None:
    """Unless the sender requests it."""
    wish: dict[str, Any] = {"issuer": SHOP, "audience": HUB, "now": NOON}
    tokens = [sign_event(EventType.RECEIPT, RECEIPT, KEY, **wish) for _ in range(100)]

    assert len({receipt_of(token).jti for token in tokens}) == 100


def test_an_event_is_not_read_as_another() -> None:
    """A receipt is no registration, however well it is signed."""
    token = sign_event(EventType.RECEIPT, RECEIPT, KEY, issuer=SHOP, audience=HUB, now=NOON)

    with pytest.raises(InvalidInputError, match="must be urn:sesame-sdk:event:registration"):
        verify_event(
            Token.parse(token), TRUST, event=EventType.REGISTRATION, payload=Manifest, audience=HUB, now=NOON
        )


def test_a_payload_of_another_shape_is_refused_by_its_field() -> None:
    """After a valid signature."""
    token = sign_event(EventType.RECEIPT, {"jti": 5}, KEY, issuer=SHOP, audience=HUB, now=NOON)

    with pytest.raises(InvalidInputError, match="jti"):
        receipt_of(token)


def test_every_published_set_is_believed_when_a_known_party_signs_it(examples: list[dict[str, Any]]) -> None:
    """Subject, txn and all that we do not know is left as it is; ``aud`` as text and as a list."""
    assert len(examples) == 22
    assert {type(claims["aud"]) for claims in examples} == {str, list}
    for claims in examples:
        known = Trust({claims["iss"]: [TrustedKey(KEY.public_jwk, NOON)]})
        now = max(NOON, datetime.fromtimestamp(claims["iat"], UTC) + timedelta(minutes=1))
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        token = sign_claims(claims, KEY, typ=SET_TYP)
        for audience in audiences:
            verified = Token.parse(token).verify(known, typ=SET_TYP, audience=audience, now=now)
            assert (verified.issuer, verified.jti) == (claims["iss"], claims["jti"])
            assert json.loads(verified.claims) == claims
        with pytest.raises(InvalidInputError) as caught:
            Token.parse(token).verify(known, typ=SET_TYP, audience=HUB, now=now)
        assert caught.value.code == "invalid_audience"


def test_every_published_set_but_those_of_streams_is_refused_by_name(examples: list[dict[str, Any]]) -> None:
    """The known event about a stream itself is returned, with its name, and no other is."""
    known, seen = {EventType.VERIFICATION, EventType.STREAM_UPDATED}, set()
    for claims in examples:
        (name,) = claims["events"]
        if name in known:
            seen.add(event_type(sign_claims(claims, KEY, typ=SET_TYP)))
            continue
        with pytest.raises(InvalidInputError) as caught:
            event_type(sign_claims(claims, KEY, typ=SET_TYP))
        assert name in str(caught.value)
        assert caught.value.code == "invalid_request"
    assert seen == known


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"iss": SHOP, "aud": HUB}, "access", id="a party that we know"),
        pytest.param({"aud": HUB}, "invalid_issuer", id="a party that we do not know"),
        pytest.param({"iss": SHOP}, "invalid_audience", id="for somebody else"),
    ],
)
def test_our_event_in_their_shape_is_read(
    examples: list[dict[str, Any]], change: dict[str, str], code: str
) -> None:
    """Each published SET with our event in place of its own: the rest of its claims does not disturb."""
    for claims in examples:
        ours = {**claims, **change, "iat": int(NOON.timestamp())}
        ours["events"] = {
            EventType.RECEIPT.value: {"jti": "1", "received_at": NOON, "accepted": 3, "more": []}
        }
        token = sign_claims(ours, KEY, typ=SET_TYP)
        if code == "access":
            assert receipt_of(token).payload == Receipt("1", NOON, 3)
            continue
        with pytest.raises(InvalidInputError) as caught:
            receipt_of(token)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        pytest.param({}, "events", id="no events"),
        pytest.param({"events": {}}, "one event, not 0", id="an empty one"),
        pytest.param({"events": []}, "events", id="a list"),
        pytest.param(
            {"events": {EventType.RECEIPT.value: {}, EventType.SIGNALS.value: {}}},
            "one event, not 2",
            id="two known events, so that the result would be ambiguous",
        ),
        pytest.param({"events": {"urn:x\n" * 50: {}}}, r"'urn:x\\n", id="a name made to spoil a log"),
    ],
)
def test_what_holds_no_single_known_event_is_no_event(claims: dict[str, Any], why: str) -> None:
    """In one line that names it."""
    standard = {"iss": SHOP, "aud": HUB, "iat": 0, "jti": "id-1"}
    with pytest.raises(InvalidInputError, match=why) as caught:
        event_type(sign_claims(standard | claims, KEY, typ=SET_TYP))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("token", [b"", b"~", b"a.b", b"a.!.c", b"a..c", b"x" * (MAX_TOKEN_BYTES + 1)])
def test_what_is_no_token_has_no_kind(token: bytes) -> None:
    """Too long, too short or with foreign characters."""
    with pytest.raises(InvalidInputError):
        event_type(token)


def test_an_envelope_is_recognised_by_its_first_part() -> None:
    """With its disclosures and without."""
    envelope = sealed(2)

    alone = Token.parse(envelope.partition(b"~")[0])
    assert SdJwt.parse(envelope).token.event_type is alone.event_type is EventType.SIGNALS
