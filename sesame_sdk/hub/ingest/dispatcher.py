"""The door for what partners say: verifies a token, and hands it to the room that it is meant for."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.writer import Task
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ingest import Ingest, Taken, Told
from sesame_sdk.hub.ingest.ledger import LedgerEntry, ReceivedMessage, StoredEnvelope
from sesame_sdk.hub.ingest.outcome import ProcessedMessage
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.partners import keys, registrations
from sesame_sdk.hub.partners.rate_limit import RateLimiter, charge
from sesame_sdk.hub.scoring import policies
from sesame_sdk.hub.settings import Settings
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.stream_events import SubjectId
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import KeyFinder
from sesame_sdk.signing.sd_jwt import SdJwt
from sesame_sdk.signing.security_events import Event, sign_event, verify_event


@frozen
class _Registration:
    told: Event[Manifest]
    token: bytes


class MessageDispatcher:
    """Decides what a message is and what has to be done about it.

    Args:
        settings: of the hub.
        signer: signs receipts.
        view: the table of signals.
        consents: grants that stand.
        guard: judges registrations.
        limits: how much partners may ask.
        clock: says what time it is, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        view: SignalView,
        consents: GrantCache,
        guard: Guard,
        limits: RateLimiter,
        clock: Callable[[], datetime],
    ) -> None:
        self._limits = limits
        self._issuer = settings.issuer
        self._signer = signer
        self._guard = guard
        self._clock = clock
        self._ingest = Ingest(view, timedelta(seconds=settings.max_clock_skew_seconds), self._sign, consents)

    def knock(self, body: bytes, keys: KeyFinder) -> Task[Any, bytes]:
        """Verify a message. What it then takes to act on it is returned, and gives the receipt.

        Envelopes under one key are kin: they are taken in together, as those of several would be, for
        less.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            Throttled: its sender was just told to wait.
        """
        now = self._clock()
        message = SdJwt.parse(body)
        event = message.token.event_type
        self._limits.check(message.token.issuer, now)
        if event is EventType.SIGNALS:
            opened = open_envelope(message, keys, audience=self._issuer, now=now)
            told = Told(opened, ledger.message_digest(opened.token, opened.disclosures))
            kin = (opened.envelope.issuer, opened.kid)
            return Task(self._take_signals, told, kin, LockScope.SHARED, Taken.settled)
        if event is EventType.REGISTRATION:
            said = verify_event(
                message.single_token, keys, event=event, payload=Manifest, audience=self._issuer, now=now
            )
            return Task(self._take_registrations, _Registration(said, body))
        raise InvalidInputError(f"{event.value} is not for a hub", field="events")

    def _take_signals(self, connection: Connection, told: Sequence[Told]) -> list[Taken | Exception]:
        issuer, now = told[0].opened.envelope.issuer, self._clock()
        partner = keys.partner_id(connection, issuer)
        costs = [max(1, one.opened.withheld + len(one.opened.envelope.signals)) for one in told]
        admission = self._limits.admit(connection, partner, issuer, costs, now)
        paid = admission.served
        taken: list[Taken | Exception] = []
        if paid:
            taken += self._ingest.take(connection, partner, told[:paid], now)
            charge(connection, partner, admission.limit, sum(costs[:paid]), now)
        if admission.refusal:
            taken += [admission.refusal] * (len(told) - paid)
        return taken

    def _take_registrations(self, connection: Connection, all_told: Sequence[_Registration]) -> list[bytes]:
        return [self._take_registration(connection, one.told, one.token) for one in all_told]

    def _take_registration(self, connection: Connection, told: Event[Manifest], token: bytes) -> bytes:
        arrival = ReceivedMessage(
            partner=keys.partner_id(connection, told.issuer),
            issuer=told.issuer,
            event=EventType.REGISTRATION,
            jti=told.jti,
            kid=told.kid,
            issued_at=told.issued_at,
            received_at=self._clock(),
            digest=ledger.message_digest(token),
        )
        self._limits.spend(connection, arrival.partner, arrival.issuer, 1, arrival.received_at)
        if known := ledger.find_outcomes(connection, [arrival]).get(arrival.jti):
            return self._receipt(known, arrival)
        registrations.check_manifest(told.payload)
        registrations.check_not_older(connection, arrival, told.payload)
        registrations.check_with_guard(told.payload, self._guard, policies.current_policies(connection))
        registrations.check_kind_meanings(connection, told.payload)
        (number,) = ledger.reserve_envelope_ids(connection, 1)
        entry = LedgerEntry(number, arrival, StoredEnvelope(token))
        ledger.append_entries(connection, [entry])
        registrations.insert_registration(connection, number, arrival, told.payload)
        subject_states.rescan_all(connection)
        return self._receipt(ProcessedMessage(arrival.received_at, entry.outcome), arrival)

    def _receipt(self, known: ProcessedMessage, to: ReceivedMessage) -> bytes:
        return self._sign(known.make_receipt(to.jti), to.issuer, known.outcome.jti)

    def _sign(self, receipt: Receipt, partner: str, jti: str) -> bytes:
        return sign_event(
            EventType.RECEIPT,
            receipt,
            self._signer,
            issuer=self._issuer,
            audience=partner,
            now=receipt.received_at,
            jti=jti,
        )

    def sign(self, event: EventType, payload: object, audience: str, about: SubjectId, jti: str) -> bytes:
        """A message of ours to a consumer, about a person or a stream (RFC 9493)."""
        return sign_event(
            event,
            payload,
            self._signer,
            issuer=self._issuer,
            audience=audience,
            now=self._clock(),
            jti=jti,
            sub_id=about,
        )
