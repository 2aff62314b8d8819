"""Encodes and decodes the model as JSON with msgspec, which supports attrs classes natively."""

import base64
import hashlib
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeVar

import msgspec
import rfc8785
from attrs import evolve

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.policy import Policy

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
encode = _encoder.encode


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_lock = Lock()


def decoder(kind: object) -> msgspec.json.Decoder[Any]:
    """Return the decoder for a type, created once, and never two at a time.

    While msgspec inspects a class, other threads can see its incomplete result, and a process in which one
    uses that crashes (seen with 0.22).
    """
    cached = _decoders.get(kind)
    if cached is None:
        with _lock:
            cached = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    return cached


def encode_each(values: Sequence[object]) -> list[bytes]:
    """`encode` many values in one call. Our JSON has no line feeds, so that one can separate them."""
    return _encoder.encode_lines(values).split(b"\n")[:-1]


def without_unset(value: object) -> Any:  # noqa: ANN401 - JSON
    """`value` as JSON objects and lists, without the members that are not set (None), at any depth."""
    return _drop_none(msgspec.to_builtins(value, order="deterministic"))


def _drop_none(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _drop_none(member) for name, member in value.items() if member is not None}
    return [_drop_none(item) for item in value] if isinstance(value, list) else value


def decode(data: bytes | str, kind: type[T], *, field: str | None = None) -> T:
    """Decode JSON; an `InvalidInputError` names `field`, else the name of `kind`, and what was expected."""
    try:
        decoded: T = decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(str(error), field=field or kind.__name__.lower()) from error
    return decoded


def canonical_json(value: object) -> bytes:
    """The canonical JSON of `value` (RFC 8785): the same bytes from every implementation.

    Raises:
        InvalidInputError: a number has no exact double (an integer beyond 2^53, an infinity).
    """
    try:
        return rfc8785.dumps(msgspec.to_builtins(value, order="deterministic"))
    except rfc8785.CanonicalizationError as error:
        hint = "use numbers that a double holds exactly"
        raise InvalidInputError(str(error), field=type(value).__name__.lower(), hint=hint) from error


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON of `value` without unset members, base64url without padding."""
    hashed = hashlib.sha256(canonical_json(without_unset(value))).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def policy_digest(policy: Policy) -> str:
    """The digest of a policy: equal for equal rules, regardless of the file's formatting."""
    return digest(evolve(policy, digest=""))


def manifest_digest(manifest: Manifest) -> str:
    """The digest of a plugin's declarations; a hub computes it again and compares."""
    return digest(evolve(manifest, digest=""))
