"""Public keys of transmitters of other software: Ed25519, P-256 and RSA, by any ``kid``.

Rules:
    * a key is for one algorithm: Ed25519 (RFC 8037), ES256 on P-256, RS256 with 2048 to 8192 bits (RFC 7518
      sections 3.3 and 3.4). A token with another ``alg`` is not verified with it, so that no algorithm is
      confused with another (RFC 8725 section 3.1)
    * ``use``, ``key_ops`` and ``alg`` of a JWK, where given, allow that
    * a point is on its curve, and an RSA exponent is odd and has at most 32 bits, so that it is quick
    * keys of other types and uses are skipped (RFC 7517 section 5); a private or symmetric one makes the set
      invalid, since who published it has lost it
"""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import public_point, select_keys

_MIN_RSA_BITS, _MAX_RSA_BITS, _MAX_EXPONENT_BITS = 2048, 8192, 32
_P256_BYTES = 32
_MAX_KID = 1024
#: The algorithm of each type of key, and the names that a JWK may give it.
_BY_TYPE = {"OKP": ("Ed25519", "EdDSA"), "EC": ("ES256",), "RSA": ("RS256",)}


def read_foreign_jwk_set(data: bytes) -> dict[str, dict[str, Any]]:
    """The usable keys of a JWK set by ``kid``.

    Raises:
        InvalidInputError: there is none, two have one ``kid``, or the set has a private key.
    """
    return {jwk["kid"]: jwk for jwk in select_keys(data, _check, skip_unusable=True)}


def key_for_algorithm(jwk: Mapping[str, Any], algorithm: str) -> tuple[tuple[str, str], ...]:
    """The public members of the key; `InvalidInputError` (``invalid_key``) if it is not for `algorithm`."""
    algorithms = _BY_TYPE.get(str(jwk.get("kty")), ())
    if algorithm not in algorithms or jwk.get("alg", algorithm) not in algorithms:
        raise InvalidInputError("does not fit the key", field="alg", code="invalid_key")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise InvalidInputError("must be for signatures", field="use, key_ops", code="invalid_key")
    names = _checkers[jwk["kty"]](jwk)
    return tuple((name, str(jwk[name])) for name in names)


def _check(jwk: Mapping[str, Any]) -> None:
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID:
        raise InvalidInputError(
            f"must be text of 1 to {_MAX_KID} characters", field="kid", code="invalid_key"
        )
    key_for_algorithm(jwk, _BY_TYPE.get(str(jwk.get("kty")), ("",))[0])


def _check_ed25519(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    public_point(jwk)
    return "kty", "crv", "x"


def _check_p256(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    x, y = _number(jwk, "x"), _number(jwk, "y")
    if jwk.get("crv") != "P-256" or len(x) != _P256_BYTES or len(y) != _P256_BYTES:
        raise InvalidInputError("must be on P-256, with 32 bytes each", field="x, y", code="invalid_key")
    try:
        EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1()).public_key()
    except ValueError as error:
        raise InvalidInputError("is not a point of P-256", field="x, y", code="invalid_key") from error
    return "kty", "crv", "x", "y"


def _check_rsa(jwk: Mapping[str, Any]) -> tuple[str, ...]:
    modulus, exponent = (int.from_bytes(_number(jwk, name)) for name in ("n", "e"))
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or modulus % 2 == 0:
        text = f"must have {_MIN_RSA_BITS} to {_MAX_RSA_BITS} bits"
        raise InvalidInputError(text, field="n", code="invalid_key")
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > _MAX_EXPONENT_BITS:
        raise InvalidInputError(
            f"must be odd, from 3 to {_MAX_EXPONENT_BITS} bits", field="e", code="invalid_key"
        )
    return "kty", "n", "e"


_checkers = {"OKP": _check_ed25519, "EC": _check_p256, "RSA": _check_rsa}


def _number(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text.isascii():
        raise InvalidInputError("must be base64url text", field=name, code="invalid_key")
    return base64url.decode(text.encode(), field=name)
