"""A shop's order lines to signed signals in the outbox, beside `csv.reader` alone over the same file.

The file is the real one where it lies in the shared folder; a like one is made elsewhere.
"""

import csv
import gzip
import random
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sesame_retail import Orders
from sesame_retail.sending import keep
from sesame_retail.summary import Summary

from benchmarks.table import Row, fastest
from sesame_sdk import Client, Home

REAL = Path(__file__).parents[2] / "shared" / "data" / "online-retail" / "online_retail.csv.gz"
LINES = 320_000
REACH = 0.5
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def make(path: Path, lines: int = LINES) -> None:
    """A file like the real one: twenty lines an order, a quoted field in a hundred, a return in seven."""
    dice, at = random.Random(20261123), datetime(2010, 12, 1, 8)  # noqa: DTZ001 - as in the file
    with gzip.open(path, "wt", encoding="utf-8", newline="") as out:
        out.write(HEADER)
        written, number = 0, 536_365
        while written < lines:
            number += 1
            at += timedelta(minutes=dice.randrange(40))
            back = dice.random() < 0.15
            customer = "" if dice.random() < 0.25 else dice.randrange(12_346, 16_000)
            for _ in range(dice.randrange(1, 4) if back else dice.randrange(1, 45)):
                what = '"BOX, RED SPOT"' if dice.random() < 0.013 else "WHITE HANGING HEART T-LIGHT HOLDER"
                count, price = (
                    dice.choice((1, 2, 3, 4, 6, 8, 12, 24, dice.randrange(1, 600))),
                    dice.randrange(1, 2000),
                )
                out.write(
                    f"{'C' * back}{number},{dice.randrange(10_000, 90_000)}A,{what},{'-' * back}{count},"
                    f"{at},{price / 100},{customer},United Kingdom\n"
                )
                written += 1


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        if REAL.is_file():
            yield REAL
        else:
            make(Path(folder) / "orders.csv.gz")
            yield Path(folder) / "orders.csv.gz"


def _reading_alone(file: Path) -> int:
    with gzip.open(file, "rt", encoding="utf-8", errors="surrogateescape", newline="") as lines:
        rows = csv.reader(lines)
        deque(rows, maxlen=0)
        return rows.line_num


def _posting(file: Path, home: Home) -> None:
    with Client.at(home) as client:
        summary = Summary(Orders(), home.identity)
        keep(client, summary.signals(Orders().read(file)), lambda: 0)
    home.outbox.unlink()


def rows(times: int = 5) -> list[Row]:
    """Lines a second: into orders, and all the way into the outbox."""
    with _file() as file, tempfile.TemporaryDirectory() as folder:
        home = Home.create(Path(folder) / "shop", issuer="https://shop.example", hub="https://hub.example")
        lines = _reading_alone(file)
        # In turns, so that a busy moment of the machine falls on all of them.
        turns = [
            (
                fastest(lambda: _reading_alone(file), times=1),
                fastest(lambda: deque(Orders().read(file), maxlen=0), times=1),
                fastest(lambda: _posting(file, home), times=1),
            )
            for _ in range(times)
        ]
    alone, read, posted = (min(seconds) for seconds in zip(*turns, strict=True))
    return [
        _row(f"{lines:,} order lines to orders", lines / read, lines / alone),
        _row(f"{lines:,} order lines to signed signals in the outbox", lines / posted, lines / alone),
    ]


def _row(what: str, ours: float, limit: float) -> Row:
    return Row(what, ours, limit, "csv.reader alone over the same file", "lines/s", REACH, "higher")
