"""Tells a wrong clock from a rejection: neither the hub nor its receipt is at fault then.

Every message between parties has a time, and is rejected if that is in the future (`signing.jwt`). So a clock
that is wrong makes valid messages look invalid, on one side or the other. The hub's clock is known from the
``Date`` of its responses (RFC 9110 section 6.6.1), and from the time in what it signed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.errors import GuardRefusedError, InvalidInputError, RetryableError
from sesame_sdk.signing.jwt import LEEWAY, IssuedInFutureError

#: The codes with which a hub rejects a time, among other things.
_CODES = {"invalid_request", "authentication_failed"}
#: How a hub begins its description when what it rejects is the time of signing.
_REJECTED_TIME = "iat: is in the future"
_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_SIGN_ANEW = "sign it anew: sesame outbox redrive"
_HINT = "set this machine's clock; nothing is lost, and the same call succeeds then"


def clock_difference(transport: Transport, now: datetime) -> timedelta | None:
    """How far this machine's clock is ahead of the hub's, to the second; None before an answer had a date."""
    server_time = transport.server_time()
    return None if server_time is None else timedelta(seconds=round((now - server_time).total_seconds()))


def describe_clock(ahead: timedelta) -> str:
    """A sentence such as ``this machine's clock is 61 minutes behind the hub's``."""
    seconds = abs(ahead.total_seconds())
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= 2 * size), _UNITS[-1])
    where = "behind" if ahead < timedelta(0) else "ahead of"
    return f"this machine's clock is {round(seconds / size)} {unit} {where} the hub's"


def is_tolerable(ahead: timedelta) -> bool:
    """Whether tokens are accepted in spite of this difference."""
    return abs(ahead) <= LEEWAY


@contextmanager
def blame_clock(transport: Transport, clock: Callable[[], datetime]) -> Iterator[None]:
    """Raise a `RetryableError` in place of a rejection that a wrong clock explains."""
    try:
        yield
    except GuardRefusedError:
        raise
    except IssuedInFutureError as error:
        raise RetryableError(describe_clock(-error.ahead), hint=_HINT) from error
    except InvalidInputError as error:
        ahead = clock_difference(transport, clock())
        if error.code in _CODES and ahead is not None and not is_tolerable(ahead):
            text = f"{describe_clock(ahead)}, which answered: {error.message}"
            raise RetryableError(text, hint=_HINT) from error
        if error.message.startswith(_REJECTED_TIME):
            if ahead is not None:  # the clocks agree now
                text = f"a clock that was ahead signed it; the hub answered: {error.message}"
                raise InvalidInputError(text, code=error.code, hint=_SIGN_ANEW) from error
            text = f"the clocks of this machine and of the hub differ; the hub answered: {error.message}"
            raise RetryableError(text, hint=_HINT) from error
        raise
