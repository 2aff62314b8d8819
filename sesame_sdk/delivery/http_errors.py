"""Turns HTTP responses into exceptions. Pure.

| status | meaning | raised |
| --- | --- | --- |
| 2xx | success | |
| 408, 425, 5xx | temporary; respect ``Retry-After`` (RFC 9110 section 10.2.3) | `RetryableError` |
| 429 | rate limit exceeded; the same (RFC 6585 section 4) | `RateLimitedError` |
| 3xx | redirects are not followed: a signed message is for one address | `ConfigurationError` |
| 404, 405, 410 | no hub at this address | `ConfigurationError` |
| 401, 403, 407 without an error of RFC 8935 | a proxy before the hub denies access | `ConfigurationError` |
| other 4xx without an error of RFC 8935 | a proxy before the hub answered, not the hub | `RetryableError` |
| other 4xx | the hub rejects the message (RFC 8935 section 2.4) | `InvalidInputError`, `GuardRefusedError` |

Text of the response is shortened and made printable before it becomes an error message. Findings stay as they
came, so that they equal the hub's: their number and length are limited, one that cannot be decoded is left
out, and they are made printable where they are shown.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec
from attrs import frozen

from sesame_sdk.errors import (
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RateLimitedError,
    RetryableError,
    SesameError,
)
from sesame_sdk.model import codec
from sesame_sdk.model.finding import REFUSED, Finding
from sesame_sdk.text import terminal_text

_TOO_MANY_REQUESTS = 429
_TEMPORARY = {408, 425, _TOO_MANY_REQUESTS}
_ACCESS_DENIED = {401, 403, 407}
_NOT_A_HUB = {404, 405, 410}
_STREAM_CODES = {400: "invalid_request", 404: "not_found", 409: "conflict"}
_MAX_TEXT = 400
_MAX_CODE = 64
#: Findings that are read, and those of them that the message repeats.
_MAX_FINDINGS = 100
_MAX_QUOTED_FINDINGS = 10
#: Ample for `_MAX_FINDINGS` of the greatest length, in any script.
_MAX_REFUSAL_BYTES = 1 << 19


@frozen
class HttpResponse:
    """An HTTP response, read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class _Refusal:
    """The body of a refusal: RFC 8935 section 2.4, or problem details (RFC 9457) of our own type."""

    err: str = ""
    description: str = ""
    type: str = ""
    detail: str = ""
    findings: tuple[msgspec.Raw, ...] = ()


_refusal = codec.decoder(_Refusal)
_finding = codec.decoder(Finding)
_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidInputError)


def raise_for_status(response: HttpResponse, now: datetime) -> HttpResponse:
    """Return a successful response; raises by the table above."""
    if 200 <= response.status < 300:
        return response
    raise _error(response, now)


def raise_for_stream_status(response: HttpResponse, now: datetime) -> HttpResponse:
    """As `raise_for_status`, for a transmitter whose errors need not have a body (SSF 1.0 section 8.1)."""
    code = _STREAM_CODES.get(response.status)
    if code is None:
        return raise_for_status(response, now)
    refusal = _decode_refusal(response.body)
    if refusal is not None:
        raise _refusal_error(refusal)
    raise InvalidInputError(f"the transmitter returned HTTP {response.status}", field="stream", code=code)


def _error(response: HttpResponse, now: datetime) -> SesameError:
    status = response.status
    if status >= 500 or status in _TEMPORARY:
        wait = parse_retry_after(response.headers.get("retry-after", ""), now)
        kind = RateLimitedError if status == _TOO_MANY_REQUESTS else RetryableError
        return kind(f"returned HTTP {status}", field="hub", retry_after=wait)
    if 300 <= status < 400:
        return ConfigurationError(
            f"returned HTTP {status}, a redirect", field="hub", hint="configure its final URL"
        )
    if status in _NOT_A_HUB:
        return ConfigurationError(
            f"returned HTTP {status}: no hub at this URL", field="hub", hint="check its URL"
        )
    refusal = _decode_refusal(response.body)
    if refusal is not None:
        return _refusal_error(refusal)
    if status in _ACCESS_DENIED:
        return ConfigurationError(f"returned HTTP {status}", field="hub", hint="ask its operator for access")
    return RetryableError(
        f"HTTP {status} without an error of a hub: a proxy before it answered",
        field="hub",
        hint="check the limits and rules of the proxy",
    )


def _decode_refusal(body: bytes) -> _Refusal | None:
    if len(body) > _MAX_REFUSAL_BYTES:
        return None
    try:
        refusal = _refusal.decode(body)
    except _DECODE_ERRORS:
        return None
    return refusal if refusal.err or refusal.type == REFUSED else None


def _refusal_error(refusal: _Refusal) -> InvalidInputError:
    reason = _quoted(refusal.description or refusal.detail) or "the hub gave no reason"
    findings = tuple(_decode_findings(refusal.findings[:_MAX_FINDINGS]))
    if not findings and refusal.type != REFUSED:
        return InvalidInputError(reason, code=_quoted(refusal.err)[:_MAX_CODE] or "invalid_request")
    listed = (_quoted(str(finding)) for finding in findings[:_MAX_QUOTED_FINDINGS])
    return GuardRefusedError("; ".join((reason, *listed)), findings)


def _decode_findings(findings: Iterable[msgspec.Raw]) -> Iterator[Finding]:
    for finding in findings:
        try:
            yield _finding.decode(finding)
        except _DECODE_ERRORS:
            continue  # perhaps of a newer hub; the others suffice


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Seconds of a ``Retry-After`` header: whole seconds or an HTTP-date. None if it is neither."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return float(header[:9])
    until = parse_http_date(header)
    return max(0.0, (until - now).total_seconds()) if until else None


def parse_http_date(header: str) -> datetime | None:
    """An HTTP-date (RFC 9110 section 5.6.7). None if it is none."""
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # the second for a year or a zone beyond all dates
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _quoted(text: str) -> str:
    return terminal_text(text[:_MAX_TEXT]).strip()
