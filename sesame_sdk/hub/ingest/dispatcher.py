"""Verify messages of partners, and store envelopes as far as the rate limit allows."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta

from sqlalchemy import Connection

from sesame_sdk.constants import MAX_MESSAGE_AGE, MAX_REGISTRATION_BYTES
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.writer import Task
from sesame_sdk.hub.ingest import ledger
from sesame_sdk.hub.ingest.ingest import IngestResult, SignalIngest
from sesame_sdk.hub.ingest.key_rotation import KeyRotations
from sesame_sdk.hub.ingest.ledger import VerifiedMessage
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.partners import keys, registrations
from sesame_sdk.hub.partners.keys import CurrentKeys
from sesame_sdk.hub.partners.rate_limit import RateLimiter, charge
from sesame_sdk.hub.settings import Settings
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.signing import jws
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import SET_TYP, Token, verify_event
from sesame_sdk.signing.key_rotation import verify_rotation
from sesame_sdk.signing.message_form import check_message
from sesame_sdk.signing.sd_jwt import SdJwt

Results = Sequence[IngestResult | Exception]


#: Of a stranger's token no more than so many bytes are decoded, to say what is wrong with it.
MAX_STRANGER_BYTES = 16_384


class MessageDispatcher:
    """Verifies messages of partners, and stores envelopes in the ledger; `Registrar` stores registrations."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        signals: SignalView,
        grants: GrantCache,
        rate_limiter: RateLimiter,
        clock: Callable[[], datetime],
    ) -> None:
        self._issuer = settings.issuer
        self._rate_limiter = rate_limiter
        self._clock = clock
        max_clock_skew = timedelta(seconds=settings.max_clock_skew_seconds)
        self.ingest = SignalIngest(settings.issuer, signer, signals, max_clock_skew, grants)
        self._rotations = KeyRotations(self.ingest, rate_limiter, clock)

    def verify(self, body: bytes, keys: CurrentKeys, rest: Callable[[], bytes] = bytes) -> VerifiedMessage:
        """Verify the signature and the claims of a message.

        Args:
            body: the message, or its token and a part of what follows.
            keys: of partners.
            rest: reads the rest of it, once the signature of its token was verified.

        Raises:
            InvalidInputError: with a code of RFC 8935 section 2.4.
            RateLimitedError: the sender was refused just now, and still has to wait.
        """
        now = self._clock()
        token, sender = self._verify_signature(body.partition(b"~")[0], keys, now)
        try:
            body += rest()
            return self._verify_content(token, body, keys, now)
        except InvalidInputError:
            # Another hub must not use up its partner's budget here.
            if not _is_for_another(token, self._issuer):
                self._rate_limiter.charge_refusal(sender, _cost(body), now)
            raise

    def _verify_content(self, token: Token, body: bytes, keys: CurrentKeys, now: datetime) -> VerifiedMessage:
        message, event = SdJwt.from_token(token, body), token.event_type
        if event is EventType.SIGNALS:
            opened = open_envelope(message, keys, audience=self._issuer, now=now)
            envelope, digest = opened.envelope, ledger.message_digest(opened.token, opened.disclosures)
            _check_age(envelope.issued_at, now)
            head = (envelope.issuer, envelope.jti, opened.kid, envelope.issued_at, now, self._issuer)
            return VerifiedMessage(event, *head, digest, opened.token, opened)
        if event is EventType.REGISTRATION:
            token = message.single_token
            if len(body) > MAX_REGISTRATION_BYTES:
                text = f"must be at most {MAX_REGISTRATION_BYTES} bytes, not {len(body)}"
                raise InvalidInputError(text, field="registration", hint="split the plugin")
            signed = verify_event(token, keys, event=event, payload=Manifest, audience=self._issuer, now=now)
            _check_age(signed.issued_at, now)
            check_message(token, signed.payload)
            registrations.check_manifest(signed.payload)
            head = (signed.issuer, signed.jti, signed.kid, signed.issued_at, now, self._issuer)
            return VerifiedMessage(event, *head, ledger.message_digest(body), body, signed.payload)
        if event is EventType.KEY_ROTATION:
            announcing = keys.with_ended()
            announced = verify_rotation(message.single_token, announcing, audience=self._issuer, now=now)
            _check_age(announced.issued_at, now)
            check_message(message.single_token, announced.payload)
            head = (announced.issuer, announced.jti, announced.kid, announced.issued_at, now, self._issuer)
            return VerifiedMessage(event, *head, ledger.message_digest(body), body, announced.payload)
        raise InvalidInputError(f"{event.value} is not for a hub", field="events")

    def _verify_signature(self, encoded: bytes, keys: CurrentKeys, now: datetime) -> tuple[Token, str]:
        """Verify a token's signature before anything but its header is decoded.

        Returns the token, and the issuer whose key it is; the key may have ended.
        """
        signed = jws.parse(encoded)
        if signed.typ != SET_TYP:
            raise InvalidInputError(f"must be {SET_TYP}", field="typ")
        owner = keys.find_key(signed.kid)
        if owner is None:
            if len(encoded) <= MAX_STRANGER_BYTES:
                keys.find(Token.from_jws(encoded, signed).issuer, signed.kid, now)  # raises what is unknown
            raise InvalidInputError("is not a key of a partner", field="kid", code="invalid_key")
        issuer, key = owner
        self._rate_limiter.check(issuer, now)
        signed.verify(key.jwk)
        return Token.from_jws(encoded, signed), issuer

    def task(self, message: VerifiedMessage) -> Task[VerifiedMessage, bytes]:
        """The writer's task that stores an envelope and returns its signed receipt.

        Envelopes that one key signed are stored together.
        """
        if message.event is EventType.KEY_ROTATION:
            return self._rotations.task(message)
        key = (message.issuer, message.kid)
        return Task(self.apply_signals, message, key, LockScope.SHARED, IngestResult.on_commit)

    def charge_refused(self, message: VerifiedMessage, done: Future[bytes]) -> None:
        """Charge the sender of an envelope that the writer refused: its transaction was undone."""
        if not done.cancelled() and isinstance(done.exception(), InvalidInputError):
            self._rate_limiter.charge_refusal(message.issuer, _cost_of(message), self._clock())

    def apply_signals(self, connection: Connection, messages: Sequence[VerifiedMessage]) -> Results:
        """Store the signals of envelopes that one key signed, as far as the rate limit allows."""
        issuer, now = messages[0].issuer, self._clock()
        partner = keys.partner_id(connection, issuer)
        costs = [_cost_of(message) for message in messages]
        admission = self._rate_limiter.admit(connection, partner, issuer, costs, now)
        served = admission.served
        results: list[IngestResult | Exception] = []
        if served:
            results += self.ingest.store(connection, partner, messages[:served], now)
            charge(connection, partner, admission.limit, sum(costs[:served]), now)
        if admission.refusal:
            results += [admission.refusal] * (len(messages) - served)
        return results


def _cost_of(message: VerifiedMessage) -> int:
    """One unit a signal."""
    opened = ledger.opened(message)
    return max(1, opened.withheld + len(opened.envelope.signals))


def _is_for_another(token: Token, hub: str) -> bool:
    try:
        return not token.is_for(hub)
    except InvalidInputError:  # it names no hub
        return False


def _cost(body: bytes) -> int:
    """One unit a disclosure."""
    return max(1, body.count(b"~") - 1)


def _check_age(issued_at: datetime, now: datetime) -> None:
    """Refuse a message that was signed long ago, such as one that was intercepted then."""
    if issued_at < now - MAX_MESSAGE_AGE:
        text = f"is more than {MAX_MESSAGE_AGE.days} days ago"
        raise InvalidInputError(text, field="iat", hint="sign the message again")
