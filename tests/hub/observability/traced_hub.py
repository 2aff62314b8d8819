"""A program: a hub under an OpenTelemetry SDK takes two envelopes, and its spans are looked at."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sesame_sdk.hub.observability.tracing import ATTRIBUTES
from sesame_sdk.hub.server.server import serve
from tests.hub.server.populated_hub import HubFixture, new_hub_fixture


def _send(made: HubFixture) -> None:
    """Two envelopes of fifty signals, and a request that is refused; then SIGTERM for the hub."""
    made.record_consents("ada")
    for number in range(2):
        signals = [made.order("ada", f"{number}-{place}") for place in range(50)]
        assert made.post(made.shop.seal(*signals), traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01").ok
    assert made.get(f"/v1/scores/{made.shop.pseudonym('ada')}").status_code == 401
    os.kill(os.getpid(), signal.SIGTERM)


def main(folder: str) -> None:
    """Fail unless the spans are right."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    with new_hub_fixture(Path(folder)) as made:
        client = threading.Thread(target=_send, args=(made,))
        with pytest.raises(SystemExit, match=r"^0$"):
            serve(made.path, flags={"port": str(made.port)}, on_ready=lambda _: client.start())
        client.join()
        secret = made.shop.pseudonym("ada")
    spans = exporter.get_finished_spans()
    requests = [span for span in spans if span.name == "POST /v1/events"]
    groups = [span for span in spans if span.name == "transaction"]
    assert len(requests) == 2, [span.name for span in spans]
    assert 2 <= len(groups) < 20, len(groups)
    assert {span.name for span in spans} == {"POST /v1/events", "GET /v1/scores/{subject}", "transaction"}
    for span in spans:
        exported = span.to_json()
        assert set(span.attributes or {}) <= ATTRIBUTES
        assert secret not in exported
        assert "a" * 32 not in exported, "a sender chooses no trace of ours"


if __name__ == "__main__":
    main(*sys.argv[1:])
