"""A shop's order lines to signed signals in the outbox, beside `csv.reader` alone over the same file.

Most work is done once an order and the limit's once a line, so the ratio depends on the lines of an order:
about twenty in the real file, which lies in the shared folder, or in one like it that is generated. In
feeds of three and of one, less is promised: an order's signals alone take longer to hash, sign and write
than `csv.reader` takes to read it. All are timed in turns, so that a busy second falls on each; the ratio is
one of medians, of the clock, disk and all, and of the processor alone.
"""

import csv
import gzip
import random
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import duckdb
from attrs import frozen
from sesame_retail import Orders
from sesame_retail.upload import OrderSignals

from benchmarks.table import BenchmarkResult
from sesame_sdk import Client, PartnerConfig, SignalUploader, bulk_mode

REAL = Path(__file__).parents[2] / "shared" / "data" / "online-retail" / "online_retail.csv.gz"
LINES = 320_000
SHORT_LINES = 40_000
REACH = 0.9
#: Of DuckDB's own reading and grouping, with signing and writing besides.
PARQUET_REACH = 0.5
#: Of the memory for a file ten times as long, at most so much of that for the file.
MEMORY_REACH = 1.5
TIMES_LONGER = 10
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def make(path: Path, lines: int = LINES, most: int = 44) -> None:
    """A file like the real one: up to `most` lines an order, a quote in a hundred, a return in seven."""
    dice, at = random.Random(20261123), datetime(2010, 12, 1, 8)  # noqa: DTZ001 - as in the file
    with gzip.open(path, "wt", encoding="utf-8", newline="") as out:
        out.write(HEADER)
        written, number = 0, 536_365
        while written < lines:
            number += 1
            at += timedelta(minutes=dice.randrange(40))
            back = dice.random() < 0.15
            customer = "" if dice.random() < 0.25 else dice.randrange(12_346, 16_000)
            for _ in range(dice.randint(1, min(most, 3) if back else most)):
                product = '"BOX, RED SPOT"' if dice.random() < 0.013 else "WHITE HANGING HEART T-LIGHT HOLDER"
                count, price = (
                    dice.choice((1, 2, 3, 4, 6, 8, 12, 24, dice.randrange(1, 600))),
                    dice.randrange(1, 2000),
                )
                out.write(
                    f"{'C' * back}{number},{dice.randrange(10_000, 90_000)}A,{product},{'-' * back}{count},"
                    f"{at},{price / 100},{customer},United Kingdom\n"
                )
                written += 1


@frozen
class OrderFile:
    """A file, its name, and the target ratio of reading it into the outbox."""

    path: Path
    name: str
    target: float


@contextmanager
def _feeds() -> Iterator[list[OrderFile]]:
    with tempfile.TemporaryDirectory() as folder:
        made = {most: Path(folder) / f"{most}.csv.gz" for most in (44, 5, 1)}
        for most, path in made.items():
            if most != 44 or not REAL.is_file():
                make(path, LINES if most == 44 else SHORT_LINES, most)
        usual = REAL if REAL.is_file() else made[44]
        yield [
            OrderFile(usual, "about 20 an order", REACH),
            OrderFile(made[5], "about 3 an order", 0.1),
            OrderFile(made[1], "1 an order", 0.04),
        ]


def _reading_alone(file: Path) -> int:
    with gzip.open(file, "rt", encoding="utf-8", errors="surrogateescape", newline="") as lines:
        rows = csv.reader(lines)
        deque(rows, maxlen=0)
        return rows.line_num


def _posting(file: Path, home: PartnerConfig) -> None:
    with Client.from_config(home) as client, bulk_mode():
        uploader = SignalUploader(client)
        uploader.store(
            OrderSignals(Orders(), home.pseudonymizer, uploader.summary).from_events(Orders().read(file))
        )


def _timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    clock, processor = perf_counter(), process_time()
    run()
    return perf_counter() - clock, process_time() - processor


def rows(times: int = 9) -> list[BenchmarkResult]:
    """Lines a second: into orders, and all the way into the outbox; and memory."""
    with _feeds() as feeds:
        csv_rows = [row for feed in feeds for row in _measured(feed, times)]
        return [*csv_rows, _measured_parquet(feeds[0].path, times), _measured_memory(feeds[0].path)]


def _measured_parquet(file: Path, times: int) -> BenchmarkResult:
    grouped, posted = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = PartnerConfig.create(
            Path(folder) / "shop", issuer="https://shop.example", hub="https://hub.example"
        )
        parquet = Path(folder) / "orders.parquet"
        duckdb.read_csv(str(file)).write_parquet(str(parquet))
        lines: int = duckdb.read_parquet(str(parquet)).count("*").fetchall()[0][0]
        for _ in range(times):
            grouped.append(_timed(lambda: _grouping_alone(parquet))[0])
            posted.append(_timed(lambda: _posting(parquet, home))[0])
            home.outbox.unlink()
    return BenchmarkResult(
        f"{lines:,} order lines of Parquet to signed signals in the outbox",
        lines / median(posted),
        lines / median(grouped),
        "DuckDB reading and grouping the same file",
        "lines/s",
        PARQUET_REACH,
        "higher",
    )


def _grouping_alone(parquet: Path) -> int:
    query = (
        "SELECT InvoiceNo, CustomerID, min(InvoiceDate), count(*),"
        " sum(Quantity * CAST(UnitPrice AS DECIMAL(18, 6))) FROM read_parquet(?) GROUP BY ALL"
    )
    return len(duckdb.execute(query, [str(parquet)]).fetchall())


def _renumbered(record: str, time: int) -> str:
    """A line with another number of the invoice; a return stays one."""
    return f"C{time}{record[1:]}" if record.startswith("C") else f"{time}{record}"


_PEAK = """
import resource, sys
from collections import deque
from pathlib import Path
from sesame_retail import Orders
deque(Orders().read(Path(sys.argv[1])), 0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _measured_memory(file: Path) -> BenchmarkResult:
    """The peak of a process that reads the file, and of one that reads ten with other numbers of invoices."""
    with tempfile.TemporaryDirectory() as folder:
        longer = Path(folder) / "longer.csv"
        with gzip.open(file, "rt", encoding="utf-8", errors="replace", newline="") as lines:
            header, *records = lines
        with longer.open("w", encoding="utf-8", newline="") as out:
            out.write(header)
            for time in range(TIMES_LONGER):
                out.writelines(_renumbered(record, time) for record in records)
        peaks = [
            int(subprocess.run([sys.executable, "-c", _PEAK, path], capture_output=True, check=True).stdout)
            / 1024
            for path in (longer, file)
        ]
    name = f"memory of reading a file {TIMES_LONGER} times as long"
    return BenchmarkResult(name, *peaks, "the file itself", "MB", MEMORY_REACH, "lower")


def _measured(file: OrderFile, times: int) -> Iterator[BenchmarkResult]:
    alone, read, posted = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        home = PartnerConfig.create(
            Path(folder) / "shop", issuer="https://shop.example", hub="https://hub.example"
        )
        lines = _reading_alone(file.path)
        for _ in range(times):
            alone.append(_timed(lambda: _reading_alone(file.path)))
            read.append(_timed(lambda: deque(Orders().read(file.path), maxlen=0)))
            posted.append(_timed(lambda: _posting(file.path, home)))
            home.outbox.unlink()
    for way, found in (("orders", read), ("signed signals in the outbox", posted)):
        for which, unit in enumerate(("lines/s", "lines/processor s")):
            ours, limit = (lines / median(one[which] for one in each) for each in (found, alone))
            name = f"{lines:,} order lines, {file.name}, to {way}"
            yield BenchmarkResult(
                name, ours, limit, "csv.reader alone over the same file", unit, file.target, "higher"
            )
