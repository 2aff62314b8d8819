"""Fetches a partner's notices: disputes of its signals, their decisions, erasures.

The hub returns them until they are acknowledged (RFC 8936): acknowledge a notice after acting on it, or after
recording it to act on.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

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
from sesame_sdk.partner.hub_clock import blame_clock
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.signing.jwt import NOTICES_TYP, SET_TYP, Token, new_jti, numeric_date, sign_claims

POLL_PATH = "/v1/notices/poll"
_PAYLOADS: Mapping[EventType, Any] = {
    EventType.SIGNAL_DISPUTED: SignalDisputed,
    EventType.DISPUTE_DECIDED: DisputeDecided,
    EventType.PERSON_ERASED: SubjectRemoved,
}


@frozen
class Notice:
    """A verified notice about one subject, which is our own pseudonym."""

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
    """Fetches a partner's notices."""

    def __init__(self, config: PartnerConfig) -> None:
        self._issuer, self._hub, self._signer = config.issuer, config.hub, config.signer
        self._transport, self._pins = Transport(config.hub), Outbox(config.outbox)
        self._keys = PinnedKeys(config.hub, lambda: self._transport.get(JWKS_PATH).body, self._pins)

    def fetch(self) -> list[Notice]:
        """Fetch the oldest notices that are not acknowledged, at most a hundred.

        Raises:
            InvalidInputError: the hub rejected the request, or a notice is not valid.
            RetryableError, ConfigurationError: see `Transport.post`.
        """
        body = self._request({"returnImmediately": True})
        sets = codec.decode(body, _PollResponse, field="notices").sets
        self._keys.load()
        with self._blame_clock():
            return [self._read(jti, token.encode("ascii", "replace")) for jti, token in sets.items()]

    def acknowledge(self, notices: Iterable[Notice]) -> None:
        """Acknowledge notices. The hub returns them no more, and has met its duty to notify.

        Raises:
            InvalidInputError, RetryableError, ConfigurationError: see `Transport.post`.
        """
        if jtis := [notice.jti for notice in notices]:
            self._request({"maxEvents": 0, "returnImmediately": True, "ack": jtis})

    def close(self) -> None:
        """Close connections and the outbox."""
        self._transport.close()
        self._pins.close()

    def _request(self, content: Mapping[str, object]) -> bytes:
        with self._blame_clock():
            return self._transport.post(
                POLL_PATH,
                codec.encode(content),
                content_type=JSON_MEDIA_TYPE,
                accept=JSON_MEDIA_TYPE,
                bearer=self._bearer,
            ).body

    def _blame_clock(self) -> AbstractContextManager[None]:
        return blame_clock(self._transport, lambda: datetime.now(UTC))

    def _bearer(self) -> bytes:
        return sign_notices_token(
            self._signer, issuer=self._issuer, audience=self._hub, now=datetime.now(UTC)
        )

    def _read(self, jti: str, encoded: bytes) -> Notice:
        token = Token.parse(encoded)
        verified = token.verify(self._keys, typ=SET_TYP, audience=self._issuer, now=datetime.now(UTC))
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
