"""Authentication and authorization of reads and of requests for notices.

A reader signs a token with its own key for this hub, for at most five minutes, for one purpose in one
context, and uses it once: a stolen token is worth little, and nothing after its use. A token for notices has
a type of its own (RFC 8725 section 3.11), so that neither is accepted for the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from attrs import field, frozen
from sqlalchemy import Connection, bindparam, delete, insert, select

from sesame_sdk.constants import MAX_REQUEST_LIFETIME
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.guard.purposes import find_refusing_rule
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest
from sesame_sdk.hub.database.tables import read_tokens
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners import keys, registrations
from sesame_sdk.hub.partners.keys import CurrentKeys
from sesame_sdk.hub.scoring import policies
from sesame_sdk.model import codec, validators
from sesame_sdk.model.grant import ReadRequest
from sesame_sdk.model.policy import Policy
from sesame_sdk.signing import jws
from sesame_sdk.signing.jwt import LEEWAY, NOTICES_TYP, READ_TYP, KeyFinder, Token, Verified


@frozen
class _NoticeClaims:
    exp: float


@frozen
class ReadClaims:
    """The claims of a read token that `Token.verify` does not check."""

    exp: float
    purpose: str = field(validator=validators.iri)
    context: str = field(validator=validators.context)


def authenticate_read(
    token: bytes, keys: KeyFinder, *, audience: str, now: datetime, typ: str = READ_TYP
) -> AuthenticatedRequest:
    """Authenticate a token of a reader for one purpose in one context: a read token, unless `typ` says other.

    Raises:
        InvalidInputError: see `Token.verify`; or it lives too long, or lacks purpose or context.
    """
    with authentication_errors():
        verified = Token.parse(token).verify(keys, typ=typ, audience=audience, now=now)
        claims = codec.decode(verified.claims, ReadClaims)
        return limited_request(verified, claims.exp, now, claims.purpose, claims.context)


def authenticate_notice_request(
    token: bytes, keys: KeyFinder, *, audience: str, now: datetime
) -> AuthenticatedRequest:
    """Authenticate a token for notices. The request is for no purpose and in no context.

    Raises:
        InvalidInputError: see `Token.verify`; or it lives too long.
    """
    with authentication_errors():
        verified = Token.parse(token).verify(keys, typ=NOTICES_TYP, audience=audience, now=now)
        return limited_request(verified, codec.decode(verified.claims, _NoticeClaims, field="token").exp, now)


def verify_signature(token: bytes, keys: CurrentKeys, now: datetime) -> str:
    """The partner whose key signed a token. Its claims, and the validity of the key, are not checked.

    Raises:
        InvalidInputError: its form or its signature is invalid, or no partner has the key.
    """
    with authentication_errors():
        signed = jws.parse(token)
        owner = keys.find_key(signed.kid)
        if owner is None:
            keys.find(Token.from_jws(token, signed).issuer, signed.kid, now)  # raises what is unknown
            raise InvalidInputError("is not a key of a partner", field="kid", code="invalid_key")
        issuer, key = owner
        signed.verify(key.jwk)
        return issuer


@contextmanager
def authentication_errors() -> Iterator[None]:
    """Turn errors of a malformed token into authentication errors."""
    try:
        yield
    except InvalidInputError as error:
        if error.code == "invalid_request":
            error.code = "authentication_failed"
        raise


def limited_request(
    verified: Verified,
    exp: float,
    now: datetime,
    purpose: str = "",
    context: str = "",
    *,
    max_lifetime: timedelta = MAX_REQUEST_LIFETIME,
) -> AuthenticatedRequest:
    """The request of a verified token; `InvalidInputError` if the token lives too long."""
    expires_at = datetime.fromtimestamp(exp, UTC)
    if expires_at - verified.issued_at > max_lifetime:
        text = f"must be at most {max_lifetime.seconds} s after iat"
        raise InvalidInputError(text, field="exp", hint="sign one for each read")
    return AuthenticatedRequest(verified.issuer, verified.jti, purpose, context, expires_at, now)


def check_purpose(request: AuthenticatedRequest, guard: Guard) -> None:
    """Raise what the guard finds in a purpose that no reader may read for, for any subject."""
    if (rule := find_refusing_rule(request.purpose)) is not None:
        reading = ReadRequest(request.issuer, request.purpose, request.context, request.at, None)
        findings = [finding for finding in guard.check_read(reading) if finding.rule == rule]
        raise GuardRefusedError(str(findings[0]), findings)


def admit_reader(connection: Connection, request: AuthenticatedRequest) -> tuple[int, Policy]:
    """The reader's id and the policy of the score; ``access_denied`` if it may not read this score."""
    partner = keys.partner_id(connection, request.issuer)
    if not registrations.may_read(connection, partner, request.purpose, request.context):
        text = "is not one that you registered for this context"
        hint = "register a plugin whose consumer declares it"
        raise InvalidInputError(text, field="purpose", hint=hint, code="access_denied")
    policy = policies.current_policy(connection, request.context)
    if policy is None:
        raise InvalidInputError("has no policy here, hence no score", field="context", code="access_denied")
    if request.purpose not in policy.purposes:
        text = "is not what this context's score is for"
        raise InvalidInputError(text, field="purpose", code="access_denied")
    return partner, policy


def consume_token(connection: Connection, request: AuthenticatedRequest, partner: int) -> None:
    """Mark a token as used unless it was used before, and delete those that expired."""
    connection.execute(_FORGET, {"now": to_micros(request.at - LEEWAY)})
    check_unused(connection, request, partner)
    row = {"partner": partner, "jti": request.jti, "expires_at": to_micros(request.expires_at)}
    connection.execute(_USE_UP, row)


def check_unused(connection: Connection, request: AuthenticatedRequest, partner: int) -> None:
    """Reject a token that was used: before any work, and again when it is marked as used."""
    if connection.execute(_USED, {"by": partner, "which": request.jti}).first():
        hint = "sign a token for each read"
        raise InvalidInputError("was used before", field="jti", hint=hint, code="authentication_failed")


_THIS_ONE = (read_tokens.c.partner == bindparam("by"), read_tokens.c.jti == bindparam("which"))
_USED = select(read_tokens.c.jti).where(*_THIS_ONE)
_USE_UP = insert(read_tokens)
_FORGET = delete(read_tokens).where(read_tokens.c.expires_at < bindparam("now"))
