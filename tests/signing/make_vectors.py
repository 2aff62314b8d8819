"""Write the signed test vectors of `docs/vectors`: run ``python -m tests.signing.make_vectors docs/vectors``.

A vector is one message, the hub or partner that receives it, the time of receipt, and what must come out of
it. Keys are new in each run, so a run changes every vector.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sesame_sdk import Manifest, Pseudonymizer, Signal
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Dropped, DropReason, EventType, Receipt
from sesame_sdk.model.stream_events import (
    ScoreChange,
    ScoresChanged,
    StreamUpdated,
    SubjectId,
    SubjectRemoved,
    Verification,
)
from sesame_sdk.signing import base64url
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import SET_TYP, numeric_date, sign_event
from sesame_sdk.signing.keys import SigningKey, jwk_set
from sesame_sdk.testing.sample_data import BENEFITS, KINDS, readers_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SHOP, HUB = "https://shop.example", "https://hub.example"
SHOP_KEY, HUB_KEY, STRANGER = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
PEOPLE = Pseudonymizer(b"a secret of thirty-two bytes....")
KIND = KINDS[0].name

Vector = dict[str, Any]
Header = dict[str, Any]


def make_signals(count: int) -> tuple[Signal, ...]:
    """Signals of as many people."""
    return tuple(
        Signal(PEOPLE.signal_id(KIND, str(n), NOON), PEOPLE.pseudonym(str(n)), KIND, 1.0, NOON)
        for n in range(count)
    )


def plain(item: object) -> Any:
    """As JSON has it, without members that are not set."""
    return json.loads(codec.encode(codec.without_unset(item)))


def accepted(name: str, message: bytes, content: Any, *, at: datetime = NOON, **other: object) -> Vector:
    """A message that the receiver accepts, and its content."""
    return {
        "name": name,
        "message": message.decode(),
        "received_at": at.isoformat(),
        "outcome": "accepted",
    } | {
        "content": content,
        **other,
    }


def refused(name: str, message: bytes, field: str, *, at: datetime = NOON) -> Vector:
    """A message that the receiver refuses, and the part of it that is at fault."""
    return {
        "name": name,
        "message": message.decode("latin-1"),
        "received_at": at.isoformat(),
        "outcome": "refused",
        "field": field,
    }


def sign_raw(header: bytes, claims: bytes, key: SigningKey) -> bytes:
    """A JWS of any header and claims, with a valid signature."""
    signing_input = base64url.encode(header) + b"." + base64url.encode(claims)
    return signing_input + b"." + base64url.encode(key.sign(signing_input))


def damaged(token: bytes, key: SigningKey) -> Iterator[Vector]:
    """What every receiver refuses, whatever the event: made from a good message of `key`."""
    jwt, tilde, disclosures = token.partition(b"~")
    header, claims, signature = (base64url.decode(part, field="token") for part in jwt.split(b"."))

    def changed(changes: Header, in_claims: bool = False) -> bytes:
        parts: list[Header] = [json.loads(header), json.loads(claims)]
        part = parts[int(in_claims)]
        part.update(changes)
        for name in [name for name, value in part.items() if value is None]:
            del part[name]
        signed = sign_raw(*(json.dumps(each).encode() for each in parts), key)
        return signed + tilde + disclosures

    other = bytes([signature[0] ^ 1]) + signature[1:]
    encoded = b".".join(base64url.encode(part) for part in (header, claims, other))
    yield refused("one bit of the signature is changed", encoded + tilde + disclosures, "signature")
    yield refused("alg is none", changed({"alg": "none"}), "alg")
    yield refused("alg is HS256", changed({"alg": "HS256"}), "alg")
    yield refused("typ is JWT", changed({"typ": "JWT"}), "typ")
    yield refused("typ is missing", changed({"typ": None}), "header")
    yield refused("kid is missing", changed({"kid": None}), "header")
    yield refused("kid is of an unknown key", changed({"kid": STRANGER.kid}), "kid")
    yield refused("crit names an unknown extension", changed({"crit": ["b64"], "b64": False}), "header")
    twice = header[:-1] + b',"kid":"other"}'
    yield refused("a header member comes twice", sign_raw(twice, claims, key) + tilde + disclosures, "header")
    yield refused("the audience is another hub", changed({"aud": "https://other.example"}, True), "aud")
    yield refused("the audience is missing", changed({"aud": None}, True), "token")
    ahead = numeric_date(NOON + timedelta(hours=1))
    yield refused("it is issued an hour ahead", changed({"iat": ahead}, True), "iat")
    behind = numeric_date(NOON - timedelta(hours=1))
    yield refused("it has expired", changed({"exp": behind}, True), "exp")
    yield refused("jti is missing", changed({"jti": None}, True), "token")
    yield refused("the signature is cut off", jwt[: jwt.rindex(b".") + 1] + tilde + disclosures, "signature")


def envelopes() -> Iterator[Vector]:
    """Batches of signals: SD-JWT whose disclosures are the signals."""
    signals = make_signals(3)
    sealed = seal(signals, SHOP_KEY, issuer=SHOP, audience=HUB, now=NOON)
    content = [plain(signal) for signal in signals]
    token, *disclosures, _ = sealed.split(b"~")

    def with_disclosures(*chosen: bytes) -> bytes:
        return b"~".join([token, *chosen, b""])

    yield accepted("three signals", sealed, content, withheld=0)
    yield accepted(
        "its signals in another order", with_disclosures(*reversed(disclosures)), content, withheld=0
    )
    yield accepted("one signal is withheld", with_disclosures(*disclosures[1:]), content[1:], withheld=1)
    yield accepted("all signals are withheld", with_disclosures(), [], withheld=3)
    clear = sign_event(EventType.SIGNALS, {"signals": content}, SHOP_KEY, issuer=SHOP, audience=HUB, now=NOON)
    yield accepted("a plain SET with its signals in the clear", clear, content, withheld=0)
    (foreign,) = seal(make_signals(1), SHOP_KEY, issuer=SHOP, audience=HUB, now=NOON).split(b"~")[1:-1]
    yield refused("a disclosure without a digest", with_disclosures(*disclosures, foreign), "disclosure")
    yield refused("a disclosure comes twice", with_disclosures(*disclosures, disclosures[0]), "disclosure")
    yield refused("a key binding follows the last ~", sealed + token, "envelope")
    yield from damaged(sealed, SHOP_KEY)


def registrations() -> Iterator[Vector]:
    """The declarations of a plugin."""
    manifest = Manifest("sesame-shop", "1.0", "1.0", kinds=KINDS[:1], consumers=readers_of("retail"))
    yield from _events(EventType.REGISTRATION, manifest, SHOP_KEY, SHOP, HUB)


def receipts() -> Iterator[Vector]:
    """What a hub stored of an envelope."""
    dropped = (Dropped(make_signals(1)[0].id, DropReason.NO_GRANT),)
    receipt = Receipt("an-envelope", NOON, accepted=2, duplicates=1, dropped=dropped)
    yield from _events(EventType.RECEIPT, receipt, HUB_KEY, HUB, SHOP)


def stream_events() -> Iterator[Vector]:
    """What a hub sends to a reader's stream."""
    subject = SubjectId(PEOPLE.pseudonym("0"))
    changes = (
        ScoreChange(subject, 7, 581.5, "known"),
        ScoreChange(SubjectId(PEOPLE.pseudonym("1")), 8),
    )
    scores = ScoresChanged(BENEFITS, "retail", "d" * 43, 550.0, date(2026, 6, 1), changes)
    yield from _events(EventType.SCORES_CHANGED, scores, HUB_KEY, HUB, SHOP)
    removed = SubjectRemoved(9, BENEFITS, "retail")
    for event, payload in (
        (EventType.GRANT_WITHDRAWN, removed),
        (EventType.PERSON_ERASED, SubjectRemoved(10)),
        (EventType.VERIFICATION, Verification("a state of the reader")),
        (EventType.VERIFICATION, Verification()),
        (EventType.STREAM_UPDATED, StreamUpdated("paused")),
    ):
        message = sign_event(
            event, payload, HUB_KEY, issuer=HUB, audience=SHOP, now=NOON, sub_id=plain(subject)
        )
        name = event.value.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
        yield accepted(f"{name}: {plain(payload) or 'empty'}", message, plain(payload), event=event.value)


def _events(event: EventType, payload: object, key: SigningKey, issuer: str, to: str) -> Iterator[Vector]:
    message = sign_event(event, payload, key, issuer=issuer, audience=to, now=NOON)
    yield accepted("a valid message", message, plain(payload), event=event.value)
    yield from damaged(message, key)


FILES: dict[str, tuple[str, str, SigningKey, Callable[[], Iterator[Vector]]]] = {
    "envelopes": (SHOP, HUB, SHOP_KEY, envelopes),
    "registrations": (SHOP, HUB, SHOP_KEY, registrations),
    "receipts": (HUB, SHOP, HUB_KEY, receipts),
    "stream_events": (HUB, SHOP, HUB_KEY, stream_events),
}


def main(directory: Path) -> None:
    """Write one file for each sort of message."""
    for name, (issuer, audience, key, vectors) in FILES.items():
        document = {"issuer": issuer, "audience": audience, "keys": jwk_set([key.public_jwk])["keys"]}
        text = json.dumps(document | {"typ": SET_TYP, "vectors": list(vectors())}, indent=1)
        (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
