"""Our errors as HTTP answers, in the form of RFC 8935 section 2.4: ``{"err", "description"}``.

What the guard refused is more than that: see `problems`.

| error | status |
| --- | --- |
| `InvalidInputError`, `GuardRefusedError` about an event | 400, as RFC 8935 says |
| `InvalidInputError` about a read: the token is not believed | 401 |
| the same: the reader may not read for this; `GuardRefusedError`: nobody may | 403 |
| `InvalidInputError` about a stream: not there, there already, asked for too often | 404, 409, 429 |
| `RateLimitedError` | 429 with ``Retry-After`` (RFC 6585 section 4) |
| `RetryableError`; the database failed | 503 with ``Retry-After`` |
| anything else | 500, and nothing of it shown |
"""

import math
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from sesame_sdk.constants import PROBLEM_MEDIA_TYPE
from sesame_sdk.errors import (
    GuardRefusedError,
    InvalidInputError,
    RateLimitedError,
    RetryableError,
    SesameError,
)
from sesame_sdk.hub.database.dialects.base import FAILURES
from sesame_sdk.hub.observability import log_events, metrics, safe_values
from sesame_sdk.hub.observability.log_events import LedgerFailed, RequestFailed
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.model import codec
from sesame_sdk.model.problem_details import problem

_AnyRequest = Request[Any, Any, Any]

_NOT_BELIEVED = {"authentication_failed", "invalid_issuer", "invalid_key", "invalid_audience"}
_LEDGER_RETRY_AFTER = "5"
#: A plugin with a hundred bad kinds is told of them all; an operator's log needs no more than these.
MOST_LOGGED = 20
_OF_STREAMS = {"not_found": 404, "conflict": 409, "too_many": 429}


def refusal(request: _AnyRequest, error: GuardRefusedError, status: int) -> Response[bytes]:
    """The answer to a request that the guard refused; also writes its log line."""
    rules = tuple(dict.fromkeys(safe_values.rule(finding.rule) for finding in error.findings))
    log(
        log_events.Refused(safe_values.route(request.scope), status, len(error.findings), rules[:MOST_LOGGED])
    )
    metrics.count_refusal(error.code)
    said = problem(error, status=status, err=error.code, description=str(error))
    return Response(codec.encode(said), status_code=status, media_type=PROBLEM_MEDIA_TYPE)


def on_rejected(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """400."""
    if isinstance(error, GuardRefusedError):
        return refusal(request, error, 400)
    return _answer(400, error.code, str(error))


def on_read_rejected(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """401, 403 or 400."""
    if isinstance(error, GuardRefusedError):
        return refusal(request, error, 403)
    if error.code in _NOT_BELIEVED:
        return _answer(401, error.code, str(error), headers={"WWW-Authenticate": 'Bearer realm="scores"'})
    return _answer(403 if error.code == "access_denied" else 400, error.code, str(error))


def on_feed_rejected(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """As for reads; 404, 409 and 429 where SSF 1.0 section 8.1 asks for them."""
    if error.code in _OF_STREAMS:
        status = _OF_STREAMS[error.code]
        wait = {"Retry-After": "2"} if status == 429 else None
        return _answer(status, error.code, str(error), headers=wait)
    return on_read_rejected(request, error)


def on_too_many(_: _AnyRequest, error: RateLimitedError) -> Response[bytes]:
    """429."""
    return _answer(429, "too_many", str(error), headers=_wait(error))


def on_retryable(_: _AnyRequest, error: RetryableError) -> Response[bytes]:
    """503."""
    return _answer(503, "unavailable", str(error), headers=_wait(error))


def on_database(request: _AnyRequest, error: Exception) -> Response[bytes]:
    """503: the ledger is away, or its disk is full."""
    log(LedgerFailed(safe_values.route(request.scope), safe_values.fault(error)))
    return _answer(
        503, "unavailable", "the ledger does not answer", headers={"Retry-After": _LEDGER_RETRY_AFTER}
    )


def on_http(_: _AnyRequest, error: HTTPException) -> Response[bytes]:
    """What the framework or `bodies` refuses."""
    code = "invalid_request" if error.status_code < 500 else "internal_error"
    return _answer(error.status_code, code, error.detail, headers=dict(error.headers or {}))


def on_anything(request: _AnyRequest, error: Exception) -> Response[bytes]:
    """500. The log gets its type and where it was raised; the sender gets nothing of it."""
    log(RequestFailed(safe_values.route(request.scope), safe_values.fault(error)))
    return _answer(500, "internal_error", "the hub failed; its operator can see why in its log")


HANDLERS: dict[int | type[Exception], Any] = {
    InvalidInputError: on_rejected,
    RateLimitedError: on_too_many,
    RetryableError: on_retryable,
    **dict.fromkeys(FAILURES, on_database),
    HTTPException: on_http,
    SesameError: on_anything,
    Exception: on_anything,
}


def _wait(error: RetryableError) -> dict[str, str]:
    """Whole seconds, and never none (RFC 9110 section 10.2.3)."""
    return {"Retry-After": str(max(1, math.ceil(error.retry_after or 1)))}


def _answer(
    status: int, code: str, description: str, *, headers: dict[str, str] | None = None
) -> Response[bytes]:
    metrics.count_refusal(code)
    body = {"err": code, "description": description}
    return Response(codec.encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)
