"""What an HTTP answer means for the one who asked. Pure.

| status | meaning | raised |
| --- | --- | --- |
| 2xx | the answer | |
| 408, 425, 429, 5xx | not now; heed ``Retry-After`` (RFC 9110 section 10.2.3) | `Retryable` |
| 3xx | not here: we follow no redirect, since a signed message is for one address | `Misconfigured` |
| 404, 405, 410 | no hub at this address | `Misconfigured` |
| 401, 403, 407 without a reason of RFC 8935 | something before the hub bars the way | `Misconfigured` |
| other 4xx | the hub will never take this (RFC 8935 section 2.4) | `Rejected`, `Refused` |

What the other side writes is shortened and freed of control characters before anybody is shown it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec
from attrs import frozen

from sesame_sdk.errors import Misconfigured, Refused, Rejected, Retryable, SesameError
from sesame_sdk.model.finding import Finding

_PASSING = {408, 425, 429}
_BARRED = {401, 403, 407}
_NOT_A_HUB = {404, 405, 410}
_LONGEST_TEXT = 400
_LONGEST_CODE = 64
_MOST_FINDINGS = 10


@frozen
class Answer:
    """An HTTP response, read to its end. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@frozen
class _Refusal:
    """The body of a refusal: RFC 8935 section 2.4, and our guard's findings beside it."""

    err: str
    description: str = ""
    findings: tuple[Finding, ...] = ()


_refusal = msgspec.json.Decoder(_Refusal)


def judge(answer: Answer, now: datetime) -> Answer:
    """Give back a good answer.

    Raises:
        Retryable, Misconfigured, Rejected, Refused: by the table above.
    """
    if 200 <= answer.status < 300:
        return answer
    raise _verdict(answer, now)


def _verdict(answer: Answer, now: datetime) -> SesameError:
    status = answer.status
    if status >= 500 or status in _PASSING:
        wait = retry_after(answer.headers.get("retry-after", ""), now)
        return Retryable(f"answered {status}", field="hub", retry_after=wait)
    if 300 <= status < 400:
        return Misconfigured(f"answered {status}, a redirect", field="hub", mend="set its final address")
    if status in _NOT_A_HUB:
        return Misconfigured(f"answered {status}: no hub is there", field="hub", mend="check its address")
    said = _said(answer.body)
    if said is not None:
        return _refused(said)
    if status in _BARRED:
        return Misconfigured(f"answered {status}", field="hub", mend="ask its operator to let you through")
    return Rejected(f"the hub answered {status} without a reason that we can read")


def _said(body: bytes) -> _Refusal | None:
    try:
        return _refusal.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Rejected):
        return None


def _refused(said: _Refusal) -> Rejected:
    reason = plain(said.description) or "the hub gave no reason"
    if not said.findings:
        return Rejected(reason, code=plain(said.err)[:_LONGEST_CODE] or "invalid_request")
    listed = "; ".join(plain(str(finding)) for finding in said.findings[:_MOST_FINDINGS])
    return Refused(f"{reason}: {listed}", said.findings)


def retry_after(header: str, now: datetime) -> float | None:
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


def plain(text: str) -> str:
    """Text from outside, fit to be shown on a terminal and logged on one line."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_TEXT]).strip()
