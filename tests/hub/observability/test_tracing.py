"""Spans for an OpenTelemetry SDK: one per request, one per transaction, and no personal data."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from sesame_sdk.hub.observability import tracing
from sesame_sdk.hub.observability.log_events import ROUTES

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = pytest.mark.timeout(300)

_REPOSITORY = Path(__file__).parents[3]
ROUTE = "/v1/scores/{subject}"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where spans go, for one test: the SDK of the process is left alone."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    ROUTES.add(ROUTE)
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("sesame_sdk.hub"))
    return exporter


def test_a_request_is_a_span_with_route_and_status(exported: InMemorySpanExporter) -> None:
    """Named by OpenTelemetry's conventions for servers."""
    with tracing.request_span() as span:
        tracing.describe_request(span, "GET", ROUTE, 200)
    with tracing.request_span() as span:
        tracing.describe_request(span, "GET", ROUTE, 503)
    good, bad = exported.get_finished_spans()
    assert good.name == "GET /v1/scores/{subject}"
    assert dict(good.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/scores/{subject}",
        "http.response.status_code": 200,
    }
    assert (good.status.status_code, bad.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert good.parent is None
    assert good.context.trace_id != bad.context.trace_id


def test_a_span_has_only_the_type_of_an_error(exported: InMemorySpanExporter) -> None:
    """No message, no trace, no event: an error's words may be a person's."""
    secret = "k5ug6idlnzxxo4zanvsq2dpbge"
    with pytest.raises(ValueError, match=secret), tracing.transaction_span(3):
        int(secret)
    (span,) = exported.get_finished_spans()
    assert dict(span.attributes or {}) == {"sesame.transaction.batch_size": 3, "error.type": "ValueError"}
    assert (span.events, span.status.description) == ((), None)


def test_a_span_holds_no_text_of_a_client(exported: InMemorySpanExporter) -> None:
    """A method or a path that is not the program's own becomes other."""
    with tracing.request_span() as span:
        tracing.describe_request(span, "K5UG6", "/v1/scores/k5ug6", 404)
    (finished,) = exported.get_finished_spans()
    assert finished.name == "other other"
    assert "k5ug6" not in finished.to_json().lower()


def test_without_an_sdk_nothing_is_recorded() -> None:
    """The API's own tracer does nothing, and the block runs."""
    assert type(trace.get_tracer_provider()).__module__.startswith("opentelemetry.trace")
    with tracing.request_span() as span:
        assert not span.is_recording()
        tracing.describe_request(span, "GET", "/", 200)


def test_a_hub_makes_one_span_per_request_and_transaction(tmp_path: Path) -> None:
    """Of a hundred signals in two envelopes there is none; the rest is looked at there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.hub.observability.traced_hub", str(tmp_path)],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
