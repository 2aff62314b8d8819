"""Signed JWTs (RFC 7519, after RFC 8725): what must hold before a claim is believed.

In this order:
    1. the form is right: see `compact`
    2. the issuer is known, and the key is its own and counts at this moment
    3. the signature holds
    4. ``aud`` contains us, ``iat`` and ``nbf`` are not in the future, ``exp`` is not past, ``jti`` is there

Refusals carry a code of RFC 8935 section 2.4.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec, validators
from sesame_sdk.signing import jws

SET_TYP = "secevent+jwt"
READ_TYP = "sesame-read+jwt"
NOTICES_TYP = "sesame-notices+jwt"
LEEWAY = timedelta(seconds=60)


class KeyFinder(Protocol):
    """Knows whose keys count."""

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK that `issuer` signs with under `kid` at this moment.

        Raises:
            InvalidInputError: ``invalid_issuer`` or ``invalid_key``.
        """
        ...


@frozen
class Verified:
    """A token whose signature and standard claims hold.

    Attributes:
        issuer: who signed it.
        kid: with which key.
        jti: the token's id.
        issued_at: when it says that it was signed; UTC.
        claims: the whole payload, JSON.
    """

    issuer: str
    kid: str
    jti: str
    issued_at: datetime
    claims: bytes = field(repr=False)


@frozen
class _Issued:
    iss: str = field(validator=validators.text(256))


@frozen
class _Claims:
    jti: str = field(validator=validators.text(64))
    iat: float
    aud: str | tuple[str, ...]
    exp: float | None = None
    nbf: float | None = None


def sign_claims(claims: bytes | Mapping[str, Any], signer: Signer, *, typ: str) -> bytes:
    """A JWT in compact form, with the header that `verify_claims` asks for.

    Args:
        claims: JSON, or what becomes JSON.
        signer: where the private key lives.
        typ: `SET_TYP`, `READ_TYP` or `NOTICES_TYP`.

    Raises:
        Misconfigured: the signer gives back something that is not an Ed25519 signature.
    """
    payload = claims if isinstance(claims, bytes) else codec.encode(claims)
    return jws.sign(payload, signer, typ=typ)


def verify_claims(
    token: bytes,
    keys: KeyFinder,
    *,
    typ: str,
    audience: str,
    now: datetime,
    leeway: timedelta = LEEWAY,
) -> Verified:
    """Believe a token, or say why not.

    Args:
        token: a JWT in compact form, at most `MAX_TOKEN_BYTES`.
        keys: whose keys count at `now`.
        typ: the only type that will do.
        audience: who we are; ``aud`` must contain it.
        now: when the token came in; UTC.
        leeway: how far another clock may be from ours.

    Raises:
        InvalidInputError: the first of this module's rules that does not hold.
    """
    unproven = jws.read(token, typ=typ)
    issuer = issuer_of(unproven.payload)
    unproven.prove(keys.find(issuer, unproven.kid, now))
    found = codec.decode(unproven.payload, _Claims, field="token")
    _check_audience(found, audience)
    issued_at = _check_times(found, now, leeway)
    return Verified(issuer, unproven.kid, found.jti, issued_at, unproven.payload)


def issuer_of(claims: bytes) -> str:
    """Who says so, by a payload that nobody has verified yet.

    Raises:
        InvalidInputError: it does not say.
    """
    return codec.decode(claims, _Issued, field="token").iss


def seconds(moment: datetime) -> int:
    """A NumericDate (RFC 7519 section 2).

    Raises:
        InvalidInputError: the moment is not UTC.
    """
    if moment.tzinfo is not UTC:
        raise InvalidInputError("must be in UTC", field="now", hint="pass datetime.now(UTC)")
    return int(moment.timestamp())


def _check_audience(claims: _Claims, audience: str) -> None:
    named = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if audience not in named:
        raise InvalidInputError("is meant for somebody else", field="aud", code="invalid_audience")


def _check_times(claims: _Claims, now: datetime, leeway: timedelta) -> datetime:
    issued_at = _moment(claims.iat, "iat")
    if issued_at > now + leeway:
        raise InvalidInputError("is in the future", field="iat", hint="set the sender's clock")
    if claims.nbf is not None and _moment(claims.nbf, "nbf") > now + leeway:
        raise InvalidInputError("is in the future", field="nbf")
    if claims.exp is not None and _moment(claims.exp, "exp") <= now - leeway:
        raise InvalidInputError("is past", field="exp", hint="sign a new token")
    return issued_at


def _moment(numeric_date: float, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInputError("is no date", field=name) from error
