"""What a hub counts, for Prometheus; and the port of its own where an operator reads it.

Rules:
    * every label comes out of a closed set: routes, methods, status codes, codes of errors, reasons. None
      names a partner, a kind or a person
    * what is counted of signals is counted once it is on disk
    * several processes that serve one port count into one folder (`shared`), and are shown as one hub
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
from sesame_sdk.hub.observability.safe_values import Safe, code, word
from sesame_sdk.model.envelope import DropReason

#: Where prometheus_client looks for the folder that processes share. It looks once, when it is imported.
MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_registry = CollectorRegistry()
ProcessCollector(registry=_registry)

REQUESTS = Counter(
    "sesame_requests_total", "Requests answered.", ("method", "route", "status"), registry=_registry
)
REQUEST_SECONDS = Histogram(
    "sesame_request_seconds",
    "From a request's first byte to the end of its answer.",
    ("route",),
    buckets=_SECONDS,
    registry=_registry,
)
REFUSED = Counter("sesame_refused_total", "Requests refused, by code.", ("code",), registry=_registry)
ENVELOPES = Counter(
    "sesame_envelopes_total",
    "Envelopes acknowledged: new ones, and those sent again.",
    ("outcome",),
    registry=_registry,
)
SIGNALS = Counter(
    "sesame_signals_total",
    "Signals of new envelopes: kept, there already, or dropped, by reason.",
    ("outcome",),
    registry=_registry,
)
WRITE_QUEUE_LENGTH = Gauge(
    "sesame_writer_waiting",
    "Pieces of work that wait for the ledger.",
    multiprocess_mode="livesum",
    registry=_registry,
)
TRANSACTION_BATCH_SIZE = Histogram(
    "sesame_group_pieces",
    "Pieces of work in one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=_registry,
)
COMMIT_SECONDS = Histogram(
    "sesame_commit_seconds",
    "From the beginning of a transaction to its being on disk, or undone.",
    buckets=_SECONDS,
    registry=_registry,
)
FAILED_TRANSACTIONS = Counter(
    "sesame_failed_groups_total", "Transactions that the ledger did not take.", registry=_registry
)
STREAM_LAG_SECONDS = Gauge(
    "sesame_feed_lag_seconds",
    "For how long the oldest news that readers are owed has waited for them to take it.",
    multiprocess_mode="livemostrecent",
    registry=_registry,
)
PUSH_DELIVERIES = Counter(
    "sesame_pushes_total", "Deliveries to readers that are pushed to.", ("outcome",), registry=_registry
)
DATABASE_UP = Gauge(
    "sesame_ledger_up", "1 while the ledger answers.", multiprocess_mode="livemin", registry=_registry
)
READY = Gauge(
    "sesame_ready", "1 while the hub can do its work.", multiprocess_mode="livemin", registry=_registry
)
_KEPT, _DUPLICATE = Safe("kept"), Safe("duplicate")
_NEW, _AGAIN = Safe("new"), Safe("again")
_OUTCOMES = (_KEPT, _DUPLICATE, *map(word, DropReason))

for _outcome in _OUTCOMES:  # a series that is there from the start can be compared from the start
    SIGNALS.labels(_outcome)
for _outcome in (_NEW, _AGAIN):
    ENVELOPES.labels(_outcome)


def count_request(method: Safe, route: Safe, status: int, seconds: float) -> None:
    """Count a request."""
    REQUESTS.labels(method, route, status).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def count_refusal(told: str) -> None:
    """Count a refusal by its code."""
    REFUSED.labels(code(told)).inc()


def count_envelope(kept: int, duplicates: int, dropped: Mapping[DropReason, int]) -> None:
    """Count an envelope that is new, and on disk."""
    ENVELOPES.labels(_NEW).inc()
    SIGNALS.labels(_KEPT).inc(kept)
    SIGNALS.labels(_DUPLICATE).inc(duplicates)
    for reason, many in dropped.items():
        SIGNALS.labels(word(reason)).inc(many)


def count_duplicate_envelope() -> None:
    """Count an envelope that was on disk before."""
    ENVELOPES.labels(_AGAIN).inc()


@contextmanager
def multiprocess_folder() -> Iterator[None]:
    """A folder into which processes count together, for as long as they run.

    To be entered by the process that starts the others, before it starts them: they find the folder in
    their environment. They must be new processes, and not forks of one that has counted already.
    """
    with tempfile.TemporaryDirectory(prefix="sesame-metrics-") as folder:
        os.environ[MULTIPROCESS_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS_VARIABLE]


def mark_process_dead(process: int) -> None:
    """A process of those that count together has ended: what it counted stays, what it showed does not."""
    if MULTIPROCESS_VARIABLE in os.environ:
        multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call] # it has no types


@contextmanager
def serve_metrics(address: str) -> Iterator[None]:
    """Answer at ``host:port`` with all that was counted; nowhere, if it is empty.

    Raises:
        ConfigurationError: nobody can listen there.
    """
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry=_counted())
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


def _counted() -> CollectorRegistry:
    found = CollectorRegistry()
    if MULTIPROCESS_VARIABLE in os.environ:
        multiprocess.MultiProcessCollector(found)  # type: ignore[no-untyped-call] # it has no types
        return found
    return _registry
