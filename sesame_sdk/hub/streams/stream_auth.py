"""Authenticates requests about streams, and issues OAuth access tokens for them.

Unlike a read of scores, managing a stream takes many requests, so its tokens may be used again while they
live. Two are accepted:

    * one of type ``sesame-stream+jwt`` that the reader signs itself, for at most 5 minutes
    * an access token ``at+jwt`` (RFC 9068) that the hub signs, for 10 minutes: the client credentials grant
      (RFC 6749 section 4.4), where the reader authenticates with ``private_key_jwt`` (RFC 7523)

Both are bound to the reader, this hub, one purpose and one context. An access token ends at once if the key
with which the reader authenticated is revoked.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.consent.read_consent import AuthenticatedRequest
from sesame_sdk.hub.partners import keys as partner_keys
from sesame_sdk.hub.partners import registrations
from sesame_sdk.hub.scoring import read_auth
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec, validators
from sesame_sdk.signing import jws
from sesame_sdk.signing.jwt import (
    ACCESS_TYP,
    STREAM_TYP,
    KeyFinder,
    Token,
    Verified,
    new_jti,
    numeric_date,
    sign_claims,
)
from sesame_sdk.signing.keys import ALWAYS, Trust, TrustedKey

READ_SCOPE, MANAGE_SCOPE = "ssf.read", "ssf.manage"
SCOPES = (READ_SCOPE, MANAGE_SCOPE)
TOKEN_PATH = "/v1/oauth/token"  # noqa: S105 - a path
ACCESS_LIFETIME = timedelta(minutes=10)
#: What OAuth libraries sign for by default. An assertion is accepted once.
ASSERTION_LIFETIME = timedelta(hours=1)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: ``JWT`` is what OAuth libraries write; the other one is of RFC 7523bis.
_ASSERTION_TYPS = ("jwt", "client-authentication+jwt")


@frozen
class _AccessClaims:
    sub: str = field(validator=validators.url)
    key: str = field(validator=validators.text(64))
    scope: str = field(validator=validators.text(64))
    purpose: str = field(validator=validators.iri)
    context: str = field(validator=validators.context)
    exp: float


@frozen
class _AssertionClaims:
    sub: str
    exp: float


@frozen
class StreamRequestAuth:
    """An authenticated request about streams, and what it may do."""

    request: AuthenticatedRequest
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise `InvalidInputError` (``access_denied``) without this scope."""
        if scope not in self.scopes:
            raise InvalidInputError(f"lacks {scope}", field="scope", code="access_denied")


@frozen
class StreamAuth:
    """Authenticates readers by their own tokens, and by access tokens of the hub."""

    issuer: str
    signer: Signer
    keys: KeyFinder
    clock: Callable[[], datetime]

    def authenticate(self, token: bytes) -> StreamRequestAuth:
        """Authenticate a request about streams.

        Raises:
            InvalidInputError: see `Token.verify`; or the token lives too long, or lacks purpose or context.
        """
        now = self.clock()
        with read_auth.authentication_errors():
            parsed = Token.parse(token)
            if parsed.typ == ACCESS_TYP:
                return self._by_access_token(parsed, now)
        request = read_auth.authenticate_read(token, self.keys, audience=self.issuer, now=now, typ=STREAM_TYP)
        return StreamRequestAuth(request, frozenset(SCOPES))

    def is_own(self, token: bytes) -> bool:
        """Whether a token claims to be signed by this hub."""
        try:
            return jws.read_kid(token.partition(b".")[0]) == self.signer.kid
        except InvalidInputError:
            return False

    def _by_access_token(self, token: Token, now: datetime) -> StreamRequestAuth:
        own = Trust({self.issuer: [TrustedKey(self.signer.public_jwk, ALWAYS)]})
        verified = token.verify(own, typ=ACCESS_TYP, audience=self.issuer, now=now)
        claims = codec.decode(verified.claims, _AccessClaims, field="token")
        self.keys.find(claims.sub, claims.key, now)
        expires_at = datetime.fromtimestamp(claims.exp, UTC)
        request = AuthenticatedRequest(
            claims.sub, verified.jti, claims.purpose, claims.context, expires_at, now
        )
        return StreamRequestAuth(request, frozenset(claims.scope.split()))

    def verify_assertion(self, form: Mapping[str, str]) -> "ClientAuthentication":
        """Authenticate a client by ``private_key_jwt`` (RFC 7523 section 3).

        Raises:
            InvalidInputError: code ``invalid_client``; the assertion is missing or not valid.
        """
        try:
            return self._verify_assertion(form)
        except InvalidInputError as error:
            error.code = "invalid_client"
            raise

    def _verify_assertion(self, form: Mapping[str, str]) -> "ClientAuthentication":
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise InvalidInputError(f"must be {ASSERTION_TYPE}", field="client_assertion_type")
        now, token = self.clock(), Token.parse(form.get("client_assertion", "").encode("utf-8", "replace"))
        if token.typ not in _ASSERTION_TYPS:
            raise InvalidInputError("must be JWT", field="typ")
        verified = self._verify_for_us(token, now)
        claims = codec.decode(verified.claims, _AssertionClaims, field="client_assertion")
        if claims.sub != verified.issuer or form.get("client_id", claims.sub) != claims.sub:
            raise InvalidInputError("must equal iss, and client_id if that is given", field="sub")
        request = read_auth.limited_request(verified, claims.exp, now, max_lifetime=ASSERTION_LIFETIME)
        return ClientAuthentication(request, verified.kid)

    def _verify_for_us(self, token: Token, now: datetime) -> Verified:
        """Libraries name the token endpoint as the audience, and profiles of OAuth the issuer."""
        try:
            return token.verify(self.keys, typ=token.typ, audience=self.issuer, now=now)
        except InvalidInputError as error:
            if error.code != "invalid_audience":
                raise
        endpoint = self.issuer.rstrip("/") + TOKEN_PATH
        return token.verify(self.keys, typ=token.typ, audience=endpoint, now=now)

    def issue(self, request: AuthenticatedRequest, key: str, scopes: str) -> dict[str, Any]:
        """The response with an access token (RFC 6749 section 5.1)."""
        issued = numeric_date(request.at)
        lifetime = int(ACCESS_LIFETIME.total_seconds())
        claims = {
            "iss": self.issuer,
            "sub": request.issuer,
            "client_id": request.issuer,
            "aud": self.issuer,
            "iat": issued,
            "exp": issued + lifetime,
            "jti": new_jti(),
            "scope": scopes,
            "purpose": request.purpose,
            "context": request.context,
            "key": key,
        }
        token = sign_claims(claims, self.signer, typ=ACCESS_TYP).decode()
        return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime, "scope": scopes}


@frozen
class ClientAuthentication:
    """An authenticated client: its request, of no purpose yet, and the key that it used."""

    request: AuthenticatedRequest
    kid: str


def check_grant_type(form: Mapping[str, str]) -> str:
    """The scopes of a request for a token.

    Raises:
        InvalidInputError: ``unsupported_grant_type``, ``invalid_scope``.
    """
    if form.get("grant_type") != "client_credentials":
        raise InvalidInputError(
            "must be client_credentials", field="grant_type", code="unsupported_grant_type"
        )
    wanted = form.get("scope", "").split() or SCOPES
    if not set(SCOPES).issuperset(wanted):
        raise InvalidInputError(f"must be of {' '.join(SCOPES)}", field="scope", code="invalid_scope")
    return " ".join(wanted)


def find_terms(connection: Connection, issuer: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Purpose and context of a request for a token: those given, or the only ones that the client registered.

    Raises:
        InvalidInputError: they are not given, and the client registered none or several.
    """
    given = form.get("purpose"), form.get("context")
    if given[0] is not None and given[1] is not None:
        return given[0], given[1]
    registered = registrations.read_terms(connection, partner_keys.partner_id(connection, issuer))
    if len(registered) != 1:
        raise InvalidInputError(
            f"must be given: {len(registered)} purposes and contexts are registered",
            field="purpose, context",
            hint="add the parameters purpose and context",
        )
    return registered[0]
