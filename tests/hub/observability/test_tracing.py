"""Spans for whoever installs an OpenTelemetry SDK: one a request, one a group, and nothing about people."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, StatusCode

from sesame_sdk.hub.observability import tracing
from sesame_sdk.hub.observability.safe_values import Safe

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = pytest.mark.timeout(300)

_REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where spans go, for one test: the SDK of the process is left alone."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("sesame_sdk.hub"))
    return exporter


def test_a_request_is_a_span_with_route_and_status(exported: InMemorySpanExporter) -> None:
    """Named by OpenTelemetry's conventions for servers."""
    with tracing.request_span() as span:
        tracing.describe_request(span, Safe("GET"), Safe("/v1/scores/{subject}"), 200)
    with tracing.request_span() as span:
        tracing.describe_request(span, Safe("GET"), Safe("/v1/scores/{subject}"), 503)
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


def test_an_error_is_told_by_its_type_alone(exported: InMemorySpanExporter) -> None:
    """No message, no trace, no event: an error's words may be a person's."""
    secret = "k5ug6idlnzxxo4zanvsq2dpbge"
    with pytest.raises(ValueError, match=secret), tracing.transaction_span(3):
        int(secret)
    (span,) = exported.get_finished_spans()
    assert dict(span.attributes or {}) == {"sesame.group.pieces": 3, "error.type": "ValueError"}
    assert (span.events, span.status.description) == ((), None)


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        pytest.param("enduser.id", 1, KeyError, id="an attribute that is none of ours"),
        pytest.param(tracing.ROUTE, "/v1/scores/k5ug6", TypeError, id="a text that is not safe"),
        pytest.param(tracing.STATUS, 1.5, TypeError, id="a fraction, which could be a signal's value"),
    ],
)
def test_only_what_is_listed_can_be_put_on_a_span(
    attribute: str, value: object, error: type[Exception]
) -> None:
    """Loudly: there is no other way to put something on one."""
    with pytest.raises(error):
        tracing.put(INVALID_SPAN, attribute, value)  # type: ignore[arg-type]


def test_without_an_sdk_nothing_is_recorded() -> None:
    """The API's own tracer does nothing, and the block runs."""
    assert type(trace.get_tracer_provider()).__module__.startswith("opentelemetry.trace")
    with tracing.request_span() as span:
        assert not span.is_recording()
        tracing.describe_request(span, Safe("GET"), Safe("/"), 200)


def test_a_hub_under_an_sdk_makes_one_span_a_request_and_one_a_group(tmp_path: Path) -> None:
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
