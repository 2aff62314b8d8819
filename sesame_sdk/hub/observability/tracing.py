"""Spans for whoever installs an OpenTelemetry SDK: one a request, one a group of the writer.

Without an SDK they cost a few microseconds each and go nowhere. Never one a signal.

Rules:
    * attributes are the `ATTRIBUTES` below, numbers and `safe.Safe` words
    * of an error a span has the type; OpenTelemetry's own habit of recording message and trace is off
    * each span of a request begins a trace of its own: what a sender's ``traceparent`` holds is its business
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from sesame_sdk.hub.observability.safe_values import Safe, name

#: Names of OpenTelemetry's semantic conventions 1.37 where there are any.
METHOD: Final = "http.request.method"
ROUTE: Final = "http.route"
STATUS: Final = "http.response.status_code"
ERROR: Final = "error.type"
PIECES: Final = "sesame.group.pieces"
ATTRIBUTES = frozenset({METHOD, ROUTE, STATUS, ERROR, PIECES})

_tracer = trace.get_tracer("sesame_sdk.hub")


def put(span: Span, attribute: str, value: int | Safe) -> None:
    """Set an attribute.

    Raises:
        KeyError: it is none of ours.
        TypeError: a text that is not `Safe`.
    """
    if attribute not in ATTRIBUTES:
        raise KeyError(attribute)
    if not isinstance(value, int | Safe):
        raise TypeError(f"{attribute} must be a number or Safe")
    span.set_attribute(attribute, str(value) if isinstance(value, Safe) else value)


@contextmanager
def request_span() -> Iterator[Span]:
    """The span of one HTTP request, to be described by `answered` once its route is known."""
    with _span("request", SpanKind.SERVER) as span:
        yield span


def describe_request(span: Span, method: Safe, route: Safe, status: int) -> None:
    """Say what a request was, and how it was answered."""
    if span.is_recording():
        span.update_name(f"{method} {route}")
        put(span, METHOD, method)
        put(span, ROUTE, route)
        put(span, STATUS, status)
        if status >= 500 or not status:
            span.set_status(Status(StatusCode.ERROR))


@contextmanager
def transaction_span(pieces: int) -> Iterator[Span]:
    """The span of one group of the writer, from its beginning to its being on disk."""
    with _span("group", SpanKind.INTERNAL) as span:
        if span.is_recording():
            put(span, PIECES, pieces)
        yield span


def failed(span: Span, error: BaseException) -> None:
    """Say that it came to nothing, and by which type of error."""
    if span.is_recording():
        put(span, ERROR, name(type(error)))
        span.set_status(Status(StatusCode.ERROR))


@contextmanager
def _span(of: str, kind: SpanKind) -> Iterator[Span]:
    # Two steps, since start_as_current_span of the API costs ten times as much where nobody listens.
    span = _tracer.start_span(of, context=Context(), kind=kind)
    if not span.is_recording():
        yield span
        return
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as error:
            failed(span, error)
            raise
