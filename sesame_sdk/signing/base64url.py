"""Base64url as JOSE has it (RFC 7515 section 2): no padding, no line breaks, and one text a value.

Python's own decoders skip what they do not know, or take a text whose spare bits are set; two texts
for one value is how a signature gets a second spelling.
"""

import binascii

from sesame_sdk.errors import Rejected

_TO_URL = bytes.maketrans(b"+/", b"-_")
#: To the alphabet that `binascii` reads. The two letters of the other alphabet become ones that it refuses.
TO_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")
#: What is missing at the end of a text, by its length modulo four; a rest of one is never right.
PADDING = (b"", b"!", b"==", b"=")


def encode(data: bytes) -> bytes:
    """The one base64url text of `data`."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def decode(text: bytes, *, field: str) -> bytes:
    """Read base64url, and nothing that merely looks like it.

    Raises:
        Rejected: a foreign letter, padding, an impossible length or spare bits that are set.
    """
    standard = text.translate(TO_STANDARD) + PADDING[len(text) & 3]
    try:
        data = binascii.a2b_base64(standard, strict_mode=True)
    except binascii.Error as error:
        raise Rejected("is not base64url", field=field) from error
    if encode(data) != text:
        raise Rejected("is not base64url in its shortest form", field=field)
    return data
