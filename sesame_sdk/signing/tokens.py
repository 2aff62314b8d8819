"""Signed JWTs, strictly: the one module that knows joserfc.

What must hold before a claim is believed, in this order:
    1. the token is not too long, and has three parts
    2. its header has ``alg``, ``kid`` and ``typ``, each once and as text, and nothing else: no ``crit``,
       no ``b64`` (RFC 7797), no key brought along
    3. ``alg`` is Ed25519 (RFC 9864), or EdDSA on an Ed25519 key, its older name
    4. ``typ`` is the one asked for (RFC 8725 section 3.11), so that no token passes for another kind
    5. the issuer is known, and the key is its own and stands at this moment
    6. the signature holds
    7. ``aud`` contains us, ``iat`` and ``nbf`` are not in the future, ``exp`` is not past, ``jti`` is there

Refusals carry a code of RFC 8935 section 2.4.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from attrs import field, frozen
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sesame_sdk.errors import Misconfigured, Rejected
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import checks, codec
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import public_point

SET_TYP = "secevent+jwt"
READ_TYP = "sesame-read+jwt"
MOST_BYTES = 1024 * 1024
MOST_HEADER_BYTES = 512
SIGNATURE_BYTES = 64
LEEWAY = timedelta(seconds=60)
_ALGORITHMS = ("Ed25519", "EdDSA")
_HEADER = {"alg", "kid", "typ"}


class KeyFinder(Protocol):
    """Knows whose keys count."""

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK that `issuer` signs with under `kid` at this moment.

        Raises:
            Rejected: ``invalid_issuer`` or ``invalid_key``.
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
    iss: str = field(validator=checks.text(256))


@frozen
class _Claims:
    jti: str = field(validator=checks.text(64))
    iat: float
    aud: str | tuple[str, ...]
    exp: float | None = None
    nbf: float | None = None


class _Registry(jws.JWSRegistry):
    """Lets an envelope of a thousand digests in, and one algorithm alone."""

    max_header_length = MOST_HEADER_BYTES
    max_payload_length = MOST_BYTES
    # Under both names the model of Ed25519: joserfc's EdDSA would take Ed448 as well.
    algorithms = dict.fromkeys(_ALGORITHMS, jws.JWSRegistry.algorithms["Ed25519"])


_REGISTRY = _Registry(algorithms=_ALGORITHMS)


def sign_claims(claims: bytes | Mapping[str, Any], signer: Signer, *, typ: str) -> bytes:
    """A JWT in compact form, with the header that `verify_claims` asks for.

    Args:
        claims: JSON, or what becomes JSON.
        signer: where the private key lives.
        typ: `SET_TYP` or `READ_TYP`.

    Raises:
        Misconfigured: the signer gives back something that is not an Ed25519 signature.
    """
    payload = claims if isinstance(claims, bytes) else codec.encode(claims)
    signing_input = _header_for(signer.kid, typ) + b"." + base64url.encode(payload)
    # Not through joserfc: it wants the private key itself, and a KMS does not give it away.
    signature = signer.sign(signing_input)
    if len(signature) != SIGNATURE_BYTES:
        raise Misconfigured(f"must return {SIGNATURE_BYTES} bytes of Ed25519 signature", field="signer")
    return signing_input + b"." + base64url.encode(signature)


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
        token: a JWT in compact form, at most `MOST_BYTES`.
        keys: whose keys count at `now`.
        typ: the only type that will do.
        audience: who we are; ``aud`` must contain it.
        now: when the token came in; UTC.
        leeway: how far another clock may be from ours.

    Raises:
        Rejected: the first of the module's rules that does not hold.
    """
    kid = _read_header(split(token)[0], typ)
    unproven = _extract(token)
    issuer = codec.decode(unproven.payload, _Issued, field="token").iss
    _check_signature(unproven, keys.find(issuer, kid, now))
    found = codec.decode(unproven.payload, _Claims, field="token")
    _check_audience(found, audience)
    issued_at = _check_times(found, now, leeway)
    return Verified(issuer=issuer, kid=kid, jti=found.jti, issued_at=issued_at, claims=unproven.payload)


def verify_signature(token: bytes, jwk: Mapping[str, Any]) -> bytes:
    """The payload of a compact JWS that `jwk` signed. Looks at the signature alone: see `verify_claims`.

    Raises:
        Rejected: ``authentication_failed``.
    """
    unproven = _extract(token)
    _check_signature(unproven, jwk)
    return unproven.payload


def split(token: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, payload and signature, still encoded.

    Raises:
        Rejected: too long, or not three parts.
    """
    if len(token) > MOST_BYTES:
        raise Rejected(f"must be at most {MOST_BYTES} bytes, not {len(token)}", field="token")
    parts = token.split(b".", 3)
    if len(parts) != 3:
        raise Rejected("must have three parts", field="token")
    return parts[0], parts[1], parts[2]


def seconds(moment: datetime) -> int:
    """A NumericDate (RFC 7519 section 2).

    Raises:
        Rejected: the moment is not UTC.
    """
    if moment.tzinfo is not UTC:
        raise Rejected("must be in UTC", field="now", mend="pass datetime.now(UTC)")
    return int(moment.timestamp())


def _extract(token: bytes) -> jws.CompactSignature:
    try:
        return jws.extract_compact(token, registry=_REGISTRY)
    except JoseError as error:
        raise Rejected("is not a JWS in compact form", field="token") from error


def _check_signature(unproven: jws.CompactSignature, jwk: Mapping[str, Any]) -> None:
    try:
        valid = jws.validate_compact(unproven, _public_key(public_point(jwk)), registry=_REGISTRY)
    except JoseError as error:
        raise Rejected(f"cannot be checked: {error.error}", field="signature") from error
    if not valid:
        raise Rejected("does not belong to token and key", field="signature", code="authentication_failed")


@lru_cache(maxsize=64)
def _header_for(kid: str, typ: str) -> bytes:
    return base64url.encode(codec.encode({"alg": "Ed25519", "kid": kid, "typ": typ}))


@lru_cache(maxsize=1024)
def _public_key(point: bytes) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(point).decode()})


def _read_header(segment: bytes, typ: str) -> str:
    if len(segment) > MOST_HEADER_BYTES:
        raise Rejected(f"must be at most {MOST_HEADER_BYTES} bytes", field="header")
    text = base64url.decode(segment, field="header")
    header = codec.decode(text, dict[str, str], field="header")
    # A parser keeps one of two equal members, and another parser the other (RFC 7515 section 4).
    if len(json.loads(text, object_pairs_hook=list)) != len(header):
        raise Rejected("has a member twice", field="header")
    if header.keys() != _HEADER:
        wrong = ", ".join(sorted(header.keys() ^ _HEADER))
        raise Rejected(f"must have alg, kid and typ and nothing else: {wrong!a}", field="header")
    if header["alg"] not in _ALGORITHMS:
        raise Rejected("must be Ed25519", field="alg")
    if header["typ"].lower().removeprefix("application/") != typ:
        raise Rejected(f"must be {typ}", field="typ")
    return header["kid"]


def _check_audience(claims: _Claims, audience: str) -> None:
    named = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if audience not in named:
        raise Rejected("is meant for somebody else", field="aud", code="invalid_audience")


def _check_times(claims: _Claims, now: datetime, leeway: timedelta) -> datetime:
    issued_at = _moment(claims.iat, "iat")
    if issued_at > now + leeway:
        raise Rejected("is in the future", field="iat", mend="set the sender's clock")
    if claims.nbf is not None and _moment(claims.nbf, "nbf") > now + leeway:
        raise Rejected("is in the future", field="nbf")
    if claims.exp is not None and _moment(claims.exp, "exp") <= now - leeway:
        raise Rejected("is past", field="exp", mend="sign a new token")
    return issued_at


def _moment(numeric_date: float, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Rejected("is no date", field=name) from error
