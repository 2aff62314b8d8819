"""Signs and verifies Security Event Tokens (RFC 8417): JWTs that carry one event with one payload.

Unknown claims and members are ignored, as RFC 8417 section 2.2 requires; an unknown event is refused.
"""

import secrets
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import frozen

from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import jwt
from sesame_sdk.signing.jwt import KeyFinder, Token

T = TypeVar("T")

_JTI_BYTES = 18


@frozen
class Event(Generic[T]):
    """A verified event.

    Attributes:
        issuer: who signed it.
        kid: with which key.
        jti: the token's id.
        issued_at: time of ``iat``; UTC.
        payload: the event's content.
    """

    issuer: str
    kid: str
    jti: str
    issued_at: datetime
    payload: T


def new_jti() -> str:
    """Generate a unique token id (RFC 7519 section 4.1.7)."""
    return secrets.token_urlsafe(_JTI_BYTES)


def sign_event(
    event: EventType,
    payload: object,
    signer: Signer,
    *,
    issuer: str,
    audience: str,
    now: datetime,
    jti: str | None = None,
    **claims: Any,  # noqa: ANN401
) -> bytes:
    """Sign a Security Event Token, in compact form.

    Args:
        event: its type.
        payload: an object of the model, or anything else that msgspec encodes.
        signer: signs with the private key.
        issuer: our own URL.
        audience: URL of the receiver.
        now: when; UTC.
        jti: the token's id; a new one unless the same message is signed again.
        claims: further top-level claims, JSON-shaped.
    """
    standard = {"iss": issuer, "iat": jwt.numeric_date(now), "jti": jti or new_jti(), "aud": audience}
    return jwt.sign_claims({**claims, **standard, "events": {event.value: payload}}, signer, typ=jwt.SET_TYP)


def verify_event(
    token: Token, keys: KeyFinder, *, event: EventType, payload: type[T], audience: str, now: datetime
) -> Event[T]:
    """Verify a Security Event Token and decode its payload.

    Raises:
        InvalidInputError: see `Token.verify`; or it has another event, or an invalid payload.
    """
    verified = token.verify(keys, typ=jwt.SET_TYP, audience=audience, now=now)
    return Event(
        issuer=verified.issuer,
        kid=verified.kid,
        jti=verified.jti,
        issued_at=verified.issued_at,
        payload=codec.decode(token.event_payload(event), payload, field="events"),
    )
