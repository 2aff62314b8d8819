"""What a hub counts: right, in closed labels, on a port of its own, also for several processes."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.observability import metrics
from sesame_sdk.model.envelope import DropReason
from tests.hub.fixtures import LATE
from tests.hub.process import free_port
from tests.hub.server.populated_hub import HubFixture, new_hub_fixture
from tests.hub.server.process import HubProcess, running, wait_until

Figures = dict[str, float]


def samples(port: int) -> Figures:
    """Every sample by its name with its labels, as Prometheus reads it."""
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30)
    answer.raise_for_status()
    return {
        sample.name
        + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubFixture, HubProcess, int]]:
    """A hub that shows its figures, and got envelopes: good, known, dropped, refused."""
    port = free_port()
    with (
        new_hub_fixture(tmp_path_factory.mktemp("metrics")) as made,
        running(made.path, made.port, metrics_address=f"127.0.0.1:{port}") as process,
    ):
        made.record_consents("ada")
        first = made.shop.seal(made.order("ada", "1"), made.order("ada", "2"), made.order("bob", "3"))
        again = made.shop.seal(made.order("ada", "2"), made.shop.signal("ada", "4", LATE))
        for body in (first, first, again, made.shop.seal(made.shop.signal("ada", "5", "retail.no.kind"))):
            assert made.post(body).status_code == 202
        assert made.post(first[:-40]).status_code == 400
        assert made.get(f"/v1/scores/{made.shop.pseudonym('ada')}").status_code == 401
        yield made, process, port


def test_envelopes_and_signals_are_counted_once_they_are_on_disk(
    served: tuple[HubFixture, HubProcess, int],
) -> None:
    """New ones by what became of their signals; one that was sent again adds no signal."""
    values = samples(served[2])
    assert values["sesame_envelopes_total outcome=new"] == 3
    assert values["sesame_envelopes_total outcome=duplicate"] == 1
    signals = {
        name: values[f"sesame_signals_total outcome={name}"] for name in ("kept", "duplicate", *DropReason)
    }
    assert signals == {
        **dict.fromkeys(DropReason, 0),
        "kept": 3,
        "duplicate": 1,
        DropReason.NO_GRANT: 1,
        DropReason.KIND_NOT_REGISTERED: 1,
    }


def test_requests_are_counted_by_route_and_refusals_by_code(
    served: tuple[HubFixture, HubProcess, int],
) -> None:
    """The template of the route, and a code of RFC 8935."""
    values = samples(served[2])
    assert values["sesame_requests_total method=POST route=/v1/events status=202"] == 4
    assert values["sesame_requests_total method=POST route=/v1/events status=400"] == 1
    assert values["sesame_requests_total method=GET route=/v1/scores/{subject} status=401"] == 1
    assert values["sesame_refused_total code=authentication_failed"] == 1
    assert values["sesame_request_seconds_count route=/v1/events"] == 5


def test_the_writer_and_the_feed_show_how_they_are(served: tuple[HubFixture, HubProcess, int]) -> None:
    """Groups with their size and time, nothing waiting, a ledger that is up."""
    values = samples(served[2])
    assert values["sesame_transaction_batch_size_count"] == values["sesame_commit_seconds_count"] >= 4
    assert values["sesame_transaction_batch_size_sum"] >= 4
    assert values["sesame_write_queue_length"] == 0
    assert values["sesame_failed_transactions_total"] == 0
    assert values["sesame_database_up"] == values["sesame_ready"] == 1
    assert values["sesame_stream_lag_seconds"] == 0
    assert values["process_resident_memory_bytes"] > 10_000_000


def test_no_label_can_be_chosen_from_outside(served: tuple[HubFixture, HubProcess, int]) -> None:
    """Whatever is asked for, the values of labels come from what the program knows."""
    made, _, port = served
    odd = "k5ug6idlnzxxo4zanvsq2dpbge"
    for method, path in (("GET", f"/{odd}"), (odd.upper(), "/v1/events"), ("GET", f"/v1/scores/{odd}?{odd}")):
        requests.request(method, made.url + path, headers={"Host": odd}, timeout=30)
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    assert odd not in text.lower()
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {"method", "route", "status", "code", "outcome", "le", "implementation"}
    assert 'route="(none)"' in text


def test_metrics_are_not_on_the_port_of_partners(served: tuple[HubFixture, HubProcess, int]) -> None:
    """Nor anywhere, unless it was asked for."""
    made, _, _ = served
    assert made.get("/metrics").status_code == 404


def test_undelivered_updates_are_a_lag(tmp_path: Path) -> None:
    """It grows while they wait, and is gone once they are taken."""
    port = free_port()
    with (
        new_hub_fixture(tmp_path) as made,
        running(made.path, made.port, metrics_address=f"127.0.0.1:{port}"),
    ):
        made.record_consents("ada")
        url, bearer = f"{made.url}/v1/ssf", partial(made.bearer, made.shop.stream_token())
        stream = requests.post(f"{url}/stream", json={}, headers=bearer(), timeout=30).json()["stream_id"]
        assert made.post(made.shop.seal(made.order("ada", "1"))).status_code == 202
        wait_until(lambda: samples(port)["sesame_stream_lag_seconds"] > 0.5)
        asked = {"returnImmediately": True}

        def settled() -> bool:
            answer = requests.post(f"{url}/poll/{stream}", json=asked, headers=bearer(), timeout=30).json()
            asked["ack"] = list(answer["sets"])  # type: ignore[assignment]
            return samples(port)["sesame_stream_lag_seconds"] == 0

        wait_until(settled)


def test_an_address_in_use_is_reported() -> None:
    """By its setting, before the hub is served."""
    with metrics.serve_metrics("") as nothing:
        assert nothing is None
    port = free_port()
    with (
        metrics.serve_metrics(f"127.0.0.1:{port}"),
        pytest.raises(ConfigurationError, match="metrics_address: cannot listen"),
        metrics.serve_metrics(f"127.0.0.1:{port}"),
    ):
        pass


_WORKER = """
import sys
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.log_events import ROUTES
from sesame_sdk.model.envelope import DropReason

ROUTES.add("/v1/events")
for _ in range(int(sys.argv[1])):
    metrics.count_envelope(10, 1, 3, {DropReason.NO_GRANT: 2})
    metrics.count_request("POST", "/v1/events", 202, 0.01)
metrics.WRITE_QUEUE_LENGTH.set(int(sys.argv[1]))
metrics.DATABASE_UP.set(1)
metrics.STREAM_LAG_SECONDS.set(int(sys.argv[1]))
print("counted", flush=True)
sys.stdin.read()
"""


def test_several_processes_are_shown_as_one_hub() -> None:
    """Counts and histories are sums, also of a process that has ended; gauges are of the living."""
    port = free_port()
    before = dict(os.environ)
    with metrics.multiprocess_folder():
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", _WORKER, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for number in (3, 4)
        ]
        for worker in workers:
            assert worker.stdout
            assert worker.stdout.readline() == b"counted\n"
        with metrics.serve_metrics(f"127.0.0.1:{port}"):
            values = samples(port)
            assert values["sesame_signals_total outcome=kept"] == 70
            assert values["sesame_signals_total outcome=no_grant"] == 14
            assert values["sesame_requests_total method=POST route=/v1/events status=202"] == 7
            assert values["sesame_request_seconds_count route=/v1/events"] == 7
            assert (values["sesame_write_queue_length"], values["sesame_database_up"]) == (7, 1)
            assert workers[0].communicate() == (b"", None)
            metrics.mark_process_dead(workers[0].pid)
            later = samples(port)
            assert later["sesame_signals_total outcome=kept"] == 70
            assert (later["sesame_write_queue_length"], later["sesame_stream_lag_seconds"]) == (4, 4)
            workers[1].communicate()
    assert dict(os.environ) == before
