"""JWS in compact form (RFC 7515 section 7.1), strictly: the one module that knows joserfc.

joserfc checks the signature. It also lets pass what must not count here, so that before it is asked:
    1. the token is not too long, and has three parts
    2. its header has ``alg``, ``kid`` and ``typ``, each once and as text, and nothing else: no ``crit``,
       no ``b64`` (RFC 7797), no key brought along
    3. ``alg`` is Ed25519 (RFC 9864), or EdDSA on an Ed25519 key, its older name
    4. ``typ`` is the one asked for (RFC 8725 section 3.11), so that no token passes for another kind
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import field, frozen
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import public_point

MAX_HEADER_BYTES = 512
SIGNATURE_BYTES = 64
_ALGORITHMS = ("Ed25519", "EdDSA")
_HEADER = {"alg", "kid", "typ"}


class _Registry(jws.JWSRegistry):
    """Lets an envelope of a thousand digests in, and one algorithm alone."""

    max_header_length = MAX_HEADER_BYTES
    max_payload_length = MAX_TOKEN_BYTES
    # Under both names the model of Ed25519: joserfc's EdDSA would take Ed448 as well.
    algorithms = dict.fromkeys(_ALGORITHMS, jws.JWSRegistry.algorithms["Ed25519"])


_REGISTRY = _Registry(algorithms=_ALGORITHMS)


@frozen
class Unproven:
    """A token in good form. Nobody has looked at its signature yet.

    Attributes:
        kid: the key that it says it was signed with.
        payload: what it says.
    """

    kid: str
    payload: bytes = field(repr=False)
    _signed: jws.CompactSignature = field(repr=False)

    def prove(self, jwk: Mapping[str, Any]) -> None:
        """Look at the signature.

        Raises:
            InvalidInputError: ``authentication_failed``, when this key did not make it.
        """
        try:
            valid = jws.validate_compact(self._signed, _public_key(public_point(jwk)), registry=_REGISTRY)
        except JoseError as error:
            raise InvalidInputError(f"cannot be checked: {error.error}", field="signature") from error
        if not valid:
            raise InvalidInputError(
                "is not of this token and key", field="signature", code="authentication_failed"
            )


def sign(payload: bytes, signer: Signer, *, typ: str) -> bytes:
    """A token that `read` reads.

    Raises:
        ConfigurationError: the signer gives back something that is not an Ed25519 signature.
    """
    signing_input = _header_for(signer.kid, typ) + b"." + base64url.encode(payload)
    # Not through joserfc: it wants the private key itself, and a KMS does not give it away.
    signature = signer.sign(signing_input)
    if len(signature) != SIGNATURE_BYTES:
        raise ConfigurationError(f"must return {SIGNATURE_BYTES} bytes of Ed25519 signature", field="signer")
    return signing_input + b"." + base64url.encode(signature)


def read(token: bytes, *, typ: str) -> Unproven:
    """Take a token apart, and refuse it unless its form is the one that this module's rules ask for.

    Raises:
        InvalidInputError: the first rule that does not hold.
    """
    kid = _read_header(split(token)[0], typ)
    try:
        signed = jws.extract_compact(token, registry=_REGISTRY)
    except JoseError as error:
        raise InvalidInputError("is not a JWS in compact form", field="token") from error
    return Unproven(kid, signed.payload, signed)


def split(token: bytes) -> tuple[bytes, bytes, bytes]:
    """Header, payload and signature, still encoded.

    Raises:
        InvalidInputError: too long, or not three parts.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise InvalidInputError(f"must be at most {MAX_TOKEN_BYTES} bytes, not {len(token)}", field="token")
    parts = token.split(b".", 3)
    if len(parts) != 3:
        raise InvalidInputError("must have three parts", field="token")
    return parts[0], parts[1], parts[2]


def payload_of(token: bytes) -> bytes:
    """What a token says. Nobody has looked at its header or its signature.

    Raises:
        InvalidInputError: it is no token.
    """
    return base64url.decode(split(token)[1], field="payload")


@lru_cache(maxsize=64)
def _header_for(kid: str, typ: str) -> bytes:
    return base64url.encode(codec.encode({"alg": "Ed25519", "kid": kid, "typ": typ}))


@lru_cache(maxsize=1024)
def _public_key(point: bytes) -> OKPKey:
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(point).decode()})


def _read_header(segment: bytes, typ: str) -> str:
    if len(segment) > MAX_HEADER_BYTES:
        raise InvalidInputError(f"must be at most {MAX_HEADER_BYTES} bytes", field="header")
    text = base64url.decode(segment, field="header")
    header = codec.decode(text, dict[str, Any], field="header")
    if header.keys() != _HEADER:
        wrong = ", ".join(sorted(header.keys() ^ _HEADER))
        raise InvalidInputError(f"must have alg, kid and typ and nothing else: {wrong!a}", field="header")
    if not all(isinstance(value, str) for value in header.values()):
        raise InvalidInputError("must hold nothing but text", field="header")
    # Of two equal members one parser keeps the first, another the last (RFC 7515 section 4).
    if len(json.loads(text, object_pairs_hook=list)) != len(header):
        raise InvalidInputError("has a member twice", field="header")
    if header["alg"] not in _ALGORITHMS:
        raise InvalidInputError("must be Ed25519", field="alg")
    if header["typ"].lower().removeprefix("application/") != typ:
        raise InvalidInputError(f"must be {typ}", field="typ")
    kid: str = header["kid"]
    return kid
