"""The hub's log: one event a line, as JSON or as text on a terminal, on stderr.

    log.info("request_completed", method="GET", route="/health/live", status=200, duration_ms=0.4)

Rules:
    * `allow_list` passes what `log_events` lists. In tests it is strict and raises; otherwise it drops the
      field, and counts it in ``withheld``
    * messages of libraries (the rest of the SDK is one) and failures of threads go through the same log
    * a log that cannot be written fails no request and ends no thread
"""

import logging
import os
import sys
import threading
from contextvars import ContextVar
from typing import Any, TextIO

import msgspec
import structlog
from attrs import define
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from sesame_sdk.hub.observability import log_events
from sesame_sdk.hub.observability.log_events import EVENTS, UnloggableError, clean

FORMATS = ("auto", "json", "text")
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
#: Replaces the name of an event that is not listed.
UNKNOWN_EVENT = "unknown"
#: The id of the request that is being processed.
REQUEST_ID: ContextVar[str | None] = ContextVar("sesame_request_id", default=None)


@define
class Output:
    """Where and how this process logs.

    Attributes:
        render: turns an event into a line; None until `configure` was called.
        level: the minimum.
        stream: stderr if it is None, whichever that is at the time.
        strict: whether `allow_list` raises.
    """

    render: Processor | None = None
    level: int = logging.WARNING
    stream: TextIO | None = None
    strict: bool = False

    def msg(self, line: str) -> None:
        """Write a line, and ignore that nobody can read it."""
        stream = self.stream or sys.stderr
        try:
            stream.write(line + "\n")
            stream.flush()
        except (OSError, ValueError):  # the pipe or the stream is closed, or the disk is full
            pass

    debug = info = warning = error = msg


output = Output()


def configure(*, level: str = "info", log_format: str = "auto", stream: TextIO | None = None) -> None:
    """Log a server's events, its libraries' messages and its threads' failures from now on.

    Args:
        level: one of `LEVELS`.
        log_format: one of `FORMATS`; ``auto`` is text on a terminal and JSON elsewhere.
        stream: to write to; stderr by default.
    """
    target = stream or sys.stderr
    as_text = log_format == "text" or (log_format == "auto" and target.isatty())
    output.render = text_renderer(target) if as_text else render_json
    output.level, output.stream = LEVELS[level], stream
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler()]
    root.setLevel(output.level)
    logging.captureWarnings(True)
    threading.excepthook = lambda args: _log_thread_failure(args.exc_value)
    sys.unraisablehook = lambda args: _log_thread_failure(args.exc_value)


class _LibraryHandler(logging.Handler):
    """Logs the message of a library without its arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        # What is not wrong matters to developers of the library, and not to operators.
        level = min(record.levelno, logging.ERROR) if record.levelno >= logging.WARNING else logging.DEBUG
        fields: dict[str, Any] = {}
        if record.msg in log_events.LIBRARY_TEXTS:
            fields["text"] = record.msg
        if record.exc_info and record.exc_info[1]:
            fields["error"] = record.exc_info[1]
        log.log(
            level,
            "library_logged",
            library=record.name.partition(".")[0],
            location=log_events.location(record.pathname, record.lineno),
            **fields,
        )


def _log_thread_failure(error: BaseException | None) -> None:
    if error is not None:
        log.error("thread_failed", error=error)


def _drop_below_level(_logger: object, method: str, event: EventDict) -> EventDict:
    if LEVELS[method] < output.level:
        raise structlog.DropEvent
    return event


def allow_list(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Pass the fields of a listed event, with values that may be logged."""
    name = event.pop("event")
    allowed = EVENTS.get(name, frozenset())
    passed: EventDict = {"event": name if name in EVENTS else UNKNOWN_EVENT}
    withheld = [] if name in EVENTS else ["event"]
    for field, value in event.items():
        try:
            if field not in allowed:
                withheld.append(field)
            elif value is not None:
                passed[field] = clean(field, value)
        except UnloggableError:
            withheld.append(field)
    if withheld and output.strict:
        raise UnloggableError(f"{sorted(withheld)} may not be logged")
    return {**passed, "withheld": len(withheld)} if withheld else passed


def _add_request_id(_logger: object, _method: str, event: EventDict) -> EventDict:
    if (request_id := REQUEST_ID.get()) is not None:
        event["request_id"] = request_id
    return event


def _render(logger: object, method: str, event: EventDict) -> Any:  # noqa: ANN401 - structlog's own
    if output.render is None:
        output.render = text_renderer(sys.stderr)
    return output.render(logger, method, event)


def render_json(_logger: object, _method: str, event: EventDict) -> str:
    """One JSON object."""
    first = {name: event.pop(name) for name in ("time", "level", "event")}
    return msgspec.json.encode({**first, **event}).decode()


def text_renderer(target: TextIO) -> Processor:
    """Renders for people: one line, and errors below it."""
    colours = target.isatty() and "NO_COLOR" not in os.environ
    render = structlog.dev.ConsoleRenderer(
        timestamp_key="time", colors=colours, sort_keys=False, pad_event_to=16
    )

    def rendered(logger: object, method: str, event: EventDict) -> str:
        if errors := event.pop("error", ()):
            event["exception"] = "\n".join(
                f"    {error['type']} {error['code'] or ''} at {' > '.join(error['trace']) or '?'}"
                for error in errors
            )
        event = {name: " ".join(value) if isinstance(value, list) else value for name, value in event.items()}
        return render(logger, method, event)

    return rendered


#: The one logger of a hub. Wrapped and not configured: a process that embeds a hub may use structlog as well.
log: FilteringBoundLogger = structlog.wrap_logger(
    output,
    processors=[
        _drop_below_level,
        allow_list,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_request_id,
        _render,
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    context_class=dict,
)
