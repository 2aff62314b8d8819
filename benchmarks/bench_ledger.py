"""From a client to the durable ledger over loopback HTTP, beside the database's own bulk insert.

The hub is two workers, processes of their own. What counts for us is everything between a list of signals
and receipts for all of them: signing, outbox on disk, HTTP, verifying, consent, ledger on disk, receipt.
Beside it stand the same hub when it gets one signed token a request, as other Shared Signals software sends
them; the ledger when twenty million rows are there already; and the hub's memory.

To try fewer: ``python -m benchmarks.bench_ledger 100000 1000000 sqlite``, for so many on so many.
"""

import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import requests
from attrs import define, field
from rich.console import Console
from rich.progress import track

from benchmarks import baseline, fixture_hub
from benchmarks.fixture_hub import CONNECTIONS, PEOPLE, PRODUCTS, SHOP, FixtureHub
from benchmarks.scaling_plot import Scaling
from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.signing.envelopes import seal

SIGNALS, STEPS, SINGLE, THERE_ALREADY = 2_000_000, 8, 2_000, 20_000_000
_MEBIBYTE = 1 << 20
T = TypeVar("T")


@define
class _Run:
    """What one product came to, step by step: seconds of ours and of the two baselines, and MiB after it."""

    ours: list[float] = field(factory=list)
    each: list[float] = field(factory=list)
    bulk: list[float] = field(factory=list)
    memory: list[float] = field(factory=list)
    single: float = 0.0


def rows(
    signals: int = SIGNALS, products: Sequence[str] = PRODUCTS, there: int = THERE_ALREADY
) -> list[BenchmarkResult]:
    """Six rows a product."""
    return [row for product in products for row in _rows_of(product, signals, there)]


def _rows_of(product: str, signals: int, there: int) -> list[BenchmarkResult]:
    run = _race(product, signals)
    full = _filled(product, there, signals // STEPS)
    step = signals // STEPS
    scaling = Scaling(
        f"{product}: client to ledger",
        "signals",
        "signals/s",
        tuple((step * many, step * many / sum(run.ours[:many])) for many in (1, 2, 4, 8)),
    )
    memory = Scaling(
        f"{product}: memory of the largest worker",
        "signals",
        "MiB",
        tuple((step * many, run.memory[many - 1]) for many in (1, 2, 4, 8)),
    )
    rate, each, bulk = (signals / sum(seconds) for seconds in (run.ours, run.each, run.bulk))
    name = f"{product}: client to durable ledger over HTTP, {signals:,} signals"
    baseline = "bulk insert into the same table"
    return [
        BenchmarkResult(
            name, rate, each, f"{baseline}, a commit for each 1,000 rows", "signals/s", 0.6, "higher", scaling
        ),
        BenchmarkResult(
            name, rate, bulk, f"{baseline}, a commit for each {step:,}", "signals/s", 0.6, "higher"
        ),
        BenchmarkResult(name, rate, run.single, "one signed token a request", "signals/s", 20, "higher"),
        BenchmarkResult(
            f"{product}: the same with {there:,} rows there already",
            *(step / full, step / run.ours[0], f"the empty ledger, {step:,} signals each"),
            *("signals/s", 0.8, "higher"),
        ),
        BenchmarkResult(
            f"{product}: memory of the largest worker, {signals:,} signals in",
            *(max(run.memory), 300.0, "300 MiB", "MiB", 1.0, "lower", memory),
        ),
        BenchmarkResult(
            f"{product}: the same, last quarter of the signals beside the second",
            *(max(run.memory[6:]), max(run.memory[2:4]), "flat", "MiB", 1.1, "lower"),
        ),
    ]


def _race(product: str, signals: int) -> _Run:
    """Ours and the baseline in turns, so that a busy second of the machine falls on both."""
    run, step = _Run(), signals // STEPS
    with (
        TemporaryDirectory() as folder,
        fixture_hub.create_fixture_hub(product) as hub,
        hub.serving() as process,
        hub.client(Path(folder)) as client,
        baseline.new_table(product, Path(folder)) as each,
        TemporaryDirectory() as other,
        baseline.new_table(product, Path(other)) as bulk,
    ):
        for number in _tracked(range(STEPS), f"{product}: {signals:,} signals"):
            some = fixture_hub.make_signals(hub, number * step, (number + 1) * step)
            rows = baseline.make_rows(some, number * step)
            run.ours.append(fastest(partial(fixture_hub.send_all, client, some), times=1))
            run.each.append(fastest(partial(baseline.insert_in_batches, each, rows), times=1))
            run.bulk.append(fastest(partial(bulk.insert, rows), times=1))
            run.memory.append(_largest_worker(process.pid or 0))
        run.single = _one_by_one(hub, signals)
    return run


def _one_by_one(hub: FixtureHub, first: int) -> float:
    """Signals a second when each comes as a token of its own. They are signed before the clock starts."""
    some = fixture_hub.make_signals(hub, first, first + SINGLE)
    tokens = [
        seal([signal], hub.key, issuer=SHOP, audience=hub.url, now=signal.occurred_at) for signal in some
    ]
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/secevent+jwt"}

        def send(token: bytes) -> int:
            return session.post(f"{hub.url}/v1/events", data=token, headers=headers, timeout=60).status_code

        seconds = fastest(lambda: _check_all(list(pool.map(send, tokens))), times=1)
    return SINGLE / seconds


def _check_all(codes: list[int]) -> None:
    assert set(codes) == {202}, set(codes)


def _filled(product: str, there: int, signals: int) -> float:
    """Seconds for so many signals on a ledger that holds `there` rows of before."""
    with TemporaryDirectory() as folder, fixture_hub.create_fixture_hub(product) as hub:
        _fill(hub, product, there)
        with hub.serving(), hub.client(Path(folder)) as client:
            some = fixture_hub.make_signals(hub, 0, signals)
            return fastest(partial(fixture_hub.send_all, client, some), times=1)


def _fill(hub: FixtureHub, product: str, there: int) -> None:
    """Rows of a year before, straight into the table, by person as a rebuild would leave them."""
    random, each, at_once = Random(product), there // PEOPLE, 500
    with baseline.open_table(load_settings(hub.path).database, hub.path / "hub.sqlite") as (table, _):
        for first in _tracked(range(1, PEOPLE + 1, at_once), f"{product}: {there:,} rows"):
            table.insert(
                [
                    (
                        who,
                        1,
                        random.randbytes(10),
                        1,
                        1.0,
                        1_700_000_000_000_000 + number,
                        0,
                        1_700_000_000_000,
                    )
                    for who in range(first, first + at_once)
                    for number in range(each)
                ]
            )


def _tracked(items: Sequence[T], name: str) -> Iterable[T]:
    return track(items, name, console=Console(stderr=True), transient=True)


def _largest_worker(supervisor: int) -> float:
    """MiB that the largest of the workers holds."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return max(_resident(int(child)) for child in children)


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / _MEBIBYTE


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    chosen = [word for word in sys.argv[1:] if not word.isdecimal()] or PRODUCTS
    many = numbers[0] if numbers else SIGNALS
    for row in rows(many, chosen, *numbers[1:2]):
        print(
            f"{row.name}: {row.ours:,.0f} {row.unit}; {row.baseline}: {row.limit:,.0f}; ratio {row.ratio:.2f}"
        )
