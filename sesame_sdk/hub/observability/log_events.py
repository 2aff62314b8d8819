"""The allow-list of the hub's log: every event, its fields, and the texts that a field may hold.

Rules:
    * an event has the fields listed here, and no free text
    * a text is one of the program's own: a route's template, a name in the code, a code of a standard. What a
      request, a token or a message contains is compared with such a set, and is ``other`` if it is not in it
    * an error is logged by its type, the code of the database or the system, and places in the code; never by
      its message, which may repeat what was refused: PostgreSQL's names the duplicate key
"""

import errno
import re
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

OTHER: Final = "other"
#: The events and their fields.
EVENTS: Mapping[str, frozenset[str]] = {
    # The server.
    "server_started": frozenset({"port", "duration_ms"}),
    "server_stopping": frozenset({"connections"}),
    "server_stopped": frozenset({"duration_ms"}),
    # An exit code below zero is minus the number of a signal.
    "worker_exited": frozenset({"exit_code", "lifetime_ms"}),
    "readiness_changed": frozenset({"state", "error"}),
    "thread_failed": frozenset({"error"}),
    "library_logged": frozenset({"library", "location", "text", "error"}),
    # Requests. An aborted one got no response: the client left, or the hub had to stop.
    "request_completed": frozenset({"method", "route", "status", "duration_ms"}),
    "request_aborted": frozenset({"method", "route", "duration_ms"}),
    "request_failed": frozenset({"route", "error"}),
    # By the guard, with the first ids of its rules.
    "request_refused": frozenset({"route", "status", "findings", "rules"}),
    # Of a registration by a partner, by its number: rules that ask for a person's review of a name.
    "review_needed": frozenset({"partner", "rules"}),
    # The database.
    "database_unavailable": frozenset({"route", "error"}),
    "transaction_failed": frozenset({"batch_size", "error"}),
    # JWK sets of partners, by the partner's number; the second one: the database failed.
    "key_set_failed": frozenset({"partner", "error"}),
    "key_sets_failed": frozenset({"error"}),
    # Streams.
    "stream_worker_failed": frozenset({"error"}),
    "rescoring_failed": frozenset({"stream", "retry_seconds", "error"}),
    "delivery_failed": frozenset({"stream", "retry_seconds", "error"}),
    "message_dead_lettered": frozenset({"stream", "code"}),
}
#: Codes of errors: RFC 8935 section 2.4, RFC 6749 section 5.2, and those that the hub adds.
CODES = frozenset(
    {
        "access_denied",
        "authentication_failed",
        "conflict",
        "internal_error",
        "invalid_audience",
        "invalid_client",
        "invalid_issuer",
        "invalid_key",
        "invalid_request",
        "invalid_scope",
        "not_found",
        "too_many",
        "unauthorized_client",
        "unavailable",
        "unsupported_grant_type",
    }
)
#: RFC 9110 section 9.
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
NO_ROUTE: Final = "(none)"
#: The templates of the application's routes; `server.app` adds them.
ROUTES = {NO_ROUTE}
#: Messages of uvicorn, word for word, that an operator needs. Others are logged by their location alone.
LIBRARY_TEXTS = frozenset(
    {
        "Application shutdown failed. Exiting.",
        "Application startup failed. Exiting.",
        "Cancel %s running task(s), timeout graceful shutdown exceeded",
        "Exceeded concurrency limit.",
        "Exception in ASGI application\n",
        "Finished server process [%d]",
        "Invalid HTTP request received.",
        "Shutting down",
        "Started server process [%d]",
        "Unsupported upgrade request.",
        "Waiting for application shutdown.",
        "Waiting for application startup.",
        "Waiting for background tasks to complete. (CTRL+C to force quit)",
        "Waiting for connections to close. (CTRL+C to force quit)",
    }
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_TEXTS: Mapping[str, Callable[[str], object]] = {
    "method": METHODS.__contains__,
    "route": ROUTES.__contains__,
    "code": CODES.__contains__,
    "rules": re.compile(r"[A-Z]{2,8}-\d{1,3}").fullmatch,
    "library": sys.modules.__contains__,
    "location": re.compile(rf"{_NAME.pattern}:\d{{1,6}}").fullmatch,
    "text": LIBRARY_TEXTS.__contains__,
}
_MAX_ERRORS = 5
_MAX_FRAMES = 12


class UnloggableError(ValueError):
    """A value may not be logged. It is not repeated."""


def clean(field: str, value: object) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """A value as a log line, a metric or a span may hold it.

    Raises:
        UnloggableError: it is a text, and `field` may hold none, or it is of a type that may not be logged.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):  # a name in the code
        return value.value
    if isinstance(value, BaseException):
        return describe_error(value)
    if isinstance(value, tuple):
        return [clean(field, item) for item in value]
    if not isinstance(value, str) or field not in _TEXTS:
        raise UnloggableError(field)
    return value if _TEXTS[field](value) else OTHER


def describe_error(error: BaseException) -> list[dict[str, Any]]:
    """An error and its causes: type, code such as ``ENOSPC``, ``SQLITE_FULL`` or ``40P01``, and places."""
    return [{"type": error_type(one), "code": _code_of(one), "trace": _trace(one)} for one in _chain(error)]


def error_type(error: BaseException) -> str:
    """The name of an error's class."""
    name = type(error).__name__
    return name if _NAME.fullmatch(name) else OTHER


def location(path: str, line: int) -> str:
    """A line of code, without its folder."""
    file = PurePath(path)
    return f"{file.stem}:{line}" if _NAME.fullmatch(file.stem) and file.suffix == ".py" else OTHER


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_MAX_ERRORS):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _code_of(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, OTHER)
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", OTHER)
    # psycopg's errors have it, which is not imported for them: SQLSTATE (SQL:2016 part 2, section 24.1).
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) and _SQLSTATE.fullmatch(state) else None


def _trace(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    return [location(frame.filename, frame.lineno or 0) for frame in frames]
