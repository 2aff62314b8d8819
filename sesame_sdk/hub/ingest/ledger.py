"""The ledger of envelopes: every message of a partner, and its outcome.

Rules:
    * rows are append-only, and `signals` is derived from them. Only an erasure changes rows: it deletes a
      person's disclosures, and the signature of the rest stays valid (see `rights.erasure`)
    * a ``jti`` is accepted once for each issuer (RFC 7519 section 4.1.7): the same token again gets the first
      receipt, byte for byte, and another token under it is rejected
    * a disclosure is stored if its signal is: without consent nothing is stored, not even the id
"""

import hashlib
import hmac
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import ColumnElement, Connection, Row, insert, select

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import duplicate_disclosures, envelopes
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.partners.keys import HistoricalKeys
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Dropped, DropReason, EventType, Receipt
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing.envelopes import Opened, open_envelope
from sesame_sdk.signing.jwt import KeyFinder, new_jti
from sesame_sdk.signing.key_rotation import KeyRotation
from sesame_sdk.signing.sd_jwt import SdJwt

#: Envelopes read back at a time, about 300 kB each.
_BATCH_SIZE = 16


@frozen
class IngestOutcome:
    """The outcome of an envelope, as the ledger stores it; of a registration, empty.

    A receipt names the signals that were dropped, and the ledger may not: people did not consent to them, and
    an erased person must not be traceable by the ids that a partner goes on sending. So only their positions
    are stored. A partner that wants the receipt again sends the message again, which brings the ids; and the
    signature is the same each time (Ed25519, RFC 8032), so the receipt is too. `jti` is the receipt's own.
    """

    accepted: int = 0
    duplicates: int = 0
    dropped: tuple[tuple[int, DropReason], ...] = ()
    jti: str = field(factory=new_jti)


@frozen
class ProcessedMessage:
    """A message that is in the ledger: when it was received, and its outcome."""

    received_at: datetime
    outcome: IngestOutcome

    def make_receipt(self, jti: str, signals: Sequence[Signal] = ()) -> Receipt:
        """The receipt for the message of this id, which holds these signals."""
        outcome = self.outcome
        dropped = tuple(Dropped(signals[position].id, reason) for position, reason in outcome.dropped)
        return Receipt(jti, self.received_at, outcome.accepted, outcome.duplicates, dropped)


@frozen
class VerifiedMessage:
    """A message of a partner whose signature and claims were verified; `digest` is its `message_digest`."""

    event: EventType
    issuer: str
    jti: str
    kid: str
    issued_at: datetime
    digest: bytes
    token: bytes
    payload: Opened | Manifest | KeyRotation


@frozen
class ReplayedEnvelope:
    """An envelope read back from the ledger, with the signals that were stored."""

    envelope_id: int
    partner: int
    signals: tuple[Signal, ...]


@frozen
class StoredEnvelope:
    """What of an envelope is stored.

    Attributes:
        token: the JWT; empty if it cannot be stored without the dropped signals.
        disclosures: what follows the token, ``~disclosure~...~``; without a token, the signals kept, as JSON.
    """

    token: bytes
    disclosures: bytes = b""


@frozen
class LedgerEntry:
    """A row to be added."""

    envelope_id: int
    partner: int
    message: VerifiedMessage
    received_at: datetime
    stored: StoredEnvelope
    outcome: IngestOutcome = field(factory=IngestOutcome)


def opened(message: VerifiedMessage) -> Opened:
    """The envelope that a message of signals carries."""
    assert isinstance(message.payload, Opened)  # noqa: S101 - its event type says so
    return message.payload


def message_digest(token: bytes, shown: Sequence[bytes] = ()) -> bytes:
    """Identifies a message by its token and the disclosures that came with it.

    Without the disclosures, a man in the middle could strip an envelope, and the complete one would later get
    the receipt of the stripped one.
    """
    return hashlib.sha256(b"~".join([token, *shown])).digest()


def find_processed(
    connection: Connection, partner: int, messages: Sequence[VerifiedMessage]
) -> dict[str, ProcessedMessage]:
    """Those of a partner's messages that are in the ledger already, by ``jti``.

    Raises:
        InvalidInputError: another message of this issuer had the same ``jti``.
    """
    digests = {message.jti: message.digest for message in messages}
    mine = (envelopes.c.partner == partner) & envelopes.c.jti.in_(digests)
    columns = (envelopes.c.jti, envelopes.c.digest, envelopes.c.received_at, envelopes.c.outcome)
    rows = connection.execute(select(*columns).where(mine)).all()
    if not all(hmac.compare_digest(row.digest, digests[row.jti]) for row in rows):
        hint = "give each token a jti of its own"
        raise InvalidInputError("was used for another message", field="jti", hint=hint)
    return {
        row.jti: ProcessedMessage(from_micros(row.received_at), codec.decode(row.outcome, IngestOutcome))
        for row in rows
    }


def append_entries(connection: Connection, entries: Sequence[LedgerEntry]) -> None:
    """Add rows."""
    rows = [
        {
            "id": entry.envelope_id,
            "partner": entry.partner,
            "jti": entry.message.jti,
            "event": entry.message.event.value,
            "kid": entry.message.kid,
            "issued_at": to_micros(entry.message.issued_at),
            "received_at": to_micros(entry.received_at),
            "digest": entry.message.digest,
            "token": entry.stored.token,
            "disclosures": entry.stored.disclosures,
            "duplicates": entry.outcome.duplicates,
            "outcome": codec.encode(entry.outcome),
        }
        for entry in entries
    ]
    connection.execute(insert(envelopes), rows)


def record_duplicates(connection: Connection, envelope_id: int, persons: Collection[int]) -> None:
    """Note the persons of whom an envelope keeps disclosures though their signals came with another one."""
    if persons:
        rows = [{"person": person, "envelope": envelope_id} for person in sorted(persons)]
        connection.execute(insert(duplicate_disclosures), rows)


def strip_dropped(opened: Opened, kept: Sequence[int]) -> StoredEnvelope:
    """What to store of an envelope when the signals at the places `kept` stay.

    Signals sent in the clear are part of the token. Where some of them must go the token goes too: the
    proof of the rest is given up for the sake of those who did not consent.
    """
    if opened.disclosures or opened.withheld:
        disclosures = b"~".join([b"", *(opened.disclosures[place] for place in kept), b""])
        return StoredEnvelope(opened.token, disclosures)
    if len(kept) == len(opened.envelope.signals):
        return StoredEnvelope(opened.token)
    return StoredEnvelope(b"", codec.encode([opened.envelope.signals[place] for place in kept]))


def replay_envelopes(
    connection: Connection, hub: str, which: ColumnElement[bool]
) -> Iterator[ReplayedEnvelope]:
    """The stored envelopes of signals among `which`, oldest first, verified again as they are read.

    Raises:
        InvalidInputError: a row no longer matches its signature.
    """
    keys = HistoricalKeys(connection)
    stored = select(envelopes).where(envelopes.c.event == EventType.SIGNALS.value, which)
    in_order = stored.order_by(envelopes.c.id).execution_options(yield_per=_BATCH_SIZE)
    with connection.execute(in_order) as rows:
        for row in rows:
            try:
                signals = _signals_of(row, keys, hub)
            except InvalidInputError as error:
                text = f"is not as it was received: {error}"
                raise InvalidInputError(text, field=f"envelope {row.id}") from error
            yield ReplayedEnvelope(row.id, row.partner, signals)


def _signals_of(row: Row[Any], keys: KeyFinder, hub: str) -> tuple[Signal, ...]:
    if not row.token:
        return codec.decode(row.disclosures, tuple[Signal, ...])
    message, now = SdJwt.parse(row.token + row.disclosures), from_micros(row.received_at)
    return open_envelope(message, keys, audience=hub, now=now).envelope.signals
