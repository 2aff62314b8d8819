"""The ledger of envelopes: what was said to the hub, by whom, and what the hub answered.

Rules:
    * a row is only ever added; truth is here, and `signals` is made from it. Only an erasure changes rows:
      it drops a person's disclosures, which the signature of the rest outlives (see `rights.erasure`)
    * a ``jti`` is accepted once for each issuer (RFC 7519 section 4.1.7): the same token again gets the
      receipt of the first time, byte for byte, and another token under it is refused
    * a disclosure is kept when its signal was: what people did not agree to is not stored, not even its id
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import ColumnElement, Connection, Row, insert, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database import engine
from sesame_sdk.hub.database.tables import envelopes
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.ingest.outcome import IngestOutcome, ProcessedMessage
from sesame_sdk.hub.partners.keys import HistoricalKeys
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing.envelopes import Opened, open_envelope
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.sd_jwt import SdJwt

#: Envelopes read back at a time, about 300 kB each.
_AT_ONCE = 16


@frozen
class ReceivedMessage:
    """A verified token at the door.

    Attributes:
        partner: whose it is, as the tables know it.
        issuer: the same, as the world does.
        event: what it says.
        jti: its id.
        kid: signed with which key.
        issued_at: when it says that it was signed; UTC.
        received_at: when we got it; UTC.
        digest: see `message_digest`.
    """

    partner: int
    issuer: str
    event: EventType
    jti: str
    kid: str
    issued_at: datetime
    received_at: datetime
    digest: bytes


@frozen
class ReplayedEnvelope:
    """An envelope read back from the ledger.

    Attributes:
        envelope_id: its row.
        partner: whose it is.
        signals: those that were kept.
    """

    envelope_id: int
    partner: int
    signals: tuple[Signal, ...]


@frozen
class StoredEnvelope:
    """What of an envelope is stored.

    Attributes:
        token: the JWT; empty where it cannot be kept without what was dropped.
        disclosures: what follows the token, ``~disclosure~...~``; without a token, the signals kept, as JSON.
    """

    token: bytes
    disclosures: bytes = b""


@frozen
class LedgerEntry:
    """A row to be added: what arrived, what of it is kept, and what we answered.

    Attributes:
        envelope_id: of the row.
        message: what arrived.
        stored: what of it is stored.
        outcome: what became of its signals.
    """

    envelope_id: int
    message: ReceivedMessage
    stored: StoredEnvelope
    outcome: IngestOutcome = field(factory=IngestOutcome)


def message_digest(token: bytes, shown: Sequence[bytes] = ()) -> bytes:
    """By which the same message is known again: the token and the disclosures that came with it.

    Without the second, somebody on the way could strip an envelope, and the whole one that comes
    later would be answered with the receipt for nothing.
    """
    return hashlib.sha256(b"~".join([token, *shown])).digest()


def find_outcomes(connection: Connection, arrivals: Sequence[ReceivedMessage]) -> dict[str, ProcessedMessage]:
    """By ``jti``, what these very messages of one partner were answered before, if they were.

    Raises:
        InvalidInputError: another message of this issuer had the same ``jti``.
    """
    digests = {arrival.jti: arrival.digest for arrival in arrivals}
    mine = (envelopes.c.partner == arrivals[0].partner) & envelopes.c.jti.in_(digests)
    asked = (envelopes.c.jti, envelopes.c.digest, envelopes.c.received_at, envelopes.c.outcome)
    found = connection.execute(select(*asked).where(mine)).all()
    if not all(hmac.compare_digest(row.digest, digests[row.jti]) for row in found):
        raise InvalidInputError(
            "was used for another message", field="jti", hint="give each token a jti of its own"
        )
    return {
        row.jti: ProcessedMessage(from_micros(row.received_at), codec.decode(row.outcome, IngestOutcome))
        for row in found
    }


def reserve_envelope_ids(connection: Connection, many: int) -> Sequence[int]:
    """The numbers of so many new rows, ascending."""
    return engine.reserve_ids(connection, envelopes.c.id, many)


def append_entries(connection: Connection, entries: Sequence[LedgerEntry]) -> None:
    """Add rows."""
    connection.execute(insert(envelopes), [_row(entry) for entry in entries])


def _row(entry: LedgerEntry) -> dict[str, object]:
    arrival = entry.message
    return {
        "id": entry.envelope_id,
        "partner": arrival.partner,
        "jti": arrival.jti,
        "event": arrival.event.value,
        "kid": arrival.kid,
        "issued_at": to_micros(arrival.issued_at),
        "received_at": to_micros(arrival.received_at),
        "digest": arrival.digest,
        "token": entry.stored.token,
        "disclosures": entry.stored.disclosures,
        "duplicates": entry.outcome.duplicates,
        "outcome": codec.encode(entry.outcome),
    }


def strip_dropped(opened: Opened, kept: Sequence[int]) -> StoredEnvelope:
    """What to store of an envelope when the signals at the places `kept` stay.

    Signals sent in the clear are part of the token. Where some of them must go the token goes too: the
    proof of the rest is given up for the sake of those who did not consent.
    """
    if opened.disclosures or opened.withheld:
        return StoredEnvelope(
            opened.token, b"~".join([b"", *(opened.disclosures[place] for place in kept), b""])
        )
    if len(kept) == len(opened.envelope.signals):
        return StoredEnvelope(opened.token)
    return StoredEnvelope(b"", codec.encode([opened.envelope.signals[place] for place in kept]))


def replay_envelopes(
    connection: Connection, hub: str, which: ColumnElement[bool]
) -> Iterator[ReplayedEnvelope]:
    """The stored envelopes of signals among `which`, oldest first, proved again as they are read.

    Args:
        connection: in a transaction.
        hub: our own issuer, for whom they are.
        which: a condition on `envelopes`.

    Raises:
        InvalidInputError: a row no longer matches its signature.
    """
    keys = HistoricalKeys(connection)
    stored = (
        select(envelopes).where(envelopes.c.event == EventType.SIGNALS.value, which).order_by(envelopes.c.id)
    )
    with connection.execute(stored.execution_options(yield_per=_AT_ONCE)) as found:
        for row in found:
            try:
                signals = _signals_of(row, keys, hub)
            except InvalidInputError as error:
                raise InvalidInputError(
                    f"is not as it was received: {error}", field=f"envelope {row.id}"
                ) from error
            yield ReplayedEnvelope(row.id, row.partner, signals)


def _signals_of(row: Row[Any], keys: KeyFinder, hub: str) -> tuple[Signal, ...]:
    if not row.token:
        return codec.decode(row.disclosures, tuple[Signal, ...])
    return open_envelope(
        SdJwt.parse(row.token + row.disclosures), keys, audience=hub, now=from_micros(row.received_at)
    ).envelope.signals
