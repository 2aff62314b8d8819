"""Put in force the next keys that partners announce: see `signing.key_rotation`."""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import envelopes
from sesame_sdk.hub.database.writer import Task
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ingest import IngestResult, SignalIngest
from sesame_sdk.hub.ingest.ledger import LedgerEntry, ProcessedMessage, StoredEnvelope, VerifiedMessage
from sesame_sdk.hub.partners import key_sets, keys
from sesame_sdk.hub.partners.rate_limit import RateLimiter
from sesame_sdk.signing.key_rotation import KeyRotation


@frozen
class KeyRotations:
    """Applies verified announcements. The same message again gets the same receipt, and changes nothing."""

    ingest: SignalIngest
    rate_limiter: RateLimiter
    clock: Callable[[], datetime]

    def task(self, message: VerifiedMessage) -> Task[VerifiedMessage, bytes]:
        """The writer's task that applies an announcement and returns its signed receipt."""
        return Task(self._apply, message, None, LockScope.EXCLUSIVE, IngestResult.on_commit)

    def _apply(
        self, connection: Connection, messages: Sequence[VerifiedMessage]
    ) -> list[IngestResult | Exception]:
        return [self._rotate_or_refuse(connection, message) for message in messages]

    def _rotate_or_refuse(
        self, connection: Connection, message: VerifiedMessage
    ) -> IngestResult | InvalidInputError:
        try:
            return self._rotate(connection, message)
        except InvalidInputError as error:  # before anything was changed; what it cost stays charged
            return error

    def _rotate(self, connection: Connection, message: VerifiedMessage) -> IngestResult:
        rotation, now = message.payload, self.clock()
        assert isinstance(rotation, KeyRotation)  # noqa: S101 - `MessageDispatcher.verify` decoded it as one
        partner = keys.partner_id(connection, message.issuer)
        self.rate_limiter.spend(connection, partner, message.issuer, 1, now)
        processed = ledger.find_processed(connection, partner, [message]).get(message.jti)
        if processed is None:
            key_sets.check_announces(connection, partner)
            keys.rotate_key(connection, partner, message.kid, rotation.jwk, now, rotation.overlap)
            (envelope_id,) = dialect_of(connection).reserve_ids(connection, envelopes.c.id, 1)
            entry = LedgerEntry(envelope_id, partner, message, now, StoredEnvelope(message.token))
            ledger.append_entries(connection, [entry])
            processed = ProcessedMessage(now, entry.outcome)
        receipt = processed.make_receipt(message.jti)
        return IngestResult(self.ingest.sign_receipt(receipt, message.issuer, processed.outcome.jti))
