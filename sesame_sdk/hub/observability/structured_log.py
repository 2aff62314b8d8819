"""The hub's log: a `lines.Line` at a time, as JSON or for a person at a terminal, on stderr.

What libraries log, uvicorn first, comes the same way, as `lines.Library`; so does what ends a thread. The
rest of the SDK logs with the standard library, and in a hub's process that is a library like any other.

Rules:
    * a line has the fields of its type, a time, a level and the id of the request; `gate` lets nothing else
      pass. Where it is strict it raises; else it leaves the field out, and counts it in ``withheld``
    * no value is plain text: see `safe`
    * a log that cannot be written fails no request and ends no thread
"""

import logging
import os
import re
import sys
import threading
from contextvars import ContextVar
from typing import Any, TextIO

import msgspec
import structlog
from attrs import define, fields
from structlog.typing import EventDict, Processor

from sesame_sdk.hub.observability import log_events
from sesame_sdk.hub.observability.log_events import Library, Line, ThreadFailed
from sesame_sdk.hub.observability.safe_values import Failure, Safe, fault, library, place, text_of

FORMATS = ("auto", "json", "text")
LEVELS = {
    "debug": log_events.DEBUG,
    "info": log_events.INFO,
    "warning": log_events.WARNING,
    "error": log_events.ERROR,
}
#: Stands for the name of a line that has none of ours.
UNKNOWN = Safe("unknown")
#: The id of the request that is being answered.
REQUEST: ContextVar[Safe | None] = ContextVar("sesame_request", default=None)
#: uvicorn's, word for word, that an operator wants to see. Others are told by their place alone.
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


def _named(kind: type[Line]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


KINDS: dict[str, type[Line]] = {_named(kind): kind for kind in Line.__subclasses__()}
_NAMES = {kind: Safe(name) for name, kind in KINDS.items()}
_NOTHING: tuple[object, ...] = (None, ())
_FIELDS = {kind: tuple(field.name for field in fields(kind) if field.name != "urgency") for kind in _NAMES}
_COMMON = frozenset({"event", "level", "time", "request"})
_ALLOWED = {name: _COMMON.union(_FIELDS[kind]) for name, kind in KINDS.items()}


class NotSafe(AssertionError):
    """Something that may not be logged. Its field is named, and its value is not."""


@define
class _Sink:
    """Where finished lines go: to stderr, whichever that is at the time."""

    stream: TextIO | None = None

    def msg(self, text: str) -> None:
        """Write a line, whole."""
        try:
            stream = self.stream or sys.stderr
            stream.write(text + "\n")
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more, or it is closed
            pass

    debug = info = warning = error = msg


@define
class _Gate:
    strict: bool = False

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        allowed = _ALLOWED.get(event["event"], _COMMON - {"event"})
        passed = {name: value for name, value in event.items() if name in allowed and _is_safe(value)}
        if withheld := sorted(event.keys() - passed.keys()):
            if self.strict:
                raise NotSafe(f"{withheld} may not be logged")
            return {"event": UNKNOWN, **passed, "withheld": len(withheld)}
        return passed


def _is_safe(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_is_safe(part) for part in value)
    return value is None or isinstance(value, bool | int | float | Safe | Failure)


#: The one gate of this process. Tests make it strict.
gate = _Gate()


def log(line: Line) -> None:
    """Log a line."""
    kind = type(line)
    said = {name: value for name in _FIELDS[kind] if (value := getattr(line, name)) not in _NOTHING}
    _log.log(line.urgency, _NAMES[kind], **said)


def configure(*, level: str = "info", log_format: str = "auto", stream: TextIO | None = None) -> None:
    """Log for a server from now on: our own lines, and what libraries and ends of threads say.

    Args:
        level: one of `LEVELS`.
        log_format: one of `FORMATS`; ``auto`` is text at a terminal and else JSON.
        stream: where to; stderr, if it is not said.
    """
    global _log
    target = stream or sys.stderr
    as_text = log_format == "text" or (log_format == "auto" and target.isatty())
    _log = _logger(LEVELS[level], _Sink(stream), _for_people(target) if as_text else _as_json)
    root = logging.getLogger()
    root.handlers[:] = [_FromLibraries()]
    root.setLevel(LEVELS[level])
    logging.captureWarnings(True)
    threading.excepthook = lambda told: _ended(told.exc_value)
    sys.unraisablehook = lambda told: _ended(told.exc_value)


class _FromLibraries(logging.Handler):
    """Says what a library logged, without what it put into its words."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # What is not wrong concerns whoever looks into the library, not whoever runs the hub.
        wrong = [known for known in (log_events.WARNING, log_events.ERROR) if known <= record.levelno]
        log(
            Library(
                library(record.name),
                place(record.pathname, record.lineno),
                text_of(record.msg, LIBRARY_TEXTS),
                fault(error) if error else (),
                urgency=wrong[-1] if wrong else log_events.DEBUG,
            )
        )


def _ended(error: BaseException | None) -> None:
    if error is not None:
        log(ThreadFailed(fault(error)))


def _logger(level: int, sink: _Sink, *rendering: Processor) -> Any:  # noqa: ANN401 - structlog's own
    # Wrapped by us, not configured for all: a process that a hub is a part of may use structlog as well.
    proxy = structlog.wrap_logger(
        sink,
        processors=[
            _add_request,
            _add_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _mark_time,
            gate,
            *rendering,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
    )
    return proxy.bind()


def _add_request(_logger: object, _method: str, event: EventDict) -> EventDict:
    if (request := REQUEST.get()) is not None:
        event["request"] = request
    return event


def _add_level(_logger: object, method: str, event: EventDict) -> EventDict:
    event["level"] = Safe(method)
    return event


def _mark_time(_logger: object, _method: str, event: EventDict) -> EventDict:
    event["time"] = Safe(event["time"])
    return event


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    first = {name: event.pop(name) for name in ("time", "level", "event")}
    return msgspec.json.encode({**first, **event}, enc_hook=str).decode()


def _for_people(target: TextIO) -> Processor:
    colours = target.isatty() and "NO_COLOR" not in os.environ
    render = structlog.dev.ConsoleRenderer(
        timestamp_key="time", colors=colours, sort_keys=False, pad_event_to=16
    )

    def rendered(logger: object, method: str, event: EventDict) -> str:
        if failures := event.pop("fault", ()):
            event["exception"] = "\n".join(_told(failure) for failure in failures)
        event = {
            name: " ".join(value) if isinstance(value, tuple) else value for name, value in event.items()
        }
        return render(logger, method, event)

    return rendered


def _told(failure: Failure) -> str:
    code = f" {failure.code}" if failure.code else ""
    return f"    {failure.type}{code} at {' > '.join(failure.trace) or '?'}"


_log = _logger(log_events.WARNING, _Sink(), _for_people(sys.stderr))
