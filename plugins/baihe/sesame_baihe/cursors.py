"""Where to go on in a snapshot: an opaque text that only we can make, for one member alone.

    base64url( session, 16 bytes | first place, 4 bytes | HMAC-SHA256 of both and the member, 16 bytes )

It names nobody and no score, so it may stand in a URL.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from sesame_sdk import InvalidInputError

SESSION = 16
_PLACE = 4
_TAG = 16
_SIZE = SESSION + _PLACE + _TAG


def write(key: bytes, member: str, session: bytes, start: int) -> str:
    """The cursor for what begins at place `start`, counted from 0, of a session's snapshot."""
    said = session + start.to_bytes(_PLACE, "big")
    return urlsafe_b64encode(said + _tag(key, member, said)).decode()


def read(key: bytes, member: str, cursor: str) -> tuple[bytes, int]:
    """Session and place.

    Raises:
        InvalidInputError: this member was not given this cursor.
    """
    try:
        found = urlsafe_b64decode(cursor.encode("ascii"))
    except (AttributeError, ValueError):
        found = b""
    said, tag = found[:-_TAG], found[-_TAG:]
    # Written anew and compared: base64 has several texts for the same bytes.
    whole = len(found) == _SIZE and urlsafe_b64encode(found).decode() == cursor
    if not whole or not hmac.compare_digest(tag, _tag(key, member, said)):
        raise InvalidInputError(
            "is none that this member was given", field="cursor", hint="open the first page"
        )
    return said[:SESSION], int.from_bytes(said[SESSION:], "big")


def _tag(key: bytes, member: str, said: bytes) -> bytes:
    return hmac.digest(key, said + member.encode(errors="surrogatepass"), sha256)[:_TAG]
