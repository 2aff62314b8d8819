"""What people and readers wait for while a hub takes in signals at half of what it can.

Beside the sender, which is a process of its own, run two askers in turns: one sends a single signal and reads
that person's score until it has changed; the other reads a thousand scores at once. The bare SELECT is
the score's own SQL text for a thousand people, run straight in the database under the same load.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks import fixture_hub
from benchmarks.fixture_hub import PRODUCTS, SHOP, Caller, FixtureHub, p99, read_token
from benchmarks.scaling_plot import Scaling
from benchmarks.table import BenchmarkResult
from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.hub.database.engine import dialect_of, open_engine, read_transaction
from sesame_sdk.hub.scoring import eligible_signals
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.model import codec

PEOPLE, READ_AT_ONCE, SENT_BEFORE, ROUNDS = 50_000, 1_000, 500_000, 60
#: Of so many rounds one asks for fewer people too: meanwhile the ledger grows, and with it each score's work.
_SELDOM = 6


def rows(rounds: int = ROUNDS, products: tuple[str, ...] = PRODUCTS) -> list[BenchmarkResult]:
    """Three rows a product."""
    return [row for product in products for row in _rows_of(product, rounds)]


def _rows_of(product: str, rounds: int) -> list[BenchmarkResult]:
    with (
        TemporaryDirectory() as folder,
        fixture_hub.create_fixture_hub(product, people=PEOPLE, reads=True) as hub,
        hub.serving(),
        hub.client(Path(folder)) as client,
    ):
        some = fixture_hub.make_signals(hub, 0, SENT_BEFORE)
        began = time.perf_counter()
        fixture_hub.send_all(client, some)
        full = SENT_BEFORE / (time.perf_counter() - began)
        with _half_load(hub, Path(folder), full / 2), _Reader(hub) as asker:
            shown, bare = [], []
            read: dict[int, list[float]] = {READ_AT_ONCE // part: [] for part in (8, 4, 2, 1)}
            for number in range(rounds):
                shown.append(asker.seconds_until_visible(number))
                bare.append(asker.seconds_of_sql())
                for many, seconds in read.items():
                    if many == READ_AT_ONCE or number % _SELDOM == 0:
                        seconds.append(asker.seconds_to_read(many))
    all_at_once, points = read[READ_AT_ONCE], [(many, statistics.median(some)) for many, some in read.items()]
    scaling = Scaling(f"{product}: scores read at once, median", "people", "s", tuple(points))
    load = f"{product}, at {full / 2:,.0f} signals/s, half of full load"
    return [
        BenchmarkResult(f"{load}: acknowledged to readable, p99", p99(shown), 1.0, "1 s", "s", 1.0, "lower"),
        BenchmarkResult(
            f"{load}: {READ_AT_ONCE:,} scores read at once, p99",
            p99(all_at_once),
            0.1,
            "0.1 s",
            "s",
            1.0,
            "lower",
        ),
        BenchmarkResult(
            f"{load}: the same, median",
            statistics.median(all_at_once),
            statistics.median(bare),
            "the score's bare SELECT for the same people",
            "s",
            3.0,
            "lower",
            scaling,
        ),
    ]


class _Reader(Caller):
    """A partner that reads, over HTTP and straight from the database."""

    def __init__(self, hub: FixtureHub) -> None:
        super().__init__(hub)
        self._random, self._engine = Random(7), open_engine(load_settings(hub.path).database_url)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._engine.dispose()

    def seconds_until_visible(self, number: int) -> float:
        """Seconds from the acknowledgement of a signal until the person's score shows it."""
        who = self.hub.subjects[number]
        before = self.read(who)
        self.send(who, f"shown {number}")
        began = time.perf_counter()
        while self.read(who) == before:
            pass
        return time.perf_counter() - began

    def seconds_to_read(self, many: int) -> float:
        """Seconds for so many scores at once."""
        subjects = self._random.sample(list(self.hub.subjects), many)
        token, body = read_token(self.hub, SHOP, self.hub.key), codec.encode({"subjects": subjects})
        headers = {"Authorization": f"Bearer {token}", "Content-Type": JSON_MEDIA_TYPE}
        began = time.perf_counter()
        answer = self.ask("POST", "/v1/scores/read", 200, data=body, headers=headers)
        seconds = time.perf_counter() - began
        assert len(answer.json()["scores"]) == many
        return seconds

    def seconds_of_sql(self) -> float:
        """Seconds of the score's own SQL text for as many people, known by their numbers."""
        asked = {1 + number: ["retail"] for number in self._random.sample(range(PEOPLE), READ_AT_ONCE)}
        product = dialect_of(self._engine)
        with read_transaction(self._engine) as connection:
            eligible_signals.select_eligible(connection, asked, datetime.now(UTC))
            with product.prefer_indexes(connection):
                began = time.perf_counter()
                assert list(
                    product.score(connection, fixture_hub.policy(), datetime.now(UTC).date(), reasons=False)
                )
                return time.perf_counter() - began


@contextmanager
def _half_load(hub: FixtureHub, folder: Path, rate: float) -> Iterator[None]:
    """A sender of its own, that keeps to a rate until it is stopped."""
    key = folder / "shop.jwk"
    hub.key.save(key)
    command = [
        sys.executable,
        "-m",
        "benchmarks.load",
        hub.url,
        str(key),
        str(rate),
        str(SENT_BEFORE),
        str(PEOPLE),
    ]
    with subprocess.Popen(command) as process:
        try:
            yield
            assert process.poll() is None, "the sender ended"
        finally:
            process.terminate()


if __name__ == "__main__":
    chosen = tuple(sys.argv[2:]) or PRODUCTS
    for row in rows(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, chosen):
        print(
            f"{row.name}: {row.ours:.3f} {row.unit}; {row.baseline}: {row.limit:.3f}; ratio {row.ratio:.2f}"
        )
