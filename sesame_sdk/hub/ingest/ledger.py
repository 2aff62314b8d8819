"""The ledger of envelopes: every message of a partner, and its outcome.

Rules:
    * rows are append-only, and `signals` is derived from them. Only an erasure changes rows: it deletes a
      person's disclosures, and the signature of the rest stays valid (see `rights.erasure`)
    * a ``jti`` is accepted once for each issuer (RFC 7519 section 4.1.7): the same token again gets the first
      receipt, byte for byte, and another token under it is rejected
    * a disclosure is stored if its signal is: without consent nothing is stored, not even the id
    * a row holds what the message was judged by, the time and the audience, so that it verifies again at any
      later time
    * each partner's rows are numbered without gaps, and chained by their digests; `ledger_heads` has the last
      number and digest. This shows what was lost or changed, not a change by somebody who computes the chain
      again: it has no secret
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen
from sqlalchemy import ColumnElement, Connection, Row, insert, select, true, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import envelopes, ledger_heads, partners
from sesame_sdk.hub.database.timestamps import from_micros, to_micros
from sesame_sdk.hub.partners.keys import HistoricalKeys
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Dropped, DropReason, Envelope, EventType, Receipt
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing.envelopes import Opened, open_envelope
from sesame_sdk.signing.jwt import Event, new_jti, verify_event
from sesame_sdk.signing.key_rotation import KeyRotation, verify_rotation
from sesame_sdk.signing.sd_jwt import SdJwt

#: What a stored message brings.
Payload = tuple[Signal, ...] | Manifest | KeyRotation
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
    corrected: int = 0


@frozen
class ProcessedMessage:
    """A message that is in the ledger: when it was received, and its outcome."""

    received_at: datetime
    outcome: IngestOutcome

    def make_receipt(self, jti: str, signals: Sequence[Signal] = ()) -> Receipt:
        """The receipt for the message of this id, which holds these signals."""
        outcome = self.outcome
        dropped = tuple(Dropped(signals[position].id, reason) for position, reason in outcome.dropped)
        counts = (outcome.accepted, outcome.duplicates)
        return Receipt(jti, self.received_at, *counts, dropped, outcome.corrected)


@frozen
class VerifiedMessage:
    """A message of a partner whose signature and claims were verified; `digest` is its `message_digest`.

    `verified_at` and `audience` are what it was judged by.
    """

    event: EventType
    issuer: str
    jti: str
    kid: str
    issued_at: datetime
    verified_at: datetime
    audience: str
    digest: bytes
    token: bytes
    payload: Opened | Manifest | KeyRotation


@frozen
class ReplayedEnvelope:
    """An envelope read back from the ledger, and verified again.

    Attributes:
        row: of the ledger.
        payload: the signals that were stored, or what else the message brought; no signals if it cannot be
            verified.
        fault: why it cannot be verified; empty if it can.
    """

    row: Row[Any] = field(repr=False)
    payload: Payload
    fault: str = ""

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Its signals; messages of other events have none."""
        return self.payload if isinstance(self.payload, tuple) else ()


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


def lock_head(connection: Connection, partner: int) -> None:
    """Wait until no other transaction adds rows of this partner, and make others wait until this one ends."""
    mine = ledger_heads.c.partner == partner
    connection.execute(select(ledger_heads.c.number).where(mine).with_for_update()).one()


def append_entries(connection: Connection, entries: Sequence[LedgerEntry]) -> None:
    """Add rows of one partner. Until the transaction ends, other rows of this partner wait."""
    mine = ledger_heads.c.partner == entries[0].partner
    head = connection.execute(select(ledger_heads).where(mine).with_for_update()).one()
    rows, chain = [], head.chain
    for number, entry in enumerate(entries, start=head.number + 1):
        row = {
            "id": entry.envelope_id,
            "partner": entry.partner,
            "number": number,
            "jti": entry.message.jti,
            "event": entry.message.event.value,
            "kid": entry.message.kid,
            "issued_at": to_micros(entry.message.issued_at),
            "verified_at": to_micros(entry.message.verified_at),
            "received_at": to_micros(entry.received_at),
            "audience": entry.message.audience,
            "digest": entry.message.digest,
            "token": entry.stored.token,
            "disclosures": entry.stored.disclosures,
            "duplicates": entry.outcome.duplicates,
            "outcome": codec.encode(entry.outcome),
        }
        chain = chain_digest(chain, row)
        rows.append({**row, "chain": chain})
    connection.execute(insert(envelopes), rows)
    last = {"number": rows[-1]["number"], "chain": chain}
    connection.execute(update(ledger_heads).where(mine).values(**last))


#: What no erasure changes. The digest covers the token.
_CHAINED = (
    *("id", "number", "event", "kid", "issued_at", "verified_at", "received_at", "audience"),
    *("digest", "duplicates", "outcome"),
)


def chain_digest(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """The digest of a row and, through `previous`, of all rows of its partner before it."""
    return hashlib.sha256(previous + codec.encode([row[name] for name in _CHAINED])).digest()


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
    connection: Connection, which: ColumnElement[bool] | None = None
) -> Iterator[ReplayedEnvelope]:
    """The stored messages among `which`, oldest first, each verified again as it was on arrival."""
    prover = _Prover(HistoricalKeys(connection), _issuers(connection))
    in_order = select(envelopes).where(true() if which is None else which).order_by(envelopes.c.id)
    with connection.execute(in_order.execution_options(yield_per=_BATCH_SIZE)) as rows:
        for row in rows:
            try:
                yield ReplayedEnvelope(row, prover.verify(row))
            except InvalidInputError as error:
                yield ReplayedEnvelope(row, (), str(error))


def verify_again(connection: Connection, row: Row[Any]) -> None:
    """Verify a row of `envelopes` as on arrival. Raises `InvalidInputError`: it does not verify."""
    _Prover(HistoricalKeys(connection), _issuers(connection)).verify(row)


def _issuers(connection: Connection) -> dict[int, str]:
    return {row.id: row.issuer for row in connection.execute(select(partners))}


@frozen
class _Prover:
    """Verifies rows again. `issuers` are those of the partners by id."""

    keys: HistoricalKeys
    issuers: Mapping[int, str]

    def verify(self, row: Row[Any]) -> Payload:
        """The payload of a row. `InvalidInputError`: it does not verify, or its columns differ from it."""
        if not (isinstance(row.token, bytes) and isinstance(row.disclosures, bytes)):
            raise InvalidInputError("must be bytes", field="token, disclosures")  # SQLite stores any type
        if not row.token:  # nothing is left, or what was sent in the clear lost a part
            return codec.decode(row.disclosures or b"[]", tuple[Signal, ...], field="disclosures")
        judged: Any = {"audience": row.audience, "now": from_micros(row.verified_at)}
        message = SdJwt.parse(row.token + row.disclosures)
        if row.event == EventType.SIGNALS.value:
            opened = open_envelope(message, self.keys, **judged)
            _check_columns(row, opened.envelope, opened.kid, self.issuers)
            return opened.envelope.signals
        token = message.single_token
        signed: Event[KeyRotation] | Event[Manifest]
        if row.event == EventType.KEY_ROTATION.value:
            signed = verify_rotation(token, self.keys, **judged)
        else:
            signed = verify_event(token, self.keys, event=EventType.REGISTRATION, payload=Manifest, **judged)
        _check_columns(row, signed, signed.kid, self.issuers)
        return signed.payload


def _check_columns(
    row: Row[Any],
    signed: Envelope | Event[Manifest] | Event[KeyRotation],
    kid: str,
    issuers: Mapping[int, str],
) -> None:
    expected = {
        "partner": (issuers.get(row.partner), signed.issuer),
        "jti": (row.jti, signed.jti),
        "kid": (row.kid, kid),
        "issued_at": (row.issued_at, to_micros(signed.issued_at)),
    }
    for name, (stored, of_token) in expected.items():
        if stored != of_token:
            raise InvalidInputError("differs from the signed token", field=name)
