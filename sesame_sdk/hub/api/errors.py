"""Turns errors into responses as in RFC 8935 section 2.4: ``{"err", "description"}``.

A refusal by the guard is ``application/problem+json`` (RFC 9457) with all findings, and also has ``err`` and
``description`` for clients that know RFC 8935 alone. Its log line has only the ids of the rules, since
partners wrote what a finding is about.

| error | status |
| --- | --- |
| `InvalidInputError`, `GuardRefusedError` about an event | 400, as RFC 8935 says |
| `InvalidInputError` about a read: the token was rejected | 401 |
| the same: the reader may not read for this purpose; `GuardRefusedError` | 403 |
| `InvalidInputError` about a stream: not found, exists already, requested too often | 404, 409, 429 |
| `RateLimitedError` | 429 with ``Retry-After`` (RFC 6585 section 4) |
| `RetryableError`; a failure of the database | 503 with ``Retry-After`` |
| anything else | 500 without details |
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
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.log_events import NO_ROUTE
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.model import codec
from sesame_sdk.model.finding import problem

_AnyRequest = Request[Any, Any, Any]

_REJECTED_TOKEN = {"authentication_failed", "invalid_issuer", "invalid_key", "invalid_audience"}
_STREAM_STATUS = {"not_found": 404, "conflict": 409, "too_many": 429}
_DATABASE_RETRY_AFTER = "5"
#: The response has all findings of a plugin with a hundred bad kinds; a log line needs no more than these.
MAX_LOGGED_RULES = 20


def on_event_error(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """400."""
    if isinstance(error, GuardRefusedError):
        return _refused_by_guard(request, error, 400)
    return _respond(400, error.code, str(error))


def on_read_error(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """401, 403 or 400."""
    if isinstance(error, GuardRefusedError):
        return _refused_by_guard(request, error, 403)
    if error.code in _REJECTED_TOKEN:
        return _respond(401, error.code, str(error), headers={"WWW-Authenticate": 'Bearer realm="scores"'})
    return _respond(403 if error.code == "access_denied" else 400, error.code, str(error))


def on_stream_error(request: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """As for reads; 404, 409 and 429 as in SSF 1.0 section 8.1."""
    if error.code in _STREAM_STATUS:
        status = _STREAM_STATUS[error.code]
        headers = {"Retry-After": "2"} if status == 429 else None
        return _respond(status, error.code, str(error), headers=headers)
    return on_read_error(request, error)


def on_oauth_error(_: _AnyRequest, error: InvalidInputError) -> Response[bytes]:
    """400 or 401 as in RFC 6749 section 5.2. A refusal by the guard is ``unauthorized_client`` there."""
    if error.code in _REJECTED_TOKEN or error.code == "invalid_client":
        status, code = 401, "invalid_client"
    elif error.code == "access_denied" or isinstance(error, GuardRefusedError):
        status, code = 400, "unauthorized_client"
    else:
        status, code = 400, error.code
    metrics.count_refusal(code)
    body = {"error": code, "error_description": str(error)}
    return Response(codec.encode(body), status_code=status, media_type=MediaType.JSON)


def _on_rate_limited(_: _AnyRequest, error: RateLimitedError) -> Response[bytes]:
    return _respond(429, "too_many", str(error), headers=_retry_after(error))


def _on_retryable(_: _AnyRequest, error: RetryableError) -> Response[bytes]:
    return _respond(503, "unavailable", str(error), headers=_retry_after(error))


def _on_database_failure(request: _AnyRequest, error: Exception) -> Response[bytes]:
    log.warning("database_unavailable", route=_route(request), error=error)
    headers = {"Retry-After": _DATABASE_RETRY_AFTER}
    return _respond(503, "unavailable", "the database does not respond", headers=headers)


def _on_http_exception(_: _AnyRequest, error: HTTPException) -> Response[bytes]:
    code = "invalid_request" if error.status_code < 500 else "internal_error"
    return _respond(error.status_code, code, error.detail, headers=dict(error.headers or {}))


def _on_unexpected(request: _AnyRequest, error: Exception) -> Response[bytes]:
    log.error("request_failed", route=_route(request), error=error)
    return _respond(500, "internal_error", "internal error; the hub's operator finds it in the log")


HANDLERS: dict[int | type[Exception], Any] = {
    InvalidInputError: on_event_error,
    RateLimitedError: _on_rate_limited,
    RetryableError: _on_retryable,
    **dict.fromkeys(FAILURES, _on_database_failure),
    HTTPException: _on_http_exception,
    SesameError: _on_unexpected,
    Exception: _on_unexpected,
}


def _refused_by_guard(request: _AnyRequest, error: GuardRefusedError, status: int) -> Response[bytes]:
    rules = tuple(dict.fromkeys(finding.rule for finding in error.findings))[:MAX_LOGGED_RULES]
    count = len(error.findings)
    log.warning("request_refused", route=_route(request), status=status, findings=count, rules=rules)
    metrics.count_refusal(error.code)
    body = problem(error, status=status, err=error.code, description=str(error))
    return Response(codec.encode(body), status_code=status, media_type=PROBLEM_MEDIA_TYPE)


def _respond(
    status: int, code: str, description: str, *, headers: dict[str, str] | None = None
) -> Response[bytes]:
    metrics.count_refusal(code)
    body = {"err": code, "description": description}
    return Response(codec.encode(body), status_code=status, media_type=MediaType.JSON, headers=headers)


def _route(request: _AnyRequest) -> str:
    return request.scope.get("path_template") or NO_ROUTE


def _retry_after(error: RetryableError) -> dict[str, str]:
    """Whole seconds, at least one (RFC 9110 section 10.2.3)."""
    return {"Retry-After": str(max(1, math.ceil(error.retry_after or 1)))}
