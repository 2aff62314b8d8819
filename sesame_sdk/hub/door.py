"""The door for what partners say: verifies a token, and hands it to the room that it is meant for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from sesame_sdk.errors import Rejected
from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub import ledger, parties, policies, registrations
from sesame_sdk.hub.consents import Consents
from sesame_sdk.hub.ingest import Ingest
from sesame_sdk.hub.ledger import Arrival, Kept
from sesame_sdk.hub.settings import Settings
from sesame_sdk.hub.view import View
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.party import Manifest
from sesame_sdk.signing.envelopes import Opened, open_envelope
from sesame_sdk.signing.events import Event, event_type_of, sign_event, verify_event
from sesame_sdk.signing.tokens import KeyFinder

#: What is left to do in a transaction; gives the receipt.
Work = Callable[[Connection], bytes]


class Door:
    """Decides what a message is and what has to be done about it.

    Args:
        settings: of the hub.
        signer: signs receipts.
        view: the table of signals.
        consents: grants that stand.
        guard: judges registrations.
        clock: says what time it is, in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        view: View,
        consents: Consents,
        guard: Guard,
        clock: Callable[[], datetime],
    ) -> None:
        self._issuer = settings.issuer
        self._signer = signer
        self._guard = guard
        self._clock = clock
        self._ingest = Ingest(view, timedelta(seconds=settings.future_seconds), self._sign, consents)

    def knock(self, body: bytes, keys: KeyFinder) -> Work:
        """Verify a message. What it then takes to act on it is returned, to be done in a transaction.

        Raises:
            Rejected: with a code of RFC 8935 section 2.4.
        """
        now = self._clock()
        event = event_type_of(body)
        if event is EventType.SIGNALS:
            opened = open_envelope(body, keys, audience=self._issuer, now=now)
            return partial(self._take_signals, opened=opened)
        if event is EventType.REGISTRATION:
            told = verify_event(body, keys, event=event, payload=Manifest, audience=self._issuer, now=now)
            return partial(self._take_registration, told=told, token=body)
        raise Rejected(f"{event.value} is not for a hub", field="events")

    def _take_signals(self, connection: Connection, opened: Opened) -> bytes:
        envelope = opened.envelope
        arrival = Arrival(
            partner=parties.id_of(connection, envelope.issuer),
            issuer=envelope.issuer,
            event=EventType.SIGNALS,
            jti=envelope.jti,
            kid=opened.kid,
            issued_at=envelope.issued_at,
            received_at=self._clock(),
            token=opened.token,
            shown=opened.disclosures,
        )
        return self._ingest.take(connection, arrival, opened)

    def _take_registration(self, connection: Connection, told: Event[Manifest], token: bytes) -> bytes:
        arrival = Arrival(
            partner=parties.id_of(connection, told.issuer),
            issuer=told.issuer,
            event=EventType.REGISTRATION,
            jti=told.jti,
            kid=told.kid,
            issued_at=told.issued_at,
            received_at=self._clock(),
            token=token,
        )
        if receipt := ledger.receipt_of(connection, arrival):
            return receipt
        registrations.check(told.payload)
        registrations.check_newer(connection, arrival, told.payload)
        registrations.judge(told.payload, self._guard, policies.all_in_force(connection))
        registrations.check_meaning(connection, told.payload)
        number = ledger.next_number(connection)
        receipt = self._sign(Receipt(arrival.jti, arrival.received_at, accepted=0), arrival.issuer)
        ledger.append(connection, number, arrival, Kept(token), receipt)
        registrations.append(connection, number, arrival, told.payload)
        return receipt

    def _sign(self, receipt: Receipt, partner: str) -> bytes:
        return sign_event(
            EventType.RECEIPT,
            receipt,
            self._signer,
            issuer=self._issuer,
            audience=partner,
            now=receipt.received_at,
        )
