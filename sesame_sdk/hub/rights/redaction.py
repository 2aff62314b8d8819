"""Finds a person's disclosures in the ledger without a full scan, and drops them.

The signed digest of a dropped disclosure stays, so the signature of the rest still verifies (RFC 9901). A
signal that was sent in the clear is part of its token: there the token is dropped, and the others stay. Of an
envelope in quarantine that cannot be read, nothing stays.

A person's envelopes are
    * those that the rows of `signals` refer to
    * those with another disclosure of the same signal: listed in `further_disclosures`
    * those under a revoked key or in quarantine, whose rows other envelopes may have replaced: few, and found
      by the key
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, bindparam, select, union, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import (
    envelopes,
    further_disclosures,
    pseudonyms,
    quarantined_envelopes,
    signals,
)
from sesame_sdk.hub.ingest.ledger import StoredEnvelope
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing import base64url
from sesame_sdk.signing.envelopes import InTheClear
from sesame_sdk.signing.jwt import Token

#: Envelopes in memory at a time, about 300 kB each.
_CHUNK = 16
#: What is left of an envelope that may hold a person's signals and cannot be read: it does not count.
_EMPTY = StoredEnvelope(b"", b"[]")


@frozen
class StoredSignal:
    """A signal in the ledger, by its index in the envelope; no disclosure if it was sent in the clear."""

    index: int
    signal: Signal
    disclosure: bytes = b""


def pseudonyms_of(connection: Connection, person: int) -> dict[int, str]:
    """A person's pseudonyms, by the partner's row id."""
    query = select(pseudonyms.c.partner, pseudonyms.c.subject).where(pseudonyms.c.person == person)
    return {row.partner: row.subject for row in connection.execute(query.order_by(pseudonyms.c.partner))}


def envelopes_of(connection: Connection, person: int) -> Iterator[Sequence[Row[Any]]]:
    """The envelopes that may hold signals of a person, oldest first, in chunks."""
    ids = _envelope_ids(connection, person)
    for start in range(0, len(ids), _CHUNK):
        chunk = envelopes.c.id.in_(ids[start : start + _CHUNK].tolist())
        yield connection.execute(select(envelopes).where(chunk).order_by(envelopes.c.id)).all()


def signals_of(row: Row[Any], subject: str) -> list[StoredSignal]:
    """A subject's signals in a row of `envelopes`, unverified. `InvalidInputError`: it is damaged."""
    try:
        if row.token and row.disclosures:
            candidates = _disclosed_signals(row.disclosures, subject)
        else:
            candidates = [StoredSignal(index, signal) for index, signal in enumerate(_clear_signals(row))]
    except InvalidInputError as error:
        hint = "quarantine it: sesame hub rebuild"
        text = f"is damaged: {error}"
        raise InvalidInputError(text, field=f"envelope {row.id}", hint=hint) from error
    return [stored for stored in candidates if stored.signal.subject == subject]


def redact(row: Row[Any], subject: str) -> StoredEnvelope | None:
    """The envelope without a subject's signals; None if it has none. Raises as `signals_of` does."""
    dropped = {stored.index for stored in signals_of(row, subject)}
    if not dropped:
        return None
    if row.token and row.disclosures:
        disclosures = enumerate(_split(row.disclosures))
        others = (disclosure for index, disclosure in disclosures if index not in dropped)
        return StoredEnvelope(row.token, b"~".join([b"", *others, b""]))
    remaining = [signal for index, signal in enumerate(_clear_signals(row)) if index not in dropped]
    return StoredEnvelope(b"", codec.encode(remaining))


def unreadable_envelopes(connection: Connection, rows: Sequence[Row[Any]]) -> set[int]:
    """Those of some envelopes that are in quarantine and cannot be read: whose data they hold is unknown."""
    chunk = quarantined_envelopes.c.envelope.in_([row.id for row in rows])
    quarantined = set(connection.scalars(select(quarantined_envelopes.c.envelope).where(chunk)))
    return {row.id for row in rows if row.id in quarantined and not _is_readable(row)}


def _is_readable(row: Row[Any]) -> bool:
    try:
        signals_of(row, "")  # which decodes all of them
    except InvalidInputError:
        return False
    form = row.disclosures[:1] + row.disclosures[-1:]
    return not (row.token and row.disclosures) or form == b"~~"


def redact_person(connection: Connection, person: int, subjects: Mapping[int, str]) -> int:
    """Drop a person's disclosures. Returns the number of envelopes that had any."""
    statement = update(envelopes).where(envelopes.c.id == bindparam("row_id"))
    statement = statement.values(token=bindparam("new_token"), disclosures=bindparam("new_disclosures"))
    count = 0
    for rows in envelopes_of(connection, person):
        unreadable = unreadable_envelopes(connection, rows)
        redacted = {
            row.id: _EMPTY if row.id in unreadable else redact(row, subjects[row.partner]) for row in rows
        }
        changed = [
            {"row_id": row_id, "new_token": stored.token, "new_disclosures": stored.disclosures}
            for row_id, stored in redacted.items()
            if stored is not None
        ]
        if changed:
            connection.execute(statement, changed)
        count += len(changed)
    return count


def _split(disclosures: bytes) -> list[bytes]:
    return disclosures.split(b"~")[1:-1]


def _disclosed_signals(stored: bytes, subject: str) -> list[StoredSignal]:
    """Decodes only disclosures that may be the subject's: decoding all would cost ten times as much."""
    disclosures = _split(stored)
    texts, name = base64url.decode_all(disclosures, field="disclosure"), subject.encode()
    # JSON may escape a name, but not without a backslash.
    likely = [index for index, text in enumerate(texts) if name in text or b"\\" in text]
    decoded = [codec.decode(texts[index], tuple[str, Signal], field="disclosure") for index in likely]
    pairs = zip(likely, decoded, strict=True)
    return [StoredSignal(index, signal, disclosures[index]) for index, (_, signal) in pairs]


def _clear_signals(row: Row[Any]) -> tuple[Signal, ...]:
    if not row.token:
        return codec.decode(row.disclosures, tuple[Signal, ...])
    payload = Token.parse(row.token).event_payload(EventType.SIGNALS)
    return codec.decode(payload, InTheClear, field="events").signals


def _envelope_ids(connection: Connection, person: int) -> "array[int]":
    """Eight bytes per envelope, for a person in a hundred thousand of them."""
    partners = select(pseudonyms.c.partner).where(pseudonyms.c.person == person)
    void = select(envelopes.c.id).where(
        envelopes.c.id.in_(void_envelopes()),
        envelopes.c.event == EventType.SIGNALS.value,
        envelopes.c.partner.in_(partners),
    )
    query = union(
        select(signals.c.envelope).where(signals.c.person == person),
        select(further_disclosures.c.envelope).where(further_disclosures.c.person == person),
        void,
    )
    return array("q", sorted(connection.scalars(query)))
