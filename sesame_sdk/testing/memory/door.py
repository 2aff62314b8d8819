"""The door for what partners say: verified, sorted, kept, and answered with a signed receipt.

A signal is kept when its kind is registered, its value is in the kind's range, it happened neither in the
future nor before 1970, and its person lets this partner send it. The first that fails is its reason.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attrs import frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import Dropped, DropReason, EventType, Receipt
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import MAX_VALUE, MIN_TIMESTAMP, Polarity, Signal
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.sd_jwt import SdJwt
from sesame_sdk.signing.security_events import sign_event, verify_event
from sesame_sdk.testing.memory.consents import Consents
from sesame_sdk.testing.memory.kept import Arrival, Kept, Telling
from sesame_sdk.testing.memory.parties import Parties
from sesame_sdk.testing.memory.registered import Registered

#: How far ahead of our clock a signal may have happened.
FUTURE = timedelta(minutes=5)


@frozen
class Door:
    """Stands before what the hub keeps."""

    issuer: str
    _signer: Signer
    _clock: Callable[[], datetime]
    _guard: Guard
    _parties: Parties
    _registered: Registered
    _consents: Consents
    _kept: Kept
    _policies: Mapping[str, Policy]

    def receive(self, body: bytes) -> bytes:
        """See `MemoryHub.receive`."""
        message = SdJwt.parse(body)
        event = message.token.event_type
        if event is EventType.SIGNALS:
            return self._take_signals(message, self._clock())
        if event is EventType.REGISTRATION:
            return self._take_registration(message, self._clock())
        raise InvalidInputError(f"{event.value} is not for a hub", field="events")

    def _take_signals(self, body: SdJwt, now: datetime) -> bytes:
        opened = open_envelope(body, self._parties, audience=self.issuer, now=now)
        said = opened.envelope
        digest = Arrival.digest_of(opened.token, opened.disclosures)
        arrival = Arrival(said.issuer, said.jti, opened.kid, said.issued_at, now, digest)
        if receipt := self._kept.receipt_of(arrival):
            return receipt
        sorted_out = [(signal, self._reason_to_drop(signal, arrival)) for signal in said.signals]
        dropped = tuple(Dropped(signal.id, reason) for signal, reason in sorted_out if reason)
        new = [self._keep(signal, arrival) for signal, reason in sorted_out if not reason]
        return self._answer(arrival, Receipt(said.jti, now, sum(new), new.count(False), dropped))

    def _take_registration(self, body: SdJwt, now: datetime) -> bytes:
        told = verify_event(
            body.single_token,
            self._parties,
            event=EventType.REGISTRATION,
            payload=Manifest,
            audience=self.issuer,
            now=now,
        )
        arrival = Arrival(
            told.issuer, told.jti, told.kid, told.issued_at, now, Arrival.digest_of(body.token.encoded)
        )
        if receipt := self._kept.receipt_of(arrival):
            return receipt
        in_force = [self._policies[context] for context in sorted(self._policies)]
        self._registered.add(arrival, told.payload, self._guard, in_force)
        return self._answer(arrival, Receipt(told.jti, now, accepted=0))

    def _reason_to_drop(self, signal: Signal, arrival: Arrival) -> DropReason | None:
        kind = self._registered.kinds(arrival.issuer).get(signal.kind)
        if kind is None:
            return DropReason.KIND_NOT_REGISTERED
        if signal.value < 0 and kind.polarity is not Polarity.BOTH:
            return DropReason.VALUE_AGAINST_POLARITY
        if abs(signal.value) > MAX_VALUE:
            return DropReason.VALUE_OUT_OF_RANGE
        if signal.occurred_at > arrival.received_at + FUTURE:
            return DropReason.IN_THE_FUTURE
        if signal.occurred_at < MIN_TIMESTAMP:
            return DropReason.TOO_LONG_AGO
        allowed = self._consents.sendable(arrival.issuer, signal.subject, arrival.received_at)
        return None if signal.kind in allowed else DropReason.NO_GRANT

    def _keep(self, signal: Signal, arrival: Arrival) -> bool:
        person = self._consents.owner(arrival.issuer, signal.subject) or ""
        return self._kept.keep(Telling(person, signal, arrival))

    def _answer(self, arrival: Arrival, receipt: Receipt) -> bytes:
        token = sign_event(
            EventType.RECEIPT,
            receipt,
            self._signer,
            issuer=self.issuer,
            audience=arrival.issuer,
            now=receipt.received_at,
        )
        return self._kept.answer(arrival, token)
