"""Disclosures of array elements (RFC 9901 section 4.2.2): ``base64url([salt, value])``, known by a digest.

The salt keeps a reader who holds only the digest from guessing the value. What is hashed is the text
that travels, so that both sides hash the same bytes however they write JSON.
"""

import hashlib
import os
from collections.abc import Sequence

from sesame_sdk.signing import base64url

#: RFC 9901 section 9.3 recommends 128 bits; 144 is the next that base64url writes without a remainder.
SALT_BYTES = 18
_SALT_LETTERS = 24
#: 32 bytes of SHA-256 are 43 letters; one zero byte more makes it 44, the last of which is no news.
_DIGEST_LETTERS = 43
_DIGEST_STEP = 44


def disclose(value_json: Sequence[bytes]) -> tuple[list[bytes], list[str]]:
    """Wrap each value, given as JSON, and return the disclosures and their digests in the same order."""
    # One call to the system for all salts: a call for each costs more than hashing it.
    salts = base64url.encode(os.urandom(SALT_BYTES * len(value_json)))
    starts = range(0, len(salts), _SALT_LETTERS)
    disclosures = [
        base64url.encode(b'["' + salts[start : start + _SALT_LETTERS] + b'",' + value + b"]")
        for start, value in zip(starts, value_json, strict=True)
    ]
    return disclosures, digests_of(disclosures)


def digest_of(disclosure: bytes) -> str:
    """What the signed payload calls a disclosure: base64url of SHA-256 over its text."""
    return base64url.encode(hashlib.sha256(disclosure).digest()).decode()


def digests_of(disclosures: Sequence[bytes]) -> list[str]:
    """`digest_of` for many, encoded in one go."""
    sha256 = hashlib.sha256
    hashes = [sha256(disclosure).digest() for disclosure in disclosures]
    letters = base64url.encode(b"\0".join([*hashes, b""])).decode()
    return [letters[start : start + _DIGEST_LETTERS] for start in range(0, len(letters), _DIGEST_STEP)]
