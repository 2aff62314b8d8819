"""Fetches a partner's notices: disputes of its signals, their decisions, erasures.

The hub returns them until they are acknowledged (RFC 8936): acknowledge a notice after acting on it, or after
recording it to act on.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from attrs import field, frozen

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_REQUEST_LIFETIME
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Closeable, Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import DisputeDecided, SignalDisputed, SubjectId, SubjectRemoved
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.signing.jwt import NOTICES_TYP, SET_TYP, KeyFinder, Token, new_jti, numeric_date, sign_claims

POLL_PATH = "/v1/notices/poll"
_PAYLOADS: Mapping[EventType, Any] = {
    EventType.SIGNAL_DISPUTED: SignalDisputed,
    EventType.DISPUTE_DECIDED: DisputeDecided,
    EventType.PERSON_ERASED: SubjectRemoved,
}


@frozen
class Notice:
    """A verified notice about one subject.

    Attributes:
        jti: its id, to acknowledge it.
        event: its type.
        subject: our own pseudonym of the person.
        issued_at: when it was issued; UTC.
        payload: the event's payload.
    """

    jti: str
    event: EventType
    subject: str = field(repr=False)
    issued_at: datetime
    payload: SignalDisputed | DisputeDecided | SubjectRemoved = field(repr=False)


@frozen
class _Claims:
    sub_id: SubjectId


class _PollResponse(msgspec.Struct, frozen=True):
    """The response to a poll (RFC 8936 section 2.3)."""

    sets: dict[str, str]


class Notices(Closeable):
    """Fetches a partner's notices. `Notices.from_config` creates one from its configuration.

    Args:
        issuer: the partner's issuer URL.
        hub: base URL of the hub.
        signer: the partner's key.
        keys: finds the hub's keys.
        transport: to the hub.
        clock: returns the time, in UTC.
    """

    def __init__(
        self,
        *,
        issuer: str,
        hub: str,
        signer: Signer,
        keys: KeyFinder,
        transport: Transport,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._issuer, self._hub = issuer, hub
        self._signer, self._keys = signer, keys
        self._transport, self._clock = transport, clock
        self._closers: list[Callable[[], None]] = []

    @classmethod
    def from_config(cls, config: PartnerConfig) -> Self:
        """Create it for a partner."""
        transport, pins = Transport(config.hub), Outbox(config.outbox)
        keys = PinnedKeys(config.hub, lambda: transport.get(JWKS_PATH).body, pins)
        notices = cls(
            issuer=config.issuer, hub=config.hub, signer=config.signer, keys=keys, transport=transport
        )
        notices._closers = [transport.close, pins.close]
        return notices

    def fetch(self) -> list[Notice]:
        """Fetch the oldest notices that are not acknowledged, at most a hundred.

        Raises:
            InvalidInputError: the hub rejected the request, or a notice is not valid.
            RetryableError, ConfigurationError: see `Transport.post`.
        """
        body = self._request({"returnImmediately": True})
        sets = codec.decode(body, _PollResponse, field="notices").sets
        return [self._read(jti, token.encode("ascii", "replace")) for jti, token in sets.items()]

    def acknowledge(self, notices: Iterable[Notice]) -> None:
        """Acknowledge notices. The hub returns them no more, and has met its duty to notify.

        Raises:
            InvalidInputError, RetryableError, ConfigurationError: see `Transport.post`.
        """
        if jtis := [notice.jti for notice in notices]:
            self._request({"maxEvents": 0, "returnImmediately": True, "ack": jtis})

    def close(self) -> None:
        """Close what `from_config` opened."""
        for close in self._closers:
            close()

    def _request(self, content: Mapping[str, object]) -> bytes:
        return self._transport.post(
            POLL_PATH,
            codec.encode(content),
            content_type=JSON_MEDIA_TYPE,
            accept=JSON_MEDIA_TYPE,
            bearer=self._bearer,
        ).body

    def _bearer(self) -> bytes:
        return sign_notices_token(self._signer, issuer=self._issuer, audience=self._hub, now=self._clock())

    def _read(self, jti: str, encoded: bytes) -> Notice:
        now = self._clock()
        token = Token.parse(encoded)
        verified = token.verify(self._keys, typ=SET_TYP, audience=self._issuer, now=now)
        if (verified.issuer, verified.jti) != (self._hub, jti):
            raise InvalidInputError(
                "differs from the id under which it was sent", field="notice", code="invalid_issuer"
            )
        event = token.event_type
        if event not in _PAYLOADS:
            raise InvalidInputError(f"{event.value} is not a notice", field="events")
        payload = codec.decode(token.event_payload(event), _PAYLOADS[event], field="events")
        subject = codec.decode(verified.claims, _Claims, field="token").sub_id.id
        return Notice(jti, event, subject, verified.issued_at, payload)


def sign_notices_token(signer: Signer, *, issuer: str, audience: str, now: datetime) -> bytes:
    """Sign a token that authorizes one request for notices within five minutes."""
    issued = numeric_date(now)
    ends = issued + int(MAX_REQUEST_LIFETIME.total_seconds())
    claims = {"iss": issuer, "aud": audience, "iat": issued, "exp": ends, "jti": new_jti()}
    return sign_claims(claims, signer, typ=NOTICES_TYP)
