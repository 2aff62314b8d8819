"""The wire form of the nouns: JSON, by msgspec, which decodes attrs classes natively."""

import base64
import hashlib
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeVar

import msgspec
from attrs import evolve

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.model.policy import Policy

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")
encode = _encoder.encode


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}
_making = Lock()


def decoder(kind: object) -> msgspec.json.Decoder[Any]:
    """A decoder for one type, made once, and never two at a time.

    While msgspec learns what a class holds, other threads already find what it knows so far, and a process
    in which one uses that dies of it (seen with 0.22).
    """
    found = _decoders.get(kind)
    if found is None:
        with _making:
            found = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    return found


def encode_each(values: Sequence[object]) -> list[bytes]:
    """`encode` for many in one call. No line feed stands in JSON of ours, so that one can part them."""
    return _encoder.encode_lines(values).split(b"\n")[:-1]


def decode(data: bytes | str, kind: type[T], *, field: str | None = None) -> T:
    """Read one noun from JSON.

    Args:
        data: the JSON, of a size that the caller has looked at.
        kind: what it should hold.
        field: what the caller calls it; the name of `kind` unless it says.

    Raises:
        InvalidInputError: naming the field, and what was expected there.
    """
    try:
        found: T = decoder(kind).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(str(error), field=field or kind.__name__.lower()) from error
    return found


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON of `value` (sorted keys, no spaces), base64url without padding."""
    hashed = hashlib.sha256(_encoder.encode(value)).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def policy_digest(policy: Policy) -> str:
    """What a policy is known by: equal for equal rules, whatever the file looked like."""
    return digest(evolve(policy, digest=""))


def manifest_digest(manifest: Manifest) -> str:
    """What a plugin's declarations are known by; a hub computes it again and compares."""
    return digest(evolve(manifest, digest=""))
