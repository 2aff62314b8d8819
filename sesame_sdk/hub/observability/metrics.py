"""Counts for Prometheus, and the port where an operator reads them.

Rules:
    * the values of labels come from closed sets: routes, methods, status codes, error codes, outcomes. None
      names a partner, a kind or a person
    * signals are counted once they are on disk
    * processes that share a port count into one folder (`multiprocess_folder`), and are shown as one hub
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    multiprocess,
    start_http_server,
)

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.hub.observability.log_events import clean
from sesame_sdk.model.envelope import DropReason

#: Where prometheus_client looks for the folder that processes share. It looks once, when it is imported.
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_registry = CollectorRegistry()
ProcessCollector(registry=_registry)

REQUESTS = Counter(
    "sesame_requests_total",
    "HTTP requests with a response.",
    ("method", "route", "status"),
    registry=_registry,
)
REQUEST_SECONDS = Histogram(
    "sesame_request_seconds",
    "Duration of HTTP requests, from the first byte to the end of the response.",
    ("route",),
    buckets=_SECONDS,
    registry=_registry,
)
REFUSED = Counter("sesame_refused_total", "Requests refused, by error code.", ("code",), registry=_registry)
ENVELOPES = Counter(
    "sesame_envelopes_total", "Envelopes acknowledged: new, or a duplicate.", ("outcome",), registry=_registry
)
SIGNALS = Counter(
    "sesame_signals_total",
    "Signals of new envelopes: kept, a duplicate, corrected, or dropped for a reason.",
    ("outcome",),
    registry=_registry,
)
WRITE_QUEUE_LENGTH = Gauge(
    "sesame_write_queue_length",
    "Tasks that wait for the database writer.",
    multiprocess_mode="livesum",
    registry=_registry,
)
TRANSACTION_BATCH_SIZE = Histogram(
    "sesame_transaction_batch_size",
    "Tasks in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=_registry,
)
COMMIT_SECONDS = Histogram(
    "sesame_commit_seconds",
    "Duration of transactions, until commit or rollback.",
    buckets=_SECONDS,
    registry=_registry,
)
FAILED_TRANSACTIONS = Counter(
    "sesame_failed_transactions_total", "Transactions that the database rejected.", registry=_registry
)
STREAM_LAG_SECONDS = Gauge(
    "sesame_stream_lag_seconds",
    "Age of the oldest undelivered score update.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
STREAM_WORKER_UP = Gauge(
    "sesame_stream_worker_up",
    "1 while the rounds that rescore and push streams succeed.",
    multiprocess_mode="livemin",
    registry=_registry,
)
STREAM_SCAN_SECONDS = Gauge(
    "sesame_stream_scan_seconds",
    "Age of the oldest change that concerns everyone, and for which not everyone was rescored yet.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
FAILED_RESCORINGS = Counter(
    "sesame_failed_rescorings_total",
    "Batches in which the scores of one stream could not be computed.",
    registry=_registry,
)
PUSH_DELIVERIES = Counter(
    "sesame_push_deliveries_total", "Deliveries to push endpoints.", ("outcome",), registry=_registry
)
DATABASE_UP = Gauge(
    "sesame_database_up", "1 while the database responds.", multiprocess_mode="livemin", registry=_registry
)
READY = Gauge(
    "sesame_ready", "1 while the hub can process requests.", multiprocess_mode="livemin", registry=_registry
)

# A series that exists from the start shows its first increase.
for _outcome in ("kept", "duplicate", "corrected", *DropReason):
    SIGNALS.labels(_outcome)
for _outcome in ("new", "duplicate"):
    ENVELOPES.labels(_outcome)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request with a response."""
    route = clean("route", route)
    REQUESTS.labels(clean("method", method), route, status).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def count_refusal(code: str) -> None:
    """Count a refusal by its code."""
    REFUSED.labels(clean("code", code)).inc()


def count_envelope(kept: int, duplicates: int, corrected: int, dropped: Mapping[DropReason, int]) -> None:
    """Count a new envelope that is on disk."""
    ENVELOPES.labels("new").inc()
    SIGNALS.labels("kept").inc(kept)
    SIGNALS.labels("duplicate").inc(duplicates)
    SIGNALS.labels("corrected").inc(corrected)
    for reason, count in dropped.items():
        SIGNALS.labels(reason).inc(count)


def count_duplicate_envelope() -> None:
    """Count an envelope that was already on disk."""
    ENVELOPES.labels("duplicate").inc()


@contextmanager
def multiprocess_folder() -> Iterator[None]:
    """A folder into which several processes count, until the block ends.

    The process that starts the others enters it first: they find the folder in their environment. They must
    be new processes, and not forks of one that has already counted.
    """
    with tempfile.TemporaryDirectory(prefix="sesame-metrics-") as folder:
        os.environ[MULTIPROCESS_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS_VARIABLE]


def mark_process_dead(process: int) -> None:
    """A process has ended: its counters stay, its gauges do not."""
    if MULTIPROCESS_VARIABLE in os.environ:
        multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call] # it has no types


@contextmanager
def serve_metrics(address: str) -> Iterator[None]:
    """Serve the metrics at ``host:port``; nowhere, if it is empty.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry=_shown_registry())
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen at {address}: {error.strerror}",
            field="metrics_address",
            hint="choose a free port",
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _shown_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    if MULTIPROCESS_VARIABLE in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # it has no types
        return registry
    return _registry
