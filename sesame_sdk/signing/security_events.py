"""Security Event Tokens (RFC 8417): a signed JWT that carries one event with one payload.

Foreign claims and foreign fields are left alone, as RFC 8417 section 2.2 asks; a foreign event is
refused by name, because nobody here would act on it.
"""

import secrets
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import jws, jwt
from sesame_sdk.signing.jwt import KeyFinder

T = TypeVar("T")

_JTI_BYTES = 18
_LONGEST_NAME = 100


@frozen
class Event(Generic[T]):
    """A verified event.

    Attributes:
        issuer: who says so.
        kid: signed with which key.
        jti: the token's id.
        issued_at: when it says that it was signed; UTC.
        payload: what was said.
    """

    issuer: str
    kid: str
    jti: str
    issued_at: datetime
    payload: T


@frozen
class _Claims:
    events: dict[str, msgspec.Raw] = field(repr=False)


def new_jti() -> str:
    """A token id that nobody has used (RFC 7519 section 4.1.7)."""
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
    """A Security Event Token in compact form.

    Args:
        event: what kind of thing is said.
        payload: a noun of the model, or anything else that msgspec encodes.
        signer: where the private key lives.
        issuer: who we are.
        audience: whom it is for.
        now: when; UTC.
        jti: the token's id; a new one unless the same message is signed again.
        claims: further top-level claims, JSON-shaped.
    """
    standard = {"iss": issuer, "iat": jwt.seconds(now), "jti": jti or new_jti(), "aud": audience}
    return jwt.sign_claims({**claims, **standard, "events": {event.value: payload}}, signer, typ=jwt.SET_TYP)


def verify_event(
    token: bytes, keys: KeyFinder, *, event: EventType, payload: type[T], audience: str, now: datetime
) -> Event[T]:
    """Believe a Security Event Token and read its payload.

    Raises:
        InvalidInputError: see `tokens.verify_claims`; or it says something else, or says it badly.
    """
    verified = jwt.verify_claims(token, keys, typ=jwt.SET_TYP, audience=audience, now=now)
    return Event(
        issuer=verified.issuer,
        kid=verified.kid,
        jti=verified.jti,
        issued_at=verified.issued_at,
        payload=codec.decode(raw_payload(verified.claims, event), payload, field="events"),
    )


def raw_payload(claims: bytes, event: EventType) -> msgspec.Raw:
    """The JSON under `event`, which must be the only event.

    Raises:
        InvalidInputError: it is not.
    """
    kind, payload = _only_event(claims)
    if kind is not event:
        raise InvalidInputError(f"must be {event.value}, not {kind.value}", field="events")
    return payload


def event_type_of(token: bytes) -> EventType:
    """What a token, or an envelope, says that it is. Not verified: good for choosing who verifies it.

    Raises:
        InvalidInputError: it is no token, or not of an event that we know.
    """
    return _only_event(_claims_of(token))[0]


def issuer_of(token: bytes) -> str:
    """Who is said to have signed a token, or an envelope. Not verified: good for turning away, and no more.

    Raises:
        InvalidInputError: it is no token, or does not say.
    """
    return jwt.issuer_of(_claims_of(token))


def _claims_of(message: bytes) -> bytes:
    return jws.payload_of(message.partition(b"~")[0])


def _only_event(claims: bytes) -> tuple[EventType, msgspec.Raw]:
    events = codec.decode(claims, _Claims, field="events").events
    if len(events) != 1:
        raise InvalidInputError(f"must hold one event, not {len(events)}", field="events")
    ((name, payload),) = events.items()
    try:
        return EventType(name), payload
    except ValueError as error:
        raise InvalidInputError(f"{name[:_LONGEST_NAME]!a} is not known here", field="events") from error
