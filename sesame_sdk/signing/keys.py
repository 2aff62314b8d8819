"""Generates, stores, publishes and trusts Ed25519 keys as JWKs (RFC 8037).

Rules:
    * the ``kid`` of a key is its RFC 7638 thumbprint, so that no two keys have the same
    * a key file is accessible to its owner only (mode 0600) and is never overwritten
    * a received key set has public Ed25519 signing keys only
    * a public key is a point in canonical form, on the curve and in its main subgroup, as libsodium's
      `crypto_core_ed25519_is_valid_point` says. Of a point of low order anybody can forge signatures, and of
      mixed order implementations disagree which ones are valid (Chalkias, Garillot, Nikolaenko: "Taming the
      many EdDSAs", 2020; ZIP 215). A key that was made as in RFC 8032 section 5.1.5 is always accepted
    * a key is valid from ``not_before`` up to ``not_after``; the keys of a rotation overlap
    * from ``revoked_at`` on a key is refused, regardless of the token's date, which a thief can choose
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from attrs import field, frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.bindings import crypto_core_ed25519_is_valid_point

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.files import read_private_file, write_private_file
from sesame_sdk.model import codec, validators
from sesame_sdk.signing import base64url

KEY_BYTES = 32
MAX_SET_BYTES = 64 * 1024
MAX_KEYS = 100
_MAX_FILE_BYTES = 4096
#: Validity as in OpenID Federation 1.0 section 8.7.3, whose ``revoked`` has ``revoked_at``.
_VALIDITY = ("nbf", "exp", "revoked")
_PUBLIC = ("kty", "crv", "x", "kid", "use", "alg", *_VALIDITY)
#: Members of private and symmetric keys (RFC 7518 section 6, RFC 8037 section 2).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
#: Of a key without ``nbf``.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_ALGORITHMS = (None, "Ed25519", "EdDSA")


@frozen
class SigningKey:
    """A private Ed25519 key in this process; a `Signer`."""

    _private: Ed25519PrivateKey = field(repr=False, eq=False)
    kid: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "kid", thumbprint(self._bare_jwk()))

    @classmethod
    def generate(cls) -> Self:
        """Generate a new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load any private Ed25519 JWK; `ConfigurationError` if the file is no such key, or not private."""
        try:
            return cls(
                _private_key(codec.decode(read_private_file(path, max_bytes=_MAX_FILE_BYTES), dict[str, Any]))
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot be read: {error.strerror}", field=str(path), hint="create one with: sesame keys new"
            ) from error
        except InvalidInputError as error:
            raise ConfigurationError(f"is not a private Ed25519 JWK: {error}", field=str(path)) from error

    def save(self, path: Path) -> None:
        """Write the key to a file (0600); `ConfigurationError` if the file exists or cannot be written."""
        secret = base64url.encode(self._private.private_bytes_raw()).decode()
        try:
            write_private_file(path, codec.encode({**self.public_jwk, "d": secret}) + b"\n")
        except OSError as error:
            raise ConfigurationError(
                f"cannot be written: {error.strerror}",
                field=str(path),
                hint="name a new file in an existing directory; a key is never overwritten",
            ) from error

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 8037), ready for a set."""
        return {**self._bare_jwk(), "kid": self.kid, "use": "sig", "alg": "Ed25519"}

    def sign(self, data: bytes) -> bytes:
        """64 bytes of signature over `data` (RFC 8032)."""
        return self._private.sign(data)

    def _bare_jwk(self) -> dict[str, str]:
        point = self._private.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(point).decode()}


class KeyFile:
    """The private key in a file; a `Signer`. A running process signs with the next key once that is there.

    `jws.sign` takes `current` once for each signature, so that header and signature are of one key.

    Raises:
        ConfigurationError: as `SigningKey.load`; also from every use, if the file was replaced by another.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = SigningKey.load(path)
        self._identity = (0, 0)  # read again at the first use

    @property
    def current(self) -> SigningKey:
        """The key in the file now; the last one if the file was removed."""
        with suppress(FileNotFoundError):
            identity = self._identify()  # before it is read: a later change is noticed at the next use
            if identity != self._identity:
                self._key, self._identity = SigningKey.load(self._path), identity
        return self._key

    @property
    def kid(self) -> str:
        """As `Signer.kid`."""
        return self.current.kid

    @property
    def public_jwk(self) -> dict[str, Any]:
        """As `Signer.public_jwk`."""
        return self.current.public_jwk

    def sign(self, data: bytes) -> bytes:
        """As `Signer.sign`."""
        return self.current.sign(data)

    def _identify(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_mtime_ns


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The RFC 7638 thumbprint of an Ed25519 key; `InvalidInputError` if it is none."""
    public_point(jwk)
    required = codec.encode({name: jwk[name] for name in ("crv", "kty", "x")})
    return base64url.encode(hashlib.sha256(required).digest()).decode()


def public_point(jwk: Mapping[str, Any]) -> bytes:
    """The 32 bytes of an Ed25519 public key. Raises `InvalidInputError` if it is not an Ed25519 key."""
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise InvalidInputError(
            "must be an Ed25519 key (kty OKP, crv Ed25519)", field="jwk", code="invalid_key"
        )
    point = _key_bytes(jwk, "x")
    if not _is_valid_point(point):
        raise InvalidInputError(
            "must be a point of prime order on the curve, in canonical form",
            field="x",
            hint="generate a new key, for example with: sesame keys new",
            code="invalid_key",
        )
    return point


@lru_cache(maxsize=4096)
def _is_valid_point(point: bytes) -> bool:
    return crypto_core_ed25519_is_valid_point(point)  # takes 0.1 ms, and each signature asks again


def jwk_set(jwks: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Create a JWK Set (RFC 7517 section 5) with the public members of `jwks`."""
    return {"keys": [{name: jwk[name] for name in _PUBLIC if name in jwk} for jwk in jwks]}


def read_jwk_set(data: bytes, *, skip_unusable: bool = False) -> tuple[dict[str, Any], ...]:
    """Decode another party's keys; `InvalidInputError` if one is private, a duplicate, or no signing key.

    With `skip_unusable` keys of other types and uses are left out (RFC 7517 section 5), and one at least must
    remain.
    """
    return tuple(jwk_set(select_keys(data, check_published, skip_unusable=skip_unusable))["keys"])


def select_keys(
    data: bytes, check: Callable[[dict[str, Any]], None], *, skip_unusable: bool
) -> list[dict[str, Any]]:
    """The keys of a JWK set that pass `check`, which raises `InvalidInputError`; see `read_jwk_set`."""
    if len(data) > MAX_SET_BYTES:
        raise InvalidInputError(f"must be at most {MAX_SET_BYTES} bytes", field="jwks")
    jwks = codec.decode(data, dict[str, Any]).get("keys")
    if not isinstance(jwks, list) or not 0 < len(jwks) <= MAX_KEYS:
        raise InvalidInputError(f"must list 1 to {MAX_KEYS} keys", field="jwks")
    selected, reason = list[dict[str, Any]](), None
    for jwk in jwks:
        _check_public(jwk)
        try:
            check(jwk)
            selected.append(jwk)
        except InvalidInputError as error:
            if not skip_unusable:
                raise
            reason = error
    if not selected:
        raise InvalidInputError(f"has no usable key: {reason}", field="jwks", code="invalid_key")
    if len({jwk["kid"] for jwk in selected}) != len(selected):
        raise InvalidInputError("has a duplicate key", field="jwks", code="invalid_key")
    return selected


def _check_public(jwk: object) -> None:
    if not isinstance(jwk, dict):
        raise InvalidInputError("must contain objects", field="jwks", code="invalid_key")
    if not _PRIVATE.isdisjoint(jwk):
        raise InvalidInputError(
            "contains a private key",
            field="jwks",
            hint="publish the public part only, and replace this key: it is compromised",
            code="invalid_key",
        )


def check_published(jwk: Mapping[str, Any]) -> None:
    """Pass if a public JWK is an Ed25519 signing key under its thumbprint. Raises `InvalidInputError`."""
    if jwk.get("kid") != thumbprint(jwk):
        raise InvalidInputError("must be the key's RFC 7638 thumbprint", field="kid", code="invalid_key")
    if jwk.get("use", "sig") != "sig" or jwk.get("alg") not in _ALGORITHMS:
        raise InvalidInputError("must be for signing with Ed25519", field="use, alg", code="invalid_key")
    TrustedKey.from_jwk(jwk)


def _private_key(jwk: Mapping[str, Any]) -> Ed25519PrivateKey:
    point = public_point(jwk)
    private = Ed25519PrivateKey.from_private_bytes(_key_bytes(jwk, "d"))
    if private.public_key().public_bytes_raw() != point:
        raise InvalidInputError("does not belong to d", field="x")
    if jwk.get("kid", thumbprint(jwk)) != thumbprint(jwk):
        raise InvalidInputError("must be the key's RFC 7638 thumbprint", field="kid")
    return private


def _key_bytes(jwk: Mapping[str, Any], name: str) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text.isascii():
        raise InvalidInputError("must be base64url text", field=name, code="invalid_key")
    data = base64url.decode(text.encode(), field=name)
    if len(data) != KEY_BYTES:
        raise InvalidInputError(f"must be {KEY_BYTES} bytes", field=name, code="invalid_key")
    return data


@frozen
class _Revoked:
    revoked_at: float


@frozen
class _Validity:
    nbf: float | None = None
    exp: float | None = None
    revoked: _Revoked | None = None


def _timestamp(numeric_date: float | None) -> datetime | None:
    try:
        return None if numeric_date is None else datetime.fromtimestamp(numeric_date, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidInputError("is not a valid date", field="nbf, exp, revoked") from error


@frozen
class TrustedKey:
    """A public Ed25519 key, valid from `not_before` until `not_after` or `revoked_at`, where set."""

    jwk: Mapping[str, Any]
    not_before: datetime = field(validator=validators.utc)
    not_after: datetime | None = field(default=None, validator=validators.optional(validators.utc))
    revoked_at: datetime | None = field(default=None, validator=validators.optional(validators.utc))
    kid: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "kid", thumbprint(self.jwk))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """The key of a published JWK with its validity; `InvalidInputError` if that is not valid."""
        members = {name: jwk[name] for name in _VALIDITY if name in jwk}
        validity = codec.decode(codec.encode(members), _Validity, field="jwk")
        revoked_at = validity.revoked.revoked_at if validity.revoked else None
        bare = {name: value for name, value in jwk.items() if name not in _VALIDITY}
        return cls(
            bare,
            _timestamp(validity.nbf) or ALWAYS,
            not_after=_timestamp(validity.exp),
            revoked_at=_timestamp(revoked_at),
        )

    @property
    def published_jwk(self) -> dict[str, Any]:
        """The JWK with its validity: ``nbf``, ``exp``, ``revoked``, where set."""
        jwk = dict(self.jwk)
        if self.not_before > ALWAYS:
            jwk["nbf"] = int(self.not_before.timestamp())
        if self.not_after is not None:
            jwk["exp"] = int(self.not_after.timestamp())
        if self.revoked_at is not None:
            jwk["revoked"] = {"revoked_at": int(self.revoked_at.timestamp())}
        return jwk

    def fault(self, at: datetime) -> str | None:
        """Why the key is not valid at this time; None if it is."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return "was revoked"
        if at < self.not_before:
            return "is not valid yet"
        if self.not_after is not None and at >= self.not_after:
            return "has expired"
        return None


class Trust:
    """Keys of known parties by issuer URL, a `jwt.KeyFinder`; `ConfigurationError` if one occurs twice."""

    def __init__(self, keys: Mapping[str, Iterable[TrustedKey]]) -> None:
        self._keys = {issuer: _by_kid(issuer, trusted) for issuer, trusted in keys.items()}

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """The public JWK valid at this time, or `InvalidInputError` (``invalid_issuer``, ``invalid_key``)."""
        known = self._keys.get(issuer)
        if known is None:
            raise InvalidInputError("is unknown", field="iss", code="invalid_issuer")
        trusted = known.get(kid)
        if trusted is None:
            raise InvalidInputError("is not a key of this issuer", field="kid", code="invalid_key")
        fault = trusted.fault(at)
        if fault:
            raise InvalidInputError(fault, field="kid", hint="sign with a valid key", code="invalid_key")
        return trusted.jwk


def _by_kid(issuer: str, keys: Iterable[TrustedKey]) -> dict[str, TrustedKey]:
    by_kid: dict[str, TrustedKey] = {}
    for key in keys:
        if key.kid in by_kid:
            raise ConfigurationError("has a duplicate key", field=issuer, hint="list each key once")
        by_kid[key.kid] = key
    return by_kid
