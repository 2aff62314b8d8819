"""Verify messages of partners, and apply each by the handler of its event type."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sesame_sdk.constants import MAX_MESSAGE_AGE
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.tables import envelopes
from sesame_sdk.hub.database.writer import Task
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ingest import IngestResult, SignalIngest
from sesame_sdk.hub.ingest.key_rotation import KeyRotations
from sesame_sdk.hub.ingest.ledger import LedgerEntry, ProcessedMessage, StoredEnvelope, VerifiedMessage
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.partners import keys, registrations
from sesame_sdk.hub.partners.keys import CurrentKeys
from sesame_sdk.hub.partners.rate_limit import RateLimiter, charge
from sesame_sdk.hub.scoring import policies
from sesame_sdk.hub.settings import Settings
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import verify_event
from sesame_sdk.signing.key_rotation import verify_rotation
from sesame_sdk.signing.sd_jwt import SdJwt

Results = Sequence[IngestResult | Exception]


class MessageDispatcher:
    """Verifies messages of partners, and applies them to the ledger."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        signals: SignalView,
        grants: GrantCache,
        guard: Guard,
        rate_limiter: RateLimiter,
        clock: Callable[[], datetime],
    ) -> None:
        self._issuer = settings.issuer
        self._guard = guard
        self._rate_limiter = rate_limiter
        self._clock = clock
        max_clock_skew = timedelta(seconds=settings.max_clock_skew_seconds)
        self._ingest = SignalIngest(settings.issuer, signer, signals, max_clock_skew, grants)
        self._rotations = KeyRotations(self._ingest, rate_limiter, clock)

    def verify(self, body: bytes, keys: CurrentKeys) -> VerifiedMessage:
        """Verify the signature and the claims of a message.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            RateLimitedError: the sender was refused just now, and still has to wait.
        """
        now = self._clock()
        message = SdJwt.parse(body)
        event = message.token.event_type
        self._rate_limiter.check(message.token.issuer, now)
        if event is EventType.SIGNALS:
            opened = open_envelope(message, keys, audience=self._issuer, now=now)
            envelope, digest = opened.envelope, ledger.message_digest(opened.token, opened.disclosures)
            _check_age(envelope.issued_at, now)
            head = (envelope.issuer, envelope.jti, opened.kid, envelope.issued_at)
            return VerifiedMessage(event, *head, digest, opened.token, opened)
        if event is EventType.REGISTRATION:
            token = message.single_token
            signed = verify_event(token, keys, event=event, payload=Manifest, audience=self._issuer, now=now)
            _check_age(signed.issued_at, now)
            head = (signed.issuer, signed.jti, signed.kid, signed.issued_at)
            return VerifiedMessage(event, *head, ledger.message_digest(body), body, signed.payload)
        if event is EventType.KEY_ROTATION:
            announcing = keys.with_ended()
            announced = verify_rotation(message.single_token, announcing, audience=self._issuer, now=now)
            head = (announced.issuer, announced.jti, announced.kid, announced.issued_at)
            return VerifiedMessage(event, *head, ledger.message_digest(body), body, announced.payload)
        raise InvalidInputError(f"{event.value} is not for a hub", field="events")

    def task(self, message: VerifiedMessage) -> Task[VerifiedMessage, bytes]:
        """The writer's task that applies a message and returns its signed receipt.

        Envelopes that one key signed are applied together.
        """
        if message.event is EventType.KEY_ROTATION:
            return self._rotations.task(message)
        if message.event is EventType.SIGNALS:
            key = (message.issuer, message.kid)
            return Task(self.apply_signals, message, key, LockScope.SHARED, IngestResult.on_commit)
        return Task(self.apply_registrations, message, None, LockScope.EXCLUSIVE, IngestResult.on_commit)

    def apply_signals(self, connection: Connection, messages: Sequence[VerifiedMessage]) -> Results:
        """Store the signals of envelopes that one key signed, as far as the rate limit allows."""
        issuer, now = messages[0].issuer, self._clock()
        partner = keys.partner_id(connection, issuer)
        payloads = map(ledger.opened, messages)
        costs = [max(1, opened.withheld + len(opened.envelope.signals)) for opened in payloads]
        admission = self._rate_limiter.admit(connection, partner, issuer, costs, now)
        served = admission.served
        results: list[IngestResult | Exception] = []
        if served:
            results += self._ingest.store(connection, partner, messages[:served], now)
            charge(connection, partner, admission.limit, sum(costs[:served]), now)
        if admission.refusal:
            results += [admission.refusal] * (len(messages) - served)
        return results

    def apply_registrations(self, connection: Connection, messages: Sequence[VerifiedMessage]) -> Results:
        """Put registrations in force."""
        return [self._register(connection, message) for message in messages]

    def _register(self, connection: Connection, message: VerifiedMessage) -> IngestResult:
        manifest, now = message.payload, self._clock()
        assert isinstance(manifest, Manifest)  # noqa: S101 - `verify` decoded it as one
        partner = keys.partner_id(connection, message.issuer)
        self._rate_limiter.spend(connection, partner, message.issuer, 1, now)
        processed = ledger.find_processed(connection, partner, [message]).get(message.jti)
        if processed is None:
            registrations.check_manifest(manifest)
            registrations.check_not_older(connection, partner, message.issued_at, manifest)
            registrations.check_with_guard(manifest, self._guard, policies.current_policies(connection))
            registrations.check_kind_meanings(connection, manifest)
            (envelope_id,) = dialect_of(connection).reserve_ids(connection, envelopes.c.id, 1)
            entry = LedgerEntry(envelope_id, partner, message, now, StoredEnvelope(message.token))
            ledger.append_entries(connection, [entry])
            registrations.insert_registration(connection, envelope_id, partner, message.issued_at, manifest)
            subject_states.rescan_all(connection)
            processed = ProcessedMessage(now, entry.outcome)
        receipt = processed.make_receipt(message.jti)
        return IngestResult(self._ingest.sign_receipt(receipt, message.issuer, processed.outcome.jti))


def _check_age(issued_at: datetime, now: datetime) -> None:
    """Refuse a message that was signed long ago, such as one that was intercepted then."""
    if issued_at < now - MAX_MESSAGE_AGE:
        text = f"is more than {MAX_MESSAGE_AGE.days} days ago"
        raise InvalidInputError(text, field="iat", hint="sign the message again")
