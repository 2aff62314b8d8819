"""One spelling of an issuer URL, so that a party has one name.

Tokens compare issuers and audiences as text (RFC 7519 section 2), but people write them as URLs. So an issuer
is normalized where it enters, by the syntax alone (RFC 3986 sections 6.2.2 and 6.2.3):

- scheme and host in lower case, the host in ASCII (RFC 3490) and without a dot at its end
- no default port, no leading zeros, and IPv6 addresses in their shortest form
- percent-encodings in upper case, and none of characters that need none
- no ``.`` and ``..``, and no slash at the end
"""

import ipaddress
import re
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.validators import URL_PATTERN

_DEFAULT_PORTS = {"http": 80, "https": 443}
_is_url = re.compile(URL_PATTERN, re.IGNORECASE).fullmatch
_is_host = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*").fullmatch
_percent_encoded = re.compile(r"%([0-9A-Fa-f]{2})").sub
#: Characters of a path that are not encoded: RFC 3986 section 3.3; "%" begins an encoding.
_PATH_CHARACTERS = "/:@!$&'()*+,;=-._~%"
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalize_issuer(url: str) -> str:
    """The one spelling of an issuer URL. What is no URL is returned as it is, for a validator to reject.

    Raises:
        InvalidInputError: the host or the port is invalid.
    """
    try:
        return _normalize(url) if _is_url(url) else url
    except TypeError:  # it is no text
        return url


@lru_cache(4096)
def _normalize(url: str) -> str:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, _host(parts), parts.port
    except ValueError as error:  # a UnicodeError too
        raise InvalidInputError("has an invalid host or port", field="issuer") from error
    if port == 0:
        raise InvalidInputError("has an invalid port", field="issuer")
    shown = "" if port is None or port == _DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{host}{shown}{_path(parts.path)}"


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    host = host if host.isascii() else host.encode("idna").decode()
    if not _is_host(host):
        raise ValueError
    return host


def _path(path: str) -> str:
    encoded = _percent_encoded(_decode_unreserved, quote(path, safe=_PATH_CHARACTERS))
    kept: list[str] = []
    for segment in encoded.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "".join(f"/{segment}" for segment in kept).rstrip("/")


def _decode_unreserved(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()
