"""Spans for an OpenTelemetry SDK, if one is installed: one per request, one per transaction of the writer.

Without an SDK each costs a few microseconds. OpenTelemetry's own ASGI middleware does not fit: its spans hold
the path, which may contain a pseudonym, and the client's address.

Rules:
    * a span has the `ATTRIBUTES` below, numbers and texts that `log_events.clean` passes
    * of an error a span has the type; recording message and trace is off
    * each request starts a trace of its own: a client's ``traceparent`` is ignored
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from sesame_sdk.hub.observability.log_events import clean, error_type

#: Names of OpenTelemetry's semantic conventions 1.37, as far as it has them.
METHOD: Final = "http.request.method"
ROUTE: Final = "http.route"
STATUS: Final = "http.response.status_code"
ERROR: Final = "error.type"
BATCH_SIZE: Final = "sesame.transaction.batch_size"
ATTRIBUTES = frozenset({METHOD, ROUTE, STATUS, ERROR, BATCH_SIZE})

_tracer = trace.get_tracer("sesame_sdk.hub")


@contextmanager
def request_span() -> Iterator[Span]:
    """The span of one HTTP request, for `describe_request` once its route is known."""
    with _span("request", SpanKind.SERVER) as span:
        yield span


def describe_request(span: Span, method: str, route: str, status: int) -> None:
    """Set a request's name and attributes; a status of 0 means that there was no response."""
    if span.is_recording():
        method, route = clean("method", method), clean("route", route)
        span.update_name(f"{method} {route}")
        span.set_attributes({METHOD: method, ROUTE: route, STATUS: status})
        if status >= 500 or not status:
            span.set_status(Status(StatusCode.ERROR))


@contextmanager
def transaction_span(batch_size: int) -> Iterator[Span]:
    """The span of one transaction of the writer, until it is on disk."""
    with _span("transaction", SpanKind.INTERNAL) as span:
        if span.is_recording():
            span.set_attribute(BATCH_SIZE, batch_size)
        yield span


@contextmanager
def _span(name: str, kind: SpanKind) -> Iterator[Span]:
    # Two steps, since the API's start_as_current_span costs ten times as much without an SDK.
    span = _tracer.start_span(name, context=Context(), kind=kind)
    if not span.is_recording():
        yield span
        return
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException as error:
            span.set_attribute(ERROR, error_type(error))
            span.set_status(Status(StatusCode.ERROR))
            raise
