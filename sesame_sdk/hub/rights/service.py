"""The facade of people's rights at one hub: `Hub.rights`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO

import msgspec
from attrs import frozen
from sqlalchemy import Connection, Engine, Row

from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.partners.rate_limit import RateLimiter
from sesame_sdk.hub.rights import correction, dispute_store, erasure, notices
from sesame_sdk.hub.rights.dispute_model import Dispute, DisputeAction, DisputeStep
from sesame_sdk.hub.rights.erasure import ErasureResult
from sesame_sdk.hub.rights.export import Exporter
from sesame_sdk.hub.rights.notices import PendingNotices
from sesame_sdk.hub.rights.withdrawal_log import WithdrawalLog
from sesame_sdk.hub.scoring import read_auth
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import SubjectId
from sesame_sdk.signing.jwt import KeyFinder, sign_event

#: Bounds one poll.
MAX_POLLED_NOTICES = 100


@frozen
class PolledNotices:
    """Notices for a partner, by ``jti``, and whether there are more."""

    sets: dict[str, str]
    more: bool


@frozen(repr=False)
class RightsService:
    """Handles people's requests, which the operator enters, and notifies partners of them.

    Every method that changes something returns when the change is on disk. `keys` finds those of partners;
    `today` is the day that scores are computed for.
    """

    issuer: str
    signer: Signer
    engine: Engine
    writer: Writer
    read_writer: Writer
    rate_limiter: RateLimiter
    withdrawal_log: WithdrawalLog
    keys: KeyFinder
    clock: Callable[[], datetime]
    today: Callable[[], date]

    # Disputes. An unknown number raises `InvalidInputError`, as does a step that the state does not allow.

    def open_dispute(self, person: str, partner: str, signal: str, reason: str) -> Dispute:
        """Open a dispute, which excludes the signal from scores. See `dispute_store.open_dispute`."""
        at = self.clock()
        return self.writer.run(lambda c: dispute_store.open_dispute(c, person, partner, signal, reason, at))

    def decide(self, number: int, *, upheld: bool, by: str, reason: str) -> Dispute:
        """Decide a dispute as a role, never a name: the signal is excluded for good, or included again."""
        return self._step(number, DisputeAction.UPHELD if upheld else DisputeAction.REJECTED, by, reason)

    def extend(self, number: int, *, by: str, reason: str) -> Dispute:
        """Extend the time to decide, once."""
        return self._step(number, DisputeAction.EXTENDED, by, reason)

    def request_review(self, number: int, words: str = "") -> Dispute:
        """Request the review of a decision, during which the signal is excluded from scores."""
        return self._step(number, DisputeAction.REVIEW_REQUESTED, "person", words)

    def record_review(self, number: int, *, overturned: bool, by: str, reason: str) -> Dispute:
        """Record the result of a review by a role that may overturn, and is not the one that decided."""
        action = DisputeAction.OVERTURNED if overturned else DisputeAction.CONFIRMED
        return self._step(number, action, by, reason)

    def record_person_informed(self, number: int, *, by: str) -> Dispute:
        """Record that the person was informed of the latest result."""
        return self._step(number, DisputeAction.RESULT_TO_PERSON, by, "")

    def set_statement(self, number: int, words: str) -> None:
        """Set the person's own statement on a disputed signal; see `dispute_store.set_statement`."""
        self.writer.run(lambda connection: dispute_store.set_statement(connection, number, words))

    def list_disputes(self, person: str | None = None) -> list[Dispute]:
        """All disputes, or one person's, oldest first."""
        with read_transaction(self.engine) as connection:
            return dispute_store.list_disputes(connection, person)

    def get_dispute(self, number: int) -> Dispute:
        """The dispute of a number."""
        with read_transaction(self.engine) as connection:
            return dispute_store.get_dispute(connection, number)

    # Access and erasure. An unknown person raises `InvalidInputError`.

    def export(self, person: str, out: BinaryIO) -> None:
        """Write all data of a person as JSON; see `export_schema`."""
        with read_transaction(self.engine) as connection:
            exporter = Exporter(connection, self.issuer, self.today(), self.clock())
            out.writelines(exporter.chunks(person))

    def erase(self, person: str) -> ErasureResult:
        """Erase a person in one transaction; see `erasure`. `vacuum` afterwards."""
        at = self.clock()
        self.withdrawal_log.record_erasure(person)
        return self.writer.run(lambda connection: erasure.erase(connection, person, at))

    def correct_pseudonym(self, person: str, partner: str, subject: str) -> ErasureResult:
        """Replace a person's wrong pseudonym at a partner; see `correction`, and its errors. `vacuum` then.

        A restored backup has the wrong one again: there, the grants under it end.
        """
        at = self.clock()
        with read_transaction(self.engine) as connection:
            correction.find_wrong(connection, person, partner, subject)
        self.withdrawal_log.record_withdrawal(person, partner, None)
        return self.writer.run(lambda c: correction.correct_pseudonym(c, person, partner, subject, at))

    def vacuum(self) -> None:
        """Remove deleted data from the database files; see `erasure.vacuum`, and its errors."""
        erasure.vacuum(self.engine)

    # Notices to partners.

    def poll(self, token: bytes, request: PollRequest) -> PolledNotices:
        """Deliver notices to a partner (RFC 8936). Acknowledged ones are delivered.

        Rejected ones stay pending: the duty to notify does not end because a partner cannot read a notice.

        Raises:
            InvalidInputError: the token was rejected, or was used before.
            RateLimitedError: the partner exceeds its rate limit.
        """
        authenticate = read_auth.authenticate_notice_request
        authorization = authenticate(token, self.keys, audience=self.issuer, now=self.clock())
        with self.rate_limiter.charging_refusals(authorization.issuer, authorization.at):
            with read_transaction(self.engine) as connection:
                partner = keys.partner_id(connection, authorization.issuer)
                acknowledges = notices.any_pending(connection, partner, request.ack)

            def work(connection: Connection) -> PolledNotices:
                self.rate_limiter.spend(connection, partner, authorization.issuer, 1, authorization.at)
                read_auth.consume_token(connection, authorization, partner)
                if acknowledges:
                    self._acknowledge(connection, partner, request.ack)
                limit = min(request.maxEvents, MAX_POLLED_NOTICES)
                rows = notices.fetch(connection, partner, limit + 1)
                sets = {row.jti: self._sign(row).decode() for row in rows[:limit]}
                return PolledNotices(sets, len(rows) > limit)

            # Only an acknowledgement changes what other transactions read.
            if acknowledges:
                return self.writer.run(work)
            return self.read_writer.run(work, LockScope.SHARED)

    def export_notices(self, partner: str, *, mark_delivered: bool) -> list[bytes]:
        """The pending notices to a partner, for the operator to deliver in another way."""

        def work(connection: Connection) -> list[bytes]:
            partner_id = keys.partner_id(connection, partner)
            rows = notices.fetch(connection, partner_id, MAX_POLLED_NOTICES)
            if mark_delivered:
                self._acknowledge(connection, partner_id, [row.jti for row in rows])
            return [self._sign(row) for row in rows]

        return self.writer.run(work)

    def pending_notices(self) -> list[PendingNotices]:
        """Undelivered notices with their deadlines."""
        with read_transaction(self.engine) as connection:
            return notices.list_pending(connection)

    def _step(self, number: int, action: DisputeAction, actor: str, comment: str) -> Dispute:
        step = DisputeStep(action, self.clock(), actor, comment.strip())
        return self.writer.run(lambda connection: dispute_store.add_step(connection, number, step))

    def _acknowledge(self, connection: Connection, partner: int, jtis: Sequence[str]) -> None:
        at = self.clock()
        for number, event in notices.acknowledge(connection, partner, jtis, at):
            dispute_store.record_delivery(connection, number, event, at)

    def _sign(self, row: Row[Any]) -> bytes:
        """The token of a notice: the same bytes every time, while the hub's key is the same."""
        return sign_event(
            EventType(row.event),
            msgspec.Raw(row.payload),
            self.signer,
            issuer=self.issuer,
            audience=row.issuer,
            now=from_micros(row.created_at),
            jti=row.jti,
            sub_id=SubjectId(row.subject),
        )
