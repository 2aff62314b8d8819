"""A person's disclosures in the ledger: found without reading through it, and dropped.

What is dropped leaves the digest that was signed, so the signature of the rest still holds (RFC 9901).
A signal that was sent in the clear is part of its token: there `ledger.keep`'s rule holds, the token
goes, and the signals of the others stay.

A person's envelopes are
    * those that the rows of `signals` stand by
    * those that keep a disclosure of a signal which stands by another one: `copies` names them
    * those under a key that no longer counts, whose rows others may have replaced: few, and found by the key
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, bindparam, select, union, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import envelopes, pseudonyms, signals
from sesame_sdk.hub.ingest.ledger import StoredEnvelope
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.hub.rights.tables import duplicate_disclosures
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing import base64url, envelope_schema
from sesame_sdk.signing.jwt import Token

#: Envelopes in memory at a time, about 300 kB each.
_AT_ONCE = 16


@frozen
class Part:
    """A signal in the ledger.

    Attributes:
        place: among those that its envelope still holds.
        signal: itself.
        disclosure: what proves it; empty where it came in the clear.
    """

    place: int
    signal: Signal
    disclosure: bytes = b""


def names_of(connection: Connection, person: int) -> dict[int, str]:
    """What each partner calls a person, by the partner's number."""
    mine = select(pseudonyms.c.partner, pseudonyms.c.subject).where(pseudonyms.c.person == person)
    return {row.partner: row.subject for row in connection.execute(mine.order_by(pseudonyms.c.partner))}


def stored(connection: Connection, person: int) -> Iterator[Sequence[Row[Any]]]:
    """The envelopes that hold something of a person, or may, oldest first, a few at a time."""
    numbers = _numbers(connection, person)
    for start in range(0, len(numbers), _AT_ONCE):
        some = envelopes.c.id.in_(numbers[start : start + _AT_ONCE].tolist())
        yield connection.execute(select(envelopes).where(some).order_by(envelopes.c.id)).all()


def parts_of(row: Row[Any], subject: str) -> list[Part]:
    """A subject's signals that a row of `envelopes` still holds. They are not proved here.

    Raises:
        InvalidInputError: the row is damaged.
    """
    try:
        if row.token and row.disclosures:
            found = _disclosed(row.disclosures, subject)
        else:
            found = [Part(place, signal) for place, signal in enumerate(_in_the_clear(row))]
    except InvalidInputError as error:
        raise InvalidInputError(f"is damaged: {error}", field=f"envelope {row.id}") from error
    return [part for part in found if part.signal.subject == subject]


def without(row: Row[Any], subject: str) -> StoredEnvelope | None:
    """What stays of an envelope once a subject's signals are dropped; None where it has none.

    Raises:
        InvalidInputError: the row is damaged.
    """
    gone = {part.place for part in parts_of(row, subject)}
    if not gone:
        return None
    if row.token and row.disclosures:
        disclosures = enumerate(_split(row.disclosures))
        others = (disclosure for place, disclosure in disclosures if place not in gone)
        return StoredEnvelope(row.token, b"~".join([b"", *others, b""]))
    signals_left = [one for place, one in enumerate(_in_the_clear(row)) if place not in gone]
    return StoredEnvelope(b"", codec.encode(signals_left))


def drop(connection: Connection, person: int, names: Mapping[int, str]) -> int:
    """Drop a person's disclosures. In how many envelopes there were some.

    Args:
        connection: in a transaction.
        person: the number.
        names: see `names_of`.

    Raises:
        InvalidInputError: an envelope is damaged.
    """
    put = update(envelopes).where(envelopes.c.id == bindparam("number"))
    put = put.values(token=bindparam("stays"), disclosures=bindparam("rest"))
    dropped = 0
    for rows in stored(connection, person):
        left = {row.id: without(row, names[row.partner]) for row in rows}
        changed = [
            {"number": number, "stays": kept.token, "rest": kept.disclosures}
            for number, kept in left.items()
            if kept is not None
        ]
        if changed:
            connection.execute(put, changed)
        dropped += len(changed)
    return dropped


def _split(kept: bytes) -> list[bytes]:
    return kept.split(b"~")[1:-1]


def _disclosed(kept: bytes, subject: str) -> list[Part]:
    """Those disclosures that may be a subject's: to decode all would cost ten times as much."""
    disclosures = _split(kept)
    texts, name = base64url.decode_all(disclosures, field="disclosure"), subject.encode()
    # JSON may spell a name otherwise, but not without a backslash.
    likely = [place for place, text in enumerate(texts) if name in text or b"\\" in text]
    return [Part(place, _signal_in(texts[place]), disclosures[place]) for place in likely]


def _signal_in(text: bytes) -> Signal:
    return codec.decode(text, tuple[str, Signal], field="disclosure")[1]


def _in_the_clear(row: Row[Any]) -> tuple[Signal, ...]:
    if not row.token:
        return codec.decode(row.disclosures, tuple[Signal, ...])
    payload = Token.parse(row.token).event_payload(EventType.SIGNALS)
    return codec.decode(payload, envelope_schema.InTheClear, field="events").signals


def _numbers(connection: Connection, person: int) -> "array[int]":
    """Eight bytes an envelope, so that somebody who is in a hundred thousand fits as well."""
    partners = select(pseudonyms.c.partner).where(pseudonyms.c.person == person)
    void = void_envelopes().where(
        envelopes.c.partner.in_(partners), envelopes.c.event == EventType.SIGNALS.value
    )
    found = union(
        select(signals.c.envelope).where(signals.c.person == person),
        select(duplicate_disclosures.c.envelope).where(duplicate_disclosures.c.person == person),
        void,
    )
    return array("q", sorted(connection.scalars(found)))
