"""What an HTTP answer means for the one who asked. Pure.

| status | meaning | raised |
| --- | --- | --- |
| 2xx | the answer | |
| 408, 425, 5xx | not now; heed ``Retry-After`` (RFC 9110 section 10.2.3) | `RetryableError` |
| 429 | we ask for too much; the same (RFC 6585 section 4) | `RateLimitedError` |
| 3xx | not here: we follow no redirect, since a signed message is for one address | `ConfigurationError` |
| 404, 405, 410 | no hub at this address | `ConfigurationError` |
| 401, 403, 407 without a reason of RFC 8935 | something before the hub bars the way | `ConfigurationError` |
| other 4xx | the hub will never take this (RFC 8935 section 2.4) | `InvalidInputError`, `GuardRefusedError` |

What the other side writes is shortened and freed of control characters before it is made a message.
Findings stay as they came, so that they equal the hub's own: they are bounded in number and length, one
that we cannot read is left out, and whoever shows them takes control characters out.
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
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.problem_details import REFUSED
from sesame_sdk.text import terminal_text

_TOO_MANY = 429
_PASSING = {408, 425, _TOO_MANY}
_BARRED = {401, 403, 407}
_NOT_A_HUB = {404, 405, 410}
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
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidInputError)


def raise_for_status(answer: HttpResponse, now: datetime) -> HttpResponse:
    """Give back a good answer.

    Raises:
        SesameError: by the table above.
    """
    if 200 <= answer.status < 300:
        return answer
    raise _verdict(answer, now)


def _verdict(answer: HttpResponse, now: datetime) -> SesameError:
    status = answer.status
    if status >= 500 or status in _PASSING:
        wait = parse_retry_after(answer.headers.get("retry-after", ""), now)
        kind = RateLimitedError if status == _TOO_MANY else RetryableError
        return kind(f"answered {status}", field="hub", retry_after=wait)
    if 300 <= status < 400:
        return ConfigurationError(f"answered {status}, a redirect", field="hub", hint="set its final address")
    if status in _NOT_A_HUB:
        return ConfigurationError(
            f"answered {status}: no hub is there", field="hub", hint="check its address"
        )
    said = _said(answer.body)
    if said is not None:
        return _refused(said)
    if status in _BARRED:
        return ConfigurationError(
            f"answered {status}", field="hub", hint="ask its operator to let you through"
        )
    return InvalidInputError(f"the hub answered {status} without a reason that we can read")


def _said(body: bytes) -> _Refusal | None:
    if len(body) > _MAX_REFUSAL_BYTES:
        return None
    try:
        said = _refusal.decode(body)
    except _UNREADABLE:
        return None
    return said if said.err or said.type == REFUSED else None


def _refused(said: _Refusal) -> InvalidInputError:
    reason = _quoted(said.description or said.detail) or "the hub gave no reason"
    findings = tuple(_readable(said.findings[:_MAX_FINDINGS]))
    if not findings and said.type != REFUSED:
        return InvalidInputError(reason, code=_quoted(said.err)[:_MAX_CODE] or "invalid_request")
    listed = (_quoted(str(finding)) for finding in findings[:_MAX_QUOTED_FINDINGS])
    return GuardRefusedError("; ".join((reason, *listed)), findings)


def _readable(findings: Iterable[msgspec.Raw]) -> Iterator[Finding]:
    for finding in findings:
        try:
            yield _finding.decode(finding)
        except _UNREADABLE:
            continue  # of a newer hub perhaps; the others say enough


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: whole seconds or an HTTP-date. None if it is neither."""
    header = header.strip()
    if header.isascii() and header.isdecimal():
        return float(header[:9])
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # the second for a year or a zone beyond all dates
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def _quoted(text: str) -> str:
    return terminal_text(text[:_MAX_TEXT]).strip()
