"""Signs and parses JWS compact serializations (RFC 7515 section 7.1), strictly.

This is the only module that uses joserfc, which verifies the signature. joserfc accepts more than it should,
so these are checked first:
    1. the token is not too long, and has three parts
    2. its header has ``alg``, ``kid`` and ``typ``, each once and as text, and nothing else: no ``crit``,
       no ``b64`` (RFC 7797), no embedded key
    3. ``alg`` is Ed25519 (RFC 9864), or EdDSA on an Ed25519 key, its older name

A transmitter of other software (`foreign`) may also sign with ES256 and RS256, and its header may have
further members, which are ignored (RFC 7515 section 4), except ``crit`` and ``b64``. No key is ever taken
from a header: the issuer's key with this ``kid`` is used, and only for the algorithm that it is for.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import field, frozen
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.signing import base64url
from sesame_sdk.signing.foreign_keys import key_for_algorithm
from sesame_sdk.signing.keys import KeyFile, public_point

MAX_HEADER_BYTES = 512
#: A certificate chain (``x5c``) has a few thousand.
MAX_FOREIGN_HEADER_BYTES = 16_384
SIGNATURE_BYTES = 64
_ALGORITHMS = ("Ed25519", "EdDSA")
_FOREIGN_ALGORITHMS = (*_ALGORITHMS, "ES256", "RS256")
_HEADER = {"alg", "kid", "typ"}
_CRITICAL = {"crit", "b64"}


class _Registry(jws.JWSRegistry):
    """Accepts payloads of a thousand digests, and the named algorithms only."""

    max_header_length = MAX_FOREIGN_HEADER_BYTES
    max_payload_length = MAX_TOKEN_BYTES
    # Under both names the model of Ed25519: joserfc's EdDSA would take Ed448 as well.
    algorithms = dict.fromkeys(_ALGORITHMS, jws.JWSRegistry.algorithms["Ed25519"]) | {
        name: jws.JWSRegistry.algorithms[name] for name in ("ES256", "RS256")
    }


_REGISTRY = _Registry(algorithms=_ALGORITHMS)
_FOREIGN_REGISTRY = _Registry(algorithms=_FOREIGN_ALGORITHMS, strict_check_header=False)


@frozen
class UnverifiedJws:
    """A JWS in valid form; its signature was not checked yet. `typ` is without ``application/``."""

    kid: str
    typ: str
    payload: bytes = field(repr=False)
    _signed: jws.CompactSignature = field(repr=False)
    foreign: bool = False

    def verify(self, jwk: Mapping[str, Any]) -> None:
        """Raise `InvalidInputError` (``authentication_failed``) if this key did not make the signature."""
        registry = _FOREIGN_REGISTRY if self.foreign else _REGISTRY
        try:
            valid = jws.validate_compact(self._signed, self._key(jwk), registry=registry)
        except JoseError as error:
            raise InvalidInputError(f"cannot be verified: {error.error}", field="signature") from error
        if not valid:
            raise InvalidInputError("is invalid", field="signature", code="authentication_failed")

    def _key(self, jwk: Mapping[str, Any]) -> OKPKey | ECKey | RSAKey:
        algorithm = self._signed.headers()["alg"]
        if algorithm in _ALGORITHMS:
            return _public_key(public_point(jwk))
        return _imported_key(key_for_algorithm(jwk, algorithm))


def sign(payload: bytes, signer: Signer, *, typ: str) -> bytes:
    """Sign a payload; `ConfigurationError` if the signer does not return an Ed25519 signature."""
    signer = signer.current if isinstance(signer, KeyFile) else signer
    signing_input = _header_for(signer.kid, typ) + b"." + base64url.encode(payload)
    # Not through joserfc, which needs the private key itself: a KMS does not export it.
    signature = signer.sign(signing_input)
    if len(signature) != SIGNATURE_BYTES:
        raise ConfigurationError(f"must return {SIGNATURE_BYTES} bytes of Ed25519 signature", field="signer")
    return signing_input + b"." + base64url.encode(signature)


def parse(token: bytes, *, foreign: bool = False) -> UnverifiedJws:
    """Parse a token; `InvalidInputError` with the first of this module's rules that it breaks."""
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidInputError(f"must be at most {MAX_TOKEN_BYTES} bytes, not {len(token)}", field="token")
    if token.count(b".") != 2:
        raise InvalidInputError("must have three parts", field="token")
    kid, typ = _parse_header(token.partition(b".")[0], foreign=foreign)
    try:
        signed = jws.extract_compact(token, registry=_FOREIGN_REGISTRY if foreign else _REGISTRY)
    except JoseError as error:
        raise InvalidInputError("is not a JWS in compact form", field="token") from error
    return UnverifiedJws(kid, typ, signed.payload, signed, foreign)


def read_kid(header: bytes) -> str:
    """The key id in a token's encoded header; `InvalidInputError` as of `parse`."""
    return _parse_header(header, foreign=False)[0]


@lru_cache(maxsize=64)
def _header_for(kid: str, typ: str) -> bytes:
    return base64url.encode(codec.encode({"alg": "Ed25519", "kid": kid, "typ": typ}))


@lru_cache(maxsize=1024)
def _public_key(point: bytes) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(point).decode()})


@lru_cache(maxsize=256)
def _imported_key(members: tuple[tuple[str, str], ...]) -> ECKey | RSAKey:
    jwk: dict[str, str | list[str]] = dict(members)
    return RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)


def _parse_header(segment: bytes, *, foreign: bool) -> tuple[str, str]:
    max_bytes = MAX_FOREIGN_HEADER_BYTES if foreign else MAX_HEADER_BYTES
    if len(segment) > max_bytes:
        raise InvalidInputError(f"must be at most {max_bytes} bytes", field="header")
    text = base64url.decode(segment, field="header")
    header = codec.decode(text, dict[str, Any], field="header")
    wrong = (_HEADER - header.keys()) | (header.keys() & _CRITICAL if foreign else header.keys() - _HEADER)
    if wrong:
        allowed = (
            "must have alg, kid and typ, and no crit or b64"
            if foreign
            else "must have exactly alg, kid and typ"
        )
        raise InvalidInputError(f"{allowed}: {', '.join(sorted(wrong))!a}", field="header")
    if not all(isinstance(header[name], str) for name in _HEADER):
        raise InvalidInputError("must have text values only", field="header")
    # Of two equal members one parser keeps the first, another the last (RFC 7515 section 4).
    if len(json.loads(text, object_pairs_hook=list)) != len(header):
        raise InvalidInputError("has a duplicate member", field="header")
    algorithms = _FOREIGN_ALGORITHMS if foreign else _ALGORITHMS
    if header["alg"] not in algorithms:
        raise InvalidInputError(f"must be {' or '.join(algorithms) if foreign else 'Ed25519'}", field="alg")
    return header["kid"], header["typ"].lower().removeprefix("application/")
