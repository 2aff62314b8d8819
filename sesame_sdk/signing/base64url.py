"""Encodes and decodes base64url of JOSE (RFC 7515 section 2): no padding, no line breaks, one text per value.

Python's decoders skip unknown characters, or accept text with spare bits; a second text for a value would be
a second spelling of a signature. msgspec's decoder for JSON bytes is strict, and several times as fast as
`binascii`.
"""

import binascii
from collections.abc import Sequence

import msgspec

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import codec

#: What msgspec would accept: the other alphabet, padding, and the two characters that end or escape a JSON
#: string.
_REFUSED = (b"+", b"/", b"=", b'"', b"\\")
#: Missing padding, by the length of a text modulo four. Remainder one is invalid; msgspec refuses it.
_PADDING = (b"", b"", b"==", b"=")
_read_list = codec.decoder(list[bytes]).decode


def encode(data: bytes) -> bytes:
    """The one base64url text of `data`."""
    # Both are rare, and `replace` searches as fast as memchr: `translate` took as long as encoding.
    return binascii.b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


def decode(text: bytes, *, field: str) -> bytes:
    """Decode strictly; `InvalidInputError` for invalid characters, padding or length, or spare bits."""
    (data,) = decode_all([text], field=field)
    if encode(data[len(text) // 4 * 3 :]) != text[len(text) & ~3 :]:
        raise InvalidInputError("has spare bits", field=field)
    return data


def decode_all(texts: Sequence[bytes], *, field: str) -> list[bytes]:
    """Decode many at once, as strictly except for spare bits: for texts whose spelling was hashed."""
    joined = b"".join(texts)
    if any(char in joined for char in _REFUSED):
        raise InvalidInputError("is not base64url", field=field)
    padded = b'","'.join([text + _PADDING[len(text) & 3] for text in texts])
    quoted = b'["%b"]' % padded if texts else b"[]"
    try:
        read: list[bytes] = _read_list(quoted.replace(b"-", b"+").replace(b"_", b"/"))
    except msgspec.DecodeError as error:
        raise InvalidInputError("is not base64url", field=field) from error
    return read
