"""Base64url as JOSE has it (RFC 7515 section 2): no padding, no line breaks, and one text a value.

Python's own decoders skip what they do not know, or take a text whose spare bits are set; two texts
for one value is how a signature gets a second spelling. msgspec's decoder, which reads the JSON text
of a bytes value, is strict, and several times as fast as `binascii`.
"""

import binascii
from collections.abc import Sequence

import msgspec

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import codec

#: What msgspec would not refuse as a foreign letter: those of the other alphabet, padding, and the two
#: by which a text could reach out of the JSON string that it is read from.
_REFUSED = (b"+", b"/", b"=", b'"', b"\\")
#: What is missing at the end of a text, by its length modulo four. A rest of one is never right; msgspec
#: refuses it.
_PADDING = (b"", b"", b"==", b"=")
_read_list = codec.decoder(list[bytes]).decode


def encode(data: bytes) -> bytes:
    """The one base64url text of `data`."""
    # Both letters are rare in text, and `replace` looks for one at the rate of memchr: `translate` took as
    # long as encoding.
    return binascii.b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


def decode(text: bytes, *, field: str) -> bytes:
    """Read base64url, and nothing that merely looks like it.

    Raises:
        InvalidInputError: a foreign letter, padding, an impossible length or spare bits that are set.
    """
    (data,) = decode_all([text], field=field)
    if encode(data[len(text) // 4 * 3 :]) != text[len(text) & ~3 :]:
        raise InvalidInputError("has spare bits set at its end", field=field)
    return data


def decode_all(texts: Sequence[bytes], *, field: str) -> list[bytes]:
    """Read many at once, as strictly but for the spare bits: for texts whose own spelling was hashed.

    Raises:
        InvalidInputError: one of them is not base64url.
    """
    joined = b"".join(texts)
    if any(letter in joined for letter in _REFUSED):
        raise InvalidInputError("is not base64url", field=field)
    padded = b'","'.join([text + _PADDING[len(text) & 3] for text in texts])
    quoted = b'["%b"]' % padded if texts else b"[]"
    try:
        read: list[bytes] = _read_list(quoted.replace(b"-", b"+").replace(b"_", b"/"))
    except msgspec.DecodeError as error:
        raise InvalidInputError("is not base64url", field=field) from error
    return read
