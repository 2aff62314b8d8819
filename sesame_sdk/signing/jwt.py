"""Signs, parses and verifies JWTs (RFC 7519, after RFC 8725), and Security Event Tokens (RFC 8417) in them.

Checked in this order:
    1. the form is valid: see `jws`; there is an ``iss``
    2. ``typ`` is the required one (RFC 8725 section 3.11), so that no token is taken for another kind
    3. the issuer is known, and the key is its own and valid now
    4. the signature is valid
    5. ``jti`` is present, ``aud`` contains us, ``iat`` and ``nbf`` are not in the future, ``exp`` is not past

Errors carry a code of RFC 8935 section 2.4. Unknown claims and members are ignored, as RFC 8417 section 2.2
requires; an unknown event is refused.

A token of a transmitter of other software (`foreign`) may have a longer ``jti``, and be signed as `jws` says.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec
from attrs import field, frozen, has

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec, validators
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing import jws

T = TypeVar("T")

SET_TYP = "secevent+jwt"
READ_TYP = "sesame-read+jwt"
STREAM_TYP = "sesame-stream+jwt"
NOTICES_TYP = "sesame-notices+jwt"
#: An OAuth access token (RFC 9068).
ACCESS_TYP = "at+jwt"
LEEWAY = timedelta(seconds=60)
#: Our own have at most 64 characters.
MAX_FOREIGN_JTI = 255
_MAX_NAME = 100
_JTI_BYTES = 18


class IssuedInFutureError(InvalidInputError):
    """A token with a valid signature is of the future: the clock of its issuer, or ours, is wrong.

    Attributes:
        ahead: by how much.
    """

    ahead = timedelta(0)


class KeyFinder(Protocol):
    """Finds the keys of parties."""

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK valid at this time, or `InvalidInputError` (``invalid_issuer``, ``invalid_key``)."""
        ...


@frozen
class _VerifiedToken:
    issuer: str
    kid: str
    jti: str
    issued_at: datetime


@frozen
class Verified(_VerifiedToken):
    """A token whose signature and standard claims are valid."""

    claims: bytes = field(repr=False)


@frozen
class _UnverifiedClaims:
    """What has to be known to choose a key and a handler. All else waits for the signature."""

    iss: str = field(validator=validators.text(256))
    events: dict[str, msgspec.Raw] = field(factory=dict, repr=False)


@frozen
class _Claims:
    jti: str = field(validator=validators.text(64, pattern=validators.ID_PATTERN, example="0k2c9J5m"))
    iat: float
    aud: str | tuple[str, ...]
    exp: float | None = None
    nbf: float | None = None


@frozen(kw_only=True)
class _ForeignClaims(_Claims):
    jti: str = field(validator=validators.text(MAX_FOREIGN_JTI))


@frozen
class Token:
    """A JWT in valid form, parsed once. Until `verify` returns, its content is not trusted."""

    encoded: bytes = field(repr=False)
    _jws: jws.UnverifiedJws = field(repr=False)
    _claims: _UnverifiedClaims = field(repr=False)

    @classmethod
    def parse(cls, encoded: bytes, *, foreign: bool = False) -> Self:
        """Parse a JWT in compact form; `InvalidInputError` if its form is invalid or it is too long."""
        return cls.from_jws(encoded, jws.parse(encoded, foreign=foreign))

    @classmethod
    def from_jws(cls, encoded: bytes, signed: jws.UnverifiedJws) -> Self:
        """Decode the claims of a JWS; `InvalidInputError` if their form is invalid."""
        return cls(encoded, signed, codec.decode(signed.payload, _UnverifiedClaims, field="token"))

    @property
    def typ(self) -> str:
        """The claimed type, without ``application/``."""
        return self._jws.typ

    @property
    def issuer(self) -> str:
        """The claimed issuer."""
        return self._claims.iss

    @property
    def kid(self) -> str:
        """The claimed key."""
        return self._jws.kid

    def is_for(self, audience: str) -> bool:
        """Whether it claims this audience; `InvalidInputError` if a claim is missing or malformed."""
        return audience in _audiences(self._decode_claims())

    def issued_at(self) -> datetime:
        """The claimed time of signing; `InvalidInputError` if a claim is missing or malformed."""
        return _timestamp(self._decode_claims().iat, "iat")

    def _decode_claims(self) -> _Claims:
        form = _ForeignClaims if self._jws.foreign else _Claims
        return codec.decode(self._jws.payload, form, field="token")

    @property
    def event_names(self) -> tuple[str, ...]:
        """The names of its events (RFC 8417 section 2.2), known or not."""
        return tuple(self._claims.events)

    @property
    def event_type(self) -> EventType:
        """The type of its only event (RFC 8417); `InvalidInputError` for none, more, or an unknown type."""
        events = self._claims.events
        if len(events) != 1:
            raise InvalidInputError(f"must hold one event, not {len(events)}", field="events")
        (name,) = events
        try:
            return EventType(name)
        except ValueError as error:
            raise InvalidInputError(f"unknown event type {name[:_MAX_NAME]!a}", field="events") from error

    def event_payload(self, event: EventType) -> msgspec.Raw:
        """The JSON of its only event; `InvalidInputError` if that is of another type."""
        if self.event_type is not event:
            raise InvalidInputError(f"must be {event.value}, not {self.event_type.value}", field="events")
        return self._claims.events[event.value]

    def verify(
        self, keys: KeyFinder, *, typ: str, audience: str, now: datetime, leeway: timedelta = LEEWAY
    ) -> Verified:
        """Check signature and standard claims by this module's rules, for `audience`, our own issuer URL.

        Raises `InvalidInputError` with the first rule that it breaks.
        """
        if self._jws.typ != typ:
            raise InvalidInputError(f"must be {typ}", field="typ")
        issuer, kid = self._claims.iss, self._jws.kid
        self._jws.verify(keys.find(issuer, kid, now))
        claims = self._decode_claims()
        _check_audience(claims, audience)
        issued_at = _check_times(claims, now, leeway)
        return Verified(issuer, kid, claims.jti, issued_at, self._jws.payload)


def sign_claims(claims: bytes | Mapping[str, Any], signer: Signer, *, typ: str) -> bytes:
    """A JWT in compact form, with the header that `Token.verify` requires; see `jws.sign` for errors."""
    payload = claims if isinstance(claims, bytes) else codec.encode(claims)
    return jws.sign(payload, signer, typ=typ)


def numeric_date(timestamp: datetime) -> int:
    """A NumericDate (RFC 7519 section 2). Raises `InvalidInputError` if it is not UTC."""
    if timestamp.tzinfo is not UTC:
        raise InvalidInputError("must be in UTC", field="now", hint="pass datetime.now(UTC)")
    return int(timestamp.timestamp())


@frozen
class Event(_VerifiedToken, Generic[T]):
    """A verified event."""

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
    """Sign a Security Event Token in compact form, without members that are not set.

    Pass `jti` only to sign the same message again.
    """
    standard = {"iss": issuer, "iat": numeric_date(now), "jti": jti or new_jti(), "aud": audience}
    content = codec.without_unset(payload) if has(type(payload)) else payload
    return sign_claims({**claims, **standard, "events": {event.value: content}}, signer, typ=SET_TYP)


def verify_event(
    token: Token, keys: KeyFinder, *, event: EventType, payload: type[T], audience: str, now: datetime
) -> Event[T]:
    """Verify a token as `Token.verify` does, and decode its payload, which must be of this event."""
    verified = token.verify(keys, typ=SET_TYP, audience=audience, now=now)
    content = codec.decode(token.event_payload(event), payload, field="events")
    return Event(verified.issuer, verified.kid, verified.jti, verified.issued_at, content)


def _audiences(claims: _Claims) -> tuple[str, ...]:
    return (claims.aud,) if isinstance(claims.aud, str) else claims.aud


def _check_audience(claims: _Claims, audience: str) -> None:
    if audience not in _audiences(claims):
        raise InvalidInputError("is for another audience", field="aud", code="invalid_audience")


def _check_times(claims: _Claims, now: datetime, leeway: timedelta) -> datetime:
    issued_at = _timestamp(claims.iat, "iat")
    if issued_at > now + leeway:
        error = IssuedInFutureError("is in the future", field="iat", hint="check the sender's clock")
        error.ahead = issued_at - now
        raise error
    if claims.nbf is not None and _timestamp(claims.nbf, "nbf") > now + leeway:
        raise InvalidInputError("is in the future", field="nbf")
    if claims.exp is not None and _timestamp(claims.exp, "exp") <= now - leeway:
        raise InvalidInputError("has expired", field="exp", hint="sign a new token")
    return issued_at


def _timestamp(numeric_date: float, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInputError("is not a valid date", field=name) from error
