"""Words that may stand in a log line, a metric or a span: each comes out of a closed set.

Rules:
    * a `Safe` is made in this module alone, from the program's own text: a route's template, a name in the
      code, a code of a standard. What a request, a token or a message holds is compared with such a set,
      and is ``other`` where it is not in it
    * of an error there is its type, the database's or system's code for it, and places in the code; never
      its message, which may repeat what was refused: PostgreSQL's names the key that was there already
"""

import errno
import re
import secrets
import sqlite3
import sys
import traceback
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

from attrs import frozen


class Safe(str):
    """A word that tells nothing about a person."""

    __slots__ = ()


OTHER = Safe("other")
#: Of refusals: RFC 8935 section 2.4, and those that the hub adds.
CODES = frozenset(
    {
        "access_denied",
        "authentication_failed",
        "conflict",
        "invalid_audience",
        "invalid_issuer",
        "invalid_key",
        "internal_error",
        "invalid_request",
        "not_found",
        "too_many",
        "unavailable",
    }
)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_RULE = re.compile(r"[A-Z]{2,8}-\d{1,3}")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_MOST_ERRORS = 5
_MOST_PLACES = 12


@frozen
class Failure:
    """One error of a chain.

    Attributes:
        type: its class.
        code: the system's or the database's name for it, such as ``ENOSPC``, ``SQLITE_FULL`` or ``40P01``.
        trace: where it was raised, innermost last.
    """

    type: Safe
    code: Safe | None
    trace: tuple[Safe, ...]


Fault = tuple[Failure, ...]


def method(scope: Mapping[str, Any]) -> Safe:
    """The method of an HTTP request (RFC 9110 section 9), ``other`` for one that is made up."""
    return _among(scope.get("method"), _METHODS)


def route(scope: Mapping[str, Any]) -> Safe:
    """The template of the route that a request was for: a path may hold a pseudonym."""
    return Safe(scope.get("path_template") or "(none)")


def code(told: str) -> Safe:
    """An error's code, ``other`` for one that is in no list of ours."""
    return _among(told, CODES)


def rule(told: str) -> Safe:
    """The id of a guard rule."""
    return Safe(told) if _RULE.fullmatch(told) else OTHER


def word(told: Enum) -> Safe:
    """A member of an enumeration in the code."""
    return Safe(told.value)


def name(of: type) -> Safe:
    """The name of a class."""
    return Safe(of.__name__) if _NAME.fullmatch(of.__name__) else OTHER


def library(logger: str) -> Safe:
    """The package that a logger belongs to, if there is one of that name."""
    first = logger.partition(".")[0]
    return Safe(first) if first in sys.modules else OTHER


def place(file: str, line: int) -> Safe:
    """A line of code."""
    path = PurePath(file)
    return Safe(f"{path.stem}:{line}") if _NAME.fullmatch(path.stem) and path.suffix == ".py" else OTHER


def text_of(told: object, known: frozenset[str]) -> Safe | None:
    """A library's message, if it is one of those known, whole."""
    return Safe(told) if isinstance(told, str) and told in known else None


def new_id() -> Safe:
    """A new id for a request. The sender's own is not taken: it could be anything."""
    return Safe(secrets.token_hex(8))


def fault(error: BaseException) -> Fault:
    """An error and those that it came from."""
    return tuple(Failure(name(type(one)), _code_of(one), _trace(one)) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_MOST_ERRORS):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _code_of(error: BaseException) -> Safe | None:
    if isinstance(error, OSError) and error.errno is not None:
        return Safe(errno.errorcode.get(error.errno, "other"))
    if isinstance(error, sqlite3.Error):
        return Safe(getattr(error, "sqlite_errorname", "other"))
    # Of psycopg's errors, and not imported for it: SQLSTATE (SQL:2016 part 2, section 24.1).
    state = getattr(error, "sqlstate", None)
    return Safe(state) if isinstance(state, str) and _SQLSTATE.fullmatch(state) else None


def _trace(error: BaseException) -> tuple[Safe, ...]:
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return tuple(place(frame.filename, frame.lineno or 0) for frame in frames)


def _among(told: object, known: frozenset[str]) -> Safe:
    return Safe(told) if isinstance(told, str) and told in known else OTHER
