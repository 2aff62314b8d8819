"""Slow readers and readers that read nothing: they delay no other partner, and memory stays bounded."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import PUSH
from tests.faults.conftest import Deployment
from tests.faults.fixture_population import BATCH, PEOPLE, PSEUDONYMIZER
from tests.faults.processes import RunningHub, wait_until
from tests.faults.reader import Reader
from tests.hub.fixtures import LONG_AGO, Partner, manifest

ENVELOPES = 10
#: Each requests 10 MB, more than the system buffers for one that does not read.
READERS, QUESTIONS = 20, 1000
MEBIBYTE = 1 << 20
#: TCP_ESTABLISHED, as Linux writes it.
_ESTABLISHED = "01"
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@contextmanager
def _silent(hub: RunningHub, request: bytes) -> Iterator[None]:
    """Many who ask the same again and again, and read no answer."""
    with ExitStack() as stack:
        for _ in range(READERS):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(60)
            one.connect(("127.0.0.1", int(hub.url.rpartition(":")[2])))
            one.sendall(request * QUESTIONS)
        yield


def _open_connections(hub: RunningHub) -> int:
    """The number of connections on the hub's side. A client that reads nothing sees no cut."""
    ours = f":{int(hub.url.rpartition(':')[2]):04X}"
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(local.endswith(ours) and state == _ESTABLISHED for _, local, _, state, *_ in lines)


def test_who_reads_nothing_is_left_alone_and_then_cut(deployment: Deployment) -> None:
    """Twenty request many megabytes and read nothing: other clients are served meanwhile."""
    sender = deployment.sender(ENVELOPES * BATCH)
    with deployment.serving(body_timeout_seconds=2) as hub:
        reader = Reader(hub.url, deployment.population.url, deployment.key)
        assert reader.score(PEOPLE[0]).status_code == 200
        page = f"GET /schema/openapi.json HTTP/1.1\r\nHost: {hub.url[7:]}\r\n\r\n".encode()
        before = hub.resident()
        with _silent(hub, page):
            assert _open_connections(hub) >= READERS
            sender.finish(sender.begin())
            assert reader.score(PEOPLE[0]).status_code == 200
            assert hub.answers() == 200
            assert hub.resident() - before < 100 * MEBIBYTE
            wait_until(lambda: _open_connections(hub) == 0)
    deployment.check(ENVELOPES * BATCH)


def test_who_reads_slowly_gets_all_of_its_answer(deployment: Deployment) -> None:
    """A hundred kilobytes, a little at a time, for longer than a silent one would be left: it is not cut."""
    sender = deployment.sender(BATCH)
    with deployment.serving(body_timeout_seconds=2) as hub:
        sender.finish(sender.begin())
        subjects = [f"{number:0128}" for number in range(1000)]
        reader = Reader(hub.url, deployment.population.url, deployment.key)
        body = json.dumps({"subjects": subjects}).encode()
        asked = (
            f"POST /v1/scores/read HTTP/1.1\r\nHost: {hub.url[7:]}\r\nAuthorization: {reader.bearer()}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body
        answer = b""
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.settimeout(60)
            one.connect(("127.0.0.1", int(hub.url.rpartition(":")[2])))
            one.sendall(asked)
            began = time.monotonic()
            while piece := one.recv(2048):
                answer += piece
                time.sleep(0.05)  # this is the reader's slowness, not a wait for luck
        assert time.monotonic() - began > 2
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["scores"] == dict.fromkeys(subjects)
    deployment.check(BATCH)


class _Inbox(ThreadingHTTPServer):
    """A push endpoint: ``/slow`` does not answer until released."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hear: Callable[[bytes], None] = bytes.decode
        self.go_on = threading.Event()
        self.waiting = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve in a thread."""
        thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self.go_on.set()
            self.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/slow":
            self.server.waiting += 1
            self.server.go_on.wait(60)
        else:
            self.server.hear(body)
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _join(deployment: Deployment, hub: RunningHub, *parties: str) -> list[Reader]:
    """Let further partners read everybody's score."""
    readers = []
    with Hub.open(deployment.path) as opened:
        for party in parties:
            partner = Partner(party, opened, timestamps.utc_now, pseudonymizer=PSEUDONYMIZER)
            opened.add_partner(party, [partner.key.public_jwk], not_before=LONG_AGO)
            partner.register(manifest(reads=["retail"]))
            opened.add_grants(
                pair for who in PEOPLE for pair in partner.grants(who, reads="retail", given_at=LONG_AGO)
            )
            readers.append(Reader(hub.url, deployment.population.url, partner.key, party=party))
    return readers


def test_a_consumer_that_answers_slowly_holds_up_no_other(deployment: Deployment) -> None:
    """One does not answer a push, and polls are not read: the fast reader gets every score meanwhile."""
    sender = deployment.sender(ENVELOPES * BATCH)
    expected = {
        name: score.points for name, score in deployment.population.expected(ENVELOPES * BATCH).scores.items()
    }
    with deployment.serving(body_timeout_seconds=2) as hub, _Inbox() as inbox, inbox.running():
        paths = [f"{inbox.url}/{name}" for name in ("slow", "quick", "idle")]
        slow, quick, idle = _join(deployment, hub, *paths)
        inbox.hear = quick.hear
        slow.subscribe(method=PUSH, endpoint_url=f"{inbox.url}/slow")
        quick.subscribe(method=PUSH, endpoint_url=f"{inbox.url}/quick")
        idle.subscribe()
        wait_until(lambda: inbox.waiting > 0)
        body = json.dumps({"returnImmediately": False}).encode()
        poll = (
            f"POST /v1/ssf/poll/{idle.stream} HTTP/1.1\r\nHost: {hub.url[7:]}\r\n"
            f"Authorization: {idle.bearer('/v1/ssf/poll/')}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        with _silent(hub, poll):
            sender.finish(sender.begin())
            wait_until(lambda: quick.points == expected)
            assert not inbox.go_on.is_set()
        inbox.go_on.set()
    deployment.check(ENVELOPES * BATCH)
