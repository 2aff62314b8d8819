"""From a client to the durable ledger over loopback HTTP, beside SQLite inserting the same rows.

The hub is a process of its own. What counts for us is everything between a list of signals and
receipts for all of them: signing, outbox on disk, HTTP, verifying, consent, ledger on disk, receipt.
Run with a number to try fewer signals: ``python -m benchmarks.bench_ledger 100000``.
"""

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import requests
from attrs import evolve
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from benchmarks.table import Row, fastest
from sesame_sdk import (
    Direction,
    Evidence,
    Grant,
    Identity,
    Manifest,
    Polarity,
    Sensitivity,
    Signal,
    SignalKind,
)
from sesame_sdk.exchange.client import Client
from sesame_sdk.exchange.transport import Transport
from sesame_sdk.hub import schema
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.products.on_sqlite import PRAGMAS
from sesame_sdk.hub.settings import FILE, create_hub
from sesame_sdk.hub.view import Row as TableRow
from sesame_sdk.hub.view import as_row
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.model.envelope import MOST_SIGNALS
from sesame_sdk.signing.keys import SigningKey

SIGNALS, PEOPLE, AT_A_TIME, CONNECTIONS = 1_000_000, 100_000, 100_000, 32
SHOP = "https://shop.example"
KIND = SignalKind(
    name="retail.order.completed",
    context="retail",
    unit="order",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Orders that you kept",
    categories=("https://w3id.org/dpv/pd#Purchase",),
)
_IDENTITY = Identity(bytes(32))
_START = datetime(2026, 1, 1, tzinfo=UTC)
_DEADLINE = 30.0
_INSERT = "INSERT INTO signals VALUES (?, ?, ?, ?, ?, ?, ?)"
_SERVE = """
import sys
from pathlib import Path
from sesame_sdk.hub.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


def rows(signals: int = SIGNALS) -> list[Row]:
    """Two rows: against a commit for each thousand rows, as envelopes have, and against one for all."""
    with TemporaryDirectory() as folder:
        ours, each, single = _race(Path(folder), signals)
    what = f"client to durable ledger over HTTP, {signals:,} signals"
    against = "executemany into the same table"
    return [
        Row(what, ours, each, f"{against}, a commit for each 1,000 rows", "signals/s", 0.5, "higher"),
        Row(what, ours, single, f"{against}, one commit for all", "signals/s", 0.5, "higher"),
    ]


def _race(folder: Path, signals: int) -> tuple[float, float, float]:
    """Signals a second of the three, in turns, so that a busy moment of the machine falls on all of them.

    Ours is from `Client.post` to the last receipt. Making the signals is not counted.
    """
    seconds = [0.0, 0.0, 0.0]
    subjects = [_IDENTITY.pseudonym(f"customer {number}") for number in range(PEOPLE)]
    with (
        _hub(folder / "hub", subjects) as (url, key),
        _client(folder, url, key) as client,
        _table(folder / "each.sqlite") as each,
        _table(folder / "single.sqlite") as single,
    ):
        client.register(_manifest())
        single.execute("BEGIN IMMEDIATE")
        for first in range(0, signals, AT_A_TIME):
            last = min(first + AT_A_TIME, signals)
            some, table_rows = list(_signals(subjects, first, last)), list(_table_rows(first, last))
            seconds[0] += fastest(partial(_send, client, some), times=1)
            seconds[1] += fastest(partial(_insert_in_steps, each, table_rows), times=1)
            seconds[2] += fastest(partial(single.executemany, _INSERT, table_rows), times=1)
        seconds[2] += fastest(partial(single.execute, "COMMIT"), times=1)
    with closing(sqlite3.connect(folder / "hub" / "hub.sqlite")) as ledger:
        assert ledger.execute("SELECT count(*) FROM signals").fetchone() == (signals,)
    ours, stepwise, at_once = (signals / each for each in seconds)
    return ours, stepwise, at_once


def _send(client: Client, signals: list[Signal]) -> None:
    """Post in one thread and deliver in another, as a partner with a stream of events does."""
    accepted = 0
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(client.post, signals)
        while accepted < len(signals):
            posted = posting.done()
            delivery = client.deliver(concurrency=CONNECTIONS)
            accepted += delivery.accepted
            assert not delivery.dead, delivery
            assert accepted == len(signals) or not posted, delivery
    posting.result()


@contextmanager
def _table(path: Path) -> Iterator[sqlite3.Connection]:
    """A table like the hub's, tuned alike."""
    table = CreateTable(schema.signals).compile(dialect=sqlite.dialect())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (*PRAGMAS, str(table)):
            connection.execute(statement)
        yield connection


def _insert_in_steps(connection: sqlite3.Connection, table_rows: list[TableRow]) -> None:
    for first in range(0, len(table_rows), MOST_SIGNALS):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, table_rows[first : first + MOST_SIGNALS])
        connection.execute("COMMIT")


def _signals(subjects: list[str], first: int, last: int) -> Iterator[Signal]:
    """In the order of time, each about somebody at random."""
    for number in range(first, last):
        at = _START + timedelta(seconds=10 * number)
        who = subjects[_person(number)]
        yield Signal(_IDENTITY.signal_id(KIND.name, str(number), at), who, KIND.name, 1.0, at)


def _table_rows(first: int, last: int) -> Iterator[TableRow]:
    """What the hub makes of `_signals`."""
    stand_ins = [str(number) for number in range(PEOPLE)]
    for number, signal in enumerate(_signals(stand_ins, first, last), first):
        yield as_row(signal, _person(number), 1, 1, number // MOST_SIGNALS + 2)


def _person(number: int) -> int:
    return Random(number).randrange(PEOPLE)


@contextmanager
def _hub(path: Path, subjects: list[str]) -> Iterator[tuple[str, SigningKey]]:
    """A hub as its own process, where everybody lets the shop send; its URL and the shop's key."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url, key = f"http://127.0.0.1:{port}", SigningKey.generate()
    with (create_hub(path, issuer=url).path / FILE).open("a", encoding="utf-8") as file:
        file.write("partner_rate = 0\n")  # what is measured is the hub, and not its patience
    with closing(Hub.open(path)) as hub:
        hub.add_partner(SHOP, [key.public_jwk])
        hub.add_grants(
            (who, Grant(SHOP, who, Direction.SEND, _START, (KIND.name,), adult=True)) for who in subjects
        )
    command = [sys.executable, "-c", _SERVE, str(path), str(port)]
    with (path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            _wait(process, f"{url}/healthz")
            yield url, key
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    ends = time.monotonic() + _DEADLINE
    while time.monotonic() < ends and process.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
    raise RuntimeError(f"the hub does not answer at {url}")


def _client(folder: Path, url: str, key: SigningKey) -> Client:
    """Without gzip, which costs more time on loopback than it saves."""
    transport = Transport(url, pool=CONNECTIONS, gzip_from=None)
    return Client(issuer=SHOP, hub=url, signer=key, outbox=folder / "outbox.sqlite", transport=transport)


def _manifest() -> Manifest:
    made = Manifest("sesame-bench", "1.0", "1.0", (KIND,))
    return evolve(made, digest=manifest_digest(made))


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if sys.argv[1:] else SIGNALS):
        print(f"{row.what}: {row.ours:,.0f}/s; {row.against}: {row.limit:,.0f}/s; ratio {row.ratio:.2f}")
