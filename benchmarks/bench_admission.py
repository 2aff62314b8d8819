"""What a partner waits for while others ask for too much, beside what it waits for in quiet, in one run.

Those others are on this machine too. They run at the lowest priority, so that their own work, which would be
elsewhere, takes as little as possible of the processors that the hub needs.

A partner sends one signal at a time, and reads one score at a time. Meanwhile
    * a stranger sends gzip that would be a thousand times as much, some 30 kB a second
    * a stranger holds forty connections with unfinished bodies of two megabytes under the partner's key id
    * another partner has seventy reads of ten thousand scores in progress
"""

import gzip
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import requests

from benchmarks import fixture_hub
from benchmarks.fixture_hub import PRODUCTS, SHOP, Caller, FixtureHub, p99, read_token, seconds_of
from benchmarks.table import BenchmarkResult
from sesame_sdk.constants import MAX_SUBJECTS
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model import codec
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.keys import SigningKey

PEOPLE, ROUNDS, GREEDY, READS_AT_ONCE = 12_000, 150, "https://greedy.example", 70
_TYPE = "application/secevent+jwt"
_PACKED_PER_SECOND = 25
_UNFINISHED = 40


def rows(rounds: int = ROUNDS, products: tuple[str, ...] = PRODUCTS) -> list[BenchmarkResult]:
    """Six rows a product."""
    return [row for product in products for row in _rows_of(product, rounds)]


def _rows_of(product: str, rounds: int) -> list[BenchmarkResult]:
    with (
        TemporaryDirectory() as folder,
        fixture_hub.create_fixture_hub(product, people=PEOPLE, reads=True) as hub,
        hub.serving(1),
        hub.client(Path(folder)) as client,
    ):
        greedy = _join_greedy(hub, Path(folder) / "greedy.jwk")
        fixture_hub.send_all(client, fixture_hub.make_signals(hub, 0, 50_000))
        floods = {
            f"{_PACKED_PER_SECOND} packed messages a second of a stranger": _packed_messages(hub),
            f"{_UNFINISHED} unfinished bodies under its own key id": _unfinished_bodies(hub),
            f"{READS_AT_ONCE} reads of {MAX_SUBJECTS:,} by another partner": _in_process(
                _read_without_end, hub.url, str(greedy), hub.subjects[:MAX_SUBJECTS]
            ),
        }
        results = []
        with _Partner(hub) as partner:
            partner.seconds(10)
            for name, flood in floods.items():
                quiet = partner.seconds(rounds)
                with flood:
                    time.sleep(1)
                    busy = partner.seconds(rounds)
                quiet += partner.seconds(rounds)
                for what in (0, 1):
                    ours, limit = ([one[what] for one in some] for some in (busy, quiet))
                    call = ("a signal is acknowledged", "a score is read")[what]
                    results.append(
                        BenchmarkResult(
                            f"{product}: {call} beside {name}, p99",
                            p99(ours),
                            p99(limit),
                            "the same in quiet",
                            "s",
                            2.0,
                            "lower",
                        )
                    )
    return results


class _Partner(Caller):
    """Sends and reads one after the other."""

    _count = 0

    def seconds(self, rounds: int) -> list[tuple[float, float]]:
        """Of each round, the seconds of a signal and of a read."""
        return [self._round() for _ in range(rounds)]

    def _round(self) -> tuple[float, float]:
        self._count += 1
        subject = self.hub.subjects[self._count % PEOPLE]
        sent = seconds_of(lambda: self.send(subject, f"admission {self._count}"))
        return sent, seconds_of(lambda: self.read(subject))


def _join_greedy(hub: FixtureHub, path: Path) -> Path:
    """Another partner, which may read the scores of as many people; the file of its key."""
    key = SigningKey.generate()
    key.save(path)
    with Hub.open(hub.path) as opened:
        opened.add_partner(GREEDY, [key.public_jwk], not_before=fixture_hub.START)
        opened.add_grants(
            (subject, grant)
            for subject in hub.subjects[:MAX_SUBJECTS]
            for grant in fixture_hub.grants(subject, GREEDY, reads=True)
        )
    fixture_hub.register(hub, GREEDY, key)
    return path


@contextmanager
def _packed_messages(hub: FixtureHub) -> Iterator[None]:
    """A process of its own sends them at their rate."""
    token = seal(
        [fixture_hub.make_signals(hub, 0, 1)[0]],
        SigningKey.generate(),
        issuer=SHOP,
        audience=hub.url,
        now=datetime.now(UTC),
    )
    header = token.partition(b".")[0]
    packed = gzip.compress(header + b"." + b"e" * (1 << 20) + b"." + b"x" * 86)
    program = (
        "import os, requests, sys, time\n"
        "os.nice(19)\n"
        "session, body = requests.Session(), sys.stdin.buffer.read()\n"
        f"headers = {{'Content-Type': '{_TYPE}', 'Content-Encoding': 'gzip'}}\n"
        "while True:\n"
        f"    session.post('{hub.url}/v1/events', data=body, headers=headers, timeout=120)\n"
        f"    time.sleep({1 / _PACKED_PER_SECOND})\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(packed)
        process.stdin.close()
        try:
            yield
            assert process.poll() is None, "the stranger ended"
        finally:
            process.terminate()


@contextmanager
def _in_process(work: Callable[..., None], *arguments: object) -> Iterator[None]:
    """Do work without end in a process of its own, so that it does not slow down who measures."""
    process = get_context("spawn").Process(target=_at_lowest_priority, args=(work, *arguments), daemon=True)
    process.start()
    try:
        yield
        assert process.is_alive(), "the flood ended"
    finally:
        process.kill()
        process.join()


def _at_lowest_priority(work: Callable[..., None], *arguments: object) -> None:
    os.nice(19)
    work(*arguments)


def _stand_still(url: str, body: bytes) -> None:
    """Hold unfinished bodies; those that the hub cuts begin again after five seconds."""
    where, size = urlsplit(url), len(body) + 1
    head = f"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: {_TYPE}\r\nContent-Length: {size}\r\n\r\n"

    def hold() -> None:
        while True:
            with suppress(OSError), socket.create_connection((where.hostname or "", where.port or 0)) as line:
                line.settimeout(1)
                line.sendall(head.encode() + body)
                time.sleep(5)

    with ThreadPoolExecutor(_UNFINISHED) as pool:
        for _ in range(_UNFINISHED):
            pool.submit(hold)


def _unfinished_bodies(hub: FixtureHub) -> AbstractContextManager[None]:
    some = fixture_hub.make_signals(hub, 0, 1)
    token = seal(some, hub.key, issuer=SHOP, audience=hub.url, now=datetime.now(UTC))
    return _in_process(_stand_still, hub.url, token.partition(b"~")[0].ljust((2 << 20) - 1, b"x"))


def _read_without_end(url: str, key: str, subjects: Sequence[str]) -> None:
    """So many reads at once all the time; those that get 503 wait as they are asked to."""
    hub, body = (
        FixtureHub(Path(), url, SigningKey.load(Path(key)), subjects),
        codec.encode({"subjects": subjects}),
    )

    def read() -> None:
        with requests.Session() as session:
            while True:
                headers = {"Content-Type": "application/json"}
                headers["Authorization"] = f"Bearer {read_token(hub, GREEDY, hub.key)}"
                answer = session.post(f"{url}/v1/scores/read", data=body, headers=headers, timeout=300)
                if answer.status_code != 200:
                    time.sleep(int(answer.headers["Retry-After"]))

    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        for _ in range(READS_AT_ONCE):
            pool.submit(read)


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if sys.argv[1:] else ROUNDS, tuple(sys.argv[2:]) or PRODUCTS):
        print(f"{row.name}: {row.ours:.3f} s, in quiet {row.limit:.3f} s; ratio {row.ratio:.2f}")
