"""Checks registrations outside the writer, and charges the partner for the time that this takes.

The guard reads every word of a manifest, which takes milliseconds a kind. So
    * a thread checks one registration at a time, and nobody waits for it but its sender
    * a partner has one registration in progress; another one is refused with 429
    * a registration has at most `MAX_REGISTRATION_BYTES`, and the guard at most `MAX_CHECK_SECONDS` for it
    * it costs one unit for each of its declarations, and what the partner may send in `TIME_FACTOR` times the
      time that the guard took, whether it is accepted or refused
    * the writer compares with what other partners registered, and stores it. If a policy changed since the
      guard read it, the partner sends the registration again
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Lock
from time import thread_time

from attrs import frozen
from sqlalchemy import Connection, Engine

from sesame_sdk.errors import InvalidInputError, RateLimitedError, RetryableError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import dialect_of, read_transaction
from sesame_sdk.hub.database.tables import envelopes, streams
from sesame_sdk.hub.database.writer import Task, Writer
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ingest import IngestResult, SignalIngest
from sesame_sdk.hub.ingest.ledger import LedgerEntry, ProcessedMessage, StoredEnvelope, VerifiedMessage
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.partners import keys, proposals, registrations
from sesame_sdk.hub.partners.rate_limit import RateLimiter, charge
from sesame_sdk.hub.scoring import policies
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.finding import Action
from sesame_sdk.model.manifest import Manifest

#: Seconds of processor time that the guard may take for one registration.
MAX_CHECK_SECONDS = 10.0
#: A partner that only registers keeps the guard busy for a tenth of the time.
TIME_FACTOR = 10
_REMEMBERED = 64


@frozen
class CheckedRegistration:
    """A registration that the guard accepted beside these policies, by digest, and its cost in units."""

    message: VerifiedMessage
    manifest: Manifest
    policies: tuple[str, ...]
    cost: int


class Registrar:
    """Checks registrations in a thread of its own, and stores them."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        ingest: SignalIngest,
        guard: Guard,
        rate_limiter: RateLimiter,
        clock: Callable[[], datetime],
    ) -> None:
        self._engine, self._writer, self._ingest = engine, writer, ingest
        self._guard, self._rate_limiter, self._clock = guard, rate_limiter, clock
        self._thread = ThreadPoolExecutor(1, "sesame-hub-registrar")
        self._lock = Lock()
        self._in_progress: set[str] = set()
        #: Manifests that the guard accepted lately, with the policies then: one that registers at each start
        #: is checked once.
        self._accepted: OrderedDict[tuple[str, tuple[str, ...]], None] = OrderedDict()

    def submit(self, message: VerifiedMessage) -> Future[bytes]:
        """Check and store a registration; the future of its signed receipt.

        Raises:
            RateLimitedError: another registration of this partner is in progress.
            ConfigurationError: this is a child of the process that opened the hub.
        """
        self._writer.check_process()
        with self._lock:
            if message.issuer in self._in_progress:
                text = "another registration of this partner is in progress"
                raise RateLimitedError(text, hint="register one plugin at a time", retry_after=1)
            self._in_progress.add(message.issuer)
        future = self._thread.submit(self._register, message)
        future.add_done_callback(lambda _: self._finish(message.issuer))
        return future

    def close(self) -> None:
        """Finish the registration in progress."""
        self._thread.shutdown(cancel_futures=True)

    def _finish(self, issuer: str) -> None:
        with self._lock:
            self._in_progress.discard(issuer)

    def _register(self, message: VerifiedMessage) -> bytes:
        started, manifest = thread_time(), message.payload
        assert isinstance(manifest, Manifest)  # noqa: S101 - `verify` decoded it as one

        def cost() -> int:
            seconds = (thread_time() - started) * TIME_FACTOR
            declarations = len(manifest.kinds) + len(manifest.consumers)
            return max(1, declarations) + int(seconds * self._rate_limiter.limit(message.issuer).rate)

        try:
            digests = self._check(message, manifest)
            checked = CheckedRegistration(message, manifest, digests, cost())
            task = Task(self._store, checked, None, LockScope.EXCLUSIVE, IngestResult.on_commit)
            return self._writer.submit(task).result()
        except InvalidInputError:
            self._rate_limiter.charge_refusal(message.issuer, cost(), self._clock())
            raise

    def _check(self, message: VerifiedMessage, manifest: Manifest) -> tuple[str, ...]:
        """Check a registration with the guard; the digests of the current policies."""
        with read_transaction(self._engine) as connection:
            partner = keys.partner_id(connection, message.issuer)
            self._rate_limiter.check_budget(connection, partner, message.issuer, self._clock())
            if ledger.find_processed(connection, partner, [message]):
                return ()
            current = policies.current_policies(connection)
            guard = self._guard.with_approved(proposals.approved_digests(connection))
        digests = tuple(policy.digest for policy in current)
        if (manifest.digest, digests) not in self._accepted:
            findings = registrations.check_with_guard(manifest, guard, current, MAX_CHECK_SECONDS)
            if rules := sorted({one.rule for one in findings if one.action is Action.REVIEW}):
                log.warning("review_needed", partner=partner, rules=tuple(rules))
            self._accepted[manifest.digest, digests] = None
            if len(self._accepted) > _REMEMBERED:
                self._accepted.popitem(last=False)
        return digests

    def _store(
        self, connection: Connection, checked: Sequence[CheckedRegistration]
    ) -> list[IngestResult | Exception]:
        return [self._store_one(connection, one) for one in checked]

    def _store_one(self, connection: Connection, checked: CheckedRegistration) -> IngestResult | Exception:
        message, manifest, now = checked.message, checked.manifest, self._clock()
        partner = keys.partner_id(connection, message.issuer)
        charge(connection, partner, self._rate_limiter.limit_of(connection, partner), checked.cost, now)
        processed = ledger.find_processed(connection, partner, [message]).get(message.jti)
        if processed is None:
            registrations.check_not_older(connection, partner, message.issued_at, manifest)
            registrations.check_plugin_count(connection, partner, manifest.name)
            registrations.check_kind_meanings(connection, manifest)
            if tuple(policy.digest for policy in policies.current_policies(connection)) != checked.policies:
                return RetryableError("a policy changed while this was checked", retry_after=1)
            (envelope_id,) = dialect_of(connection).reserve_ids(connection, envelopes.c.id, 1)
            entry = LedgerEntry(envelope_id, partner, message, now, StoredEnvelope(message.token))
            ledger.append_entries(connection, [entry])
            change = registrations.compare_with_current(connection, partner, manifest)
            registrations.insert_registration(connection, envelope_id, partner, message.issued_at, manifest)
            if change.kinds:
                subject_states.rescan(connection)
            elif change.consumers:
                subject_states.rescan(connection, streams.c.partner == partner)
            processed = ProcessedMessage(now, entry.outcome)
        receipt = processed.make_receipt(message.jti)
        return IngestResult(self._ingest.sign_receipt(receipt, message.issuer, processed.outcome.jti))
