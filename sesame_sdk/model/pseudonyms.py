"""Derives pseudonyms and signal ids from a partner's own identifiers.

Both are keyed hashes under a secret of the partner, which is not a signing key. Without the secret a guess
("is this customer 17850?") cannot be tested, and two partners cannot match their pseudonyms.
"""

import hashlib
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import field, frozen

from sesame_sdk.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from hashlib import _Hash

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 24 * 60 * 60 * 1000
SECRET_BYTES = 32
_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
#: Base32 (RFC 4648 section 6) in lower case: 128 bits and two zeros are thirteen pairs of characters.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_LETTER_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
_SPARE_BITS = 2
_SHIFTS = range(120, -1, -10)
# Bits of a hash as the first digit of UUID's fourth group, whose top two bits say the variant: 10.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


@frozen(eq=False)  # secrets are never compared, and a cache by identity needs no hash of one
class Pseudonymizer:
    """Derives pseudonyms and signal ids for one partner.

    Args:
        secret: 32 random bytes. If they are lost, signals sent before are no longer recognized; if they are
            leaked, guesses can be tested.

    Raises:
        ConfigurationError: the secret is too short.
    """

    _secret: bytes = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if len(self._secret) < SECRET_BYTES:
            raise ConfigurationError(
                f"must be {SECRET_BYTES} random bytes",
                field="secret",
                hint="create one with: sesame keys new",
            )

    def pseudonym(self, natural_id: str) -> str:
        """Derive the pseudonym of a person from the partner's own identifier.

        Raises:
            InvalidInputError: it is not text, is empty, or has a lone surrogate.
        """
        digest = self._hash("subject", natural_id)[:16]
        # Base32, since base64url may start with a dash, which a command line takes for an option. One look-up
        # for two characters is four times as fast as the standard library.
        bits = int.from_bytes(digest) << _SPARE_BITS
        return "".join([_LETTER_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])

    def signal_id(self, kind: str, natural_key: str, occurred_at: datetime) -> str:
        """Derive the id of a signal from the partner's own key, such as an order number.

        The layout is UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then bits of the hash in place
        of random ones. The same input gives the same id; ids sort by time.

        Raises:
            InvalidInputError: `occurred_at` is not UTC, or outside 1970 to 10889; or `natural_key` is empty,
                or has a lone surrogate.
        """
        if getattr(occurred_at, "tzinfo", None) is not UTC:  # also if it is no datetime
            raise InvalidInputError("must be in UTC", field="occurred_at", hint="call .astimezone(UTC) on it")
        since = occurred_at - _EPOCH
        milliseconds = since.days * _DAY + since.seconds * 1000 + since.microseconds // 1000
        if not 0 <= milliseconds < 1 << 48:
            raise InvalidInputError("must not be before 1970", field="occurred_at")
        tail = self._hash("signal\x00" + kind, natural_key).hex()
        time = f"{milliseconds:012x}"
        return f"{time[:8]}-{time[8:]}-7{tail[:3]}-{_VARIANT[tail[4]]}{tail[5:8]}-{tail[8:20]}"

    def _hash(self, purpose: str, natural: object) -> bytes:  # any value of a partner's file
        if not isinstance(natural, str) or not natural:
            raise InvalidInputError("must be text, and not empty", field="natural_key")
        try:
            encoded = f"{purpose}\x00{natural}".encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError("has a lone surrogate", field="natural_key") from error
        inner, outer = self._keyed
        keyed, around = inner.copy(), outer.copy()
        keyed.update(encoded)
        around.update(keyed.digest())
        return around.digest()

    @cached_property
    def _keyed(self) -> "tuple[_Hash, _Hash]":
        """HMAC (RFC 2104) with the key hashed before: takes half the time of `hmac.digest`."""
        key = self._secret if len(self._secret) <= _BLOCK else hashlib.sha256(self._secret).digest()
        key = key.ljust(_BLOCK, b"\0")
        return hashlib.sha256(key.translate(_INNER)), hashlib.sha256(key.translate(_OUTER))
