"""Parses SD-JWTs, and makes disclosures of array elements (RFC 9901 section 4.2.2).

A disclosure is ``base64url([salt, value])``, and the signed token lists its digest. The salt keeps a reader
of the digest from guessing the value. The encoded text is hashed, so that both sides hash the same bytes
however they write JSON.
"""

import hashlib
import os
from collections.abc import Sequence
from itertools import accumulate
from typing import Self

from attrs import field, frozen

from sesame_sdk.constants import MAX_ENVELOPE_BYTES, MAX_SIGNALS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import Token

#: RFC 9901 section 9.3 recommends 128 bits, and 22 characters of base64url hold 132.
_SALT_LENGTH = 22
#: With up to two characters more, every disclosure is a multiple of three bytes: base64url of many, end to
#: end, is then that of each, and all of them are encoded in one go.
_STEP = 3
_MAX_SALT_LENGTH = _SALT_LENGTH + _STEP - 1
#: Length without the value and the further characters: ``["salt",]``.
_AROUND = _SALT_LENGTH + len(b'["",]')
_SALT_BYTES = 18  # as many as the longest salt encodes
#: 32 bytes of SHA-256 are 43 characters; one zero byte more makes it 44, of which the last is constant.
_DIGEST_LENGTH = 43
_DIGEST_STEP = 44


@frozen
class SdJwt:
    """A message, not verified yet: ``JWT~disclosure~disclosure~``, or a JWT alone (disclosures are None)."""

    token: Token
    disclosures: tuple[bytes, ...] | None = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse a message; `InvalidInputError` if its form is invalid, or it exceeds the limits."""
        _check_limits(data)
        encoded, _, _ = data.partition(b"~")
        return cls.from_token(Token.parse(encoded), data)

    @classmethod
    def from_token(cls, token: Token, data: bytes) -> Self:
        """The message that begins with this token; errors as of `parse`."""
        _check_limits(data)
        _, *disclosures = data.split(b"~")
        if not disclosures:
            return cls(token, None)
        if disclosures.pop():
            raise InvalidInputError("must end in ~; key binding is not supported", field="envelope")
        return cls(token, tuple(disclosures))

    @property
    def single_token(self) -> Token:
        """The token of a message without disclosures. Raises `InvalidInputError` if it has some."""
        if self.disclosures is not None:
            raise InvalidInputError("must not have disclosures", field="token")
        return self.token


def disclose(value_json: Sequence[bytes]) -> tuple[list[bytes], list[str]]:
    """Wrap each value, given as JSON, and return the disclosures and their digests in the same order."""
    # One call to the system for all salts: a call for each costs more than hashing it.
    characters = base64url.encode(os.urandom(_SALT_BYTES * len(value_json)))
    starts = range(0, len(characters), _MAX_SALT_LENGTH)
    texts = [
        b'["%b",%b]' % (characters[start : start + _SALT_LENGTH + -(_AROUND + len(value)) % _STEP], value)
        for start, value in zip(starts, value_json, strict=True)
    ]
    encoded = base64url.encode(b"".join(texts))
    ends = list(accumulate(len(text) // _STEP * 4 for text in texts))
    disclosures = [encoded[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return disclosures, digests_of(disclosures)


def digest_of(disclosure: bytes) -> str:
    """Digest of a disclosure, as the signed payload lists it: base64url of SHA-256 over its text."""
    return base64url.encode(hashlib.sha256(disclosure).digest()).decode()


def digests_of(disclosures: Sequence[bytes]) -> list[str]:
    """`digest_of` for many, encoded in one go."""
    sha256 = hashlib.sha256
    hashes = [sha256(disclosure).digest() for disclosure in disclosures]
    characters = base64url.encode(b"\0".join([*hashes, b""])).decode()
    return [characters[start : start + _DIGEST_LENGTH] for start in range(0, len(characters), _DIGEST_STEP)]


def _check_limits(data: bytes) -> None:
    if len(data) > MAX_ENVELOPE_BYTES:
        raise InvalidInputError(
            f"must be at most {MAX_ENVELOPE_BYTES} bytes, not {len(data)}", field="envelope"
        )
    if data.count(b"~") > MAX_SIGNALS + 1:
        raise InvalidInputError(f"must hold at most {MAX_SIGNALS} disclosures", field="envelope")
