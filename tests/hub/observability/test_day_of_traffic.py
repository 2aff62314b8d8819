"""A real hub's log after all kinds of requests: at debug, with a plugin that leaks, and with faults.

It holds none of the tokens, pseudonyms, people, values, signals and keys that the hub met.
"""

import gzip
import json
import re
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from attrs import define, evolve, field

from sesame_sdk.hub.database import timestamps
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import LATE, ORDER, kind, manifest
from tests.hub.server.populated_hub import SET, HubFixture, new_hub_fixture
from tests.hub.server.process import HubProcess, running, wait_until

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

PEOPLE = ("ada.lovelace@people.example", "person-8812-ben", "person-8813-cleo")
ABSENT = "person-9999-dora"
VALUES = (48151.62342, 31337.27182, 27644.43701)
BEARER = "inbox-bearer-6c6f6f6b-what-we-hide"


@define
class Secrets:
    """Everything that no log may hold."""

    values: set[str] = field(factory=set)

    def add(self, *some: object) -> None:
        """Keep in mind; of a token also its parts."""
        for one in some:
            text = one.decode(errors="replace") if isinstance(one, bytes) else str(one)
            parts = [text, *re.split(r"[.~]", text)] if len(text) > 100 else [text]
            self.values.update(part for part in parts if len(part) >= 8)

    def within(self, text: str) -> list[str]:
        """Those that stand in a text, however they are written."""
        lowered = text.lower()
        return [secret for secret in self.values if secret.lower() in lowered]


class _Inbox(BaseHTTPRequestHandler):
    """A consumer that refuses every message with a code and a reason that repeat the payload."""

    refusal = b""

    def do_POST(self) -> None:
        """400, by RFC 8935 section 2.4."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.refusal)))
        self.end_headers()
        self.wfile.write(self.refusal)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def inbox(issuer: str, code: str) -> Iterator[None]:
    """It listens at its issuer's port."""
    _Inbox.refusal = f'{{"err": "{code}", "description": "we know {code}"}}'.encode()
    with ThreadingHTTPServer(("127.0.0.1", int(issuer.rpartition(":")[2])), _Inbox) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def without(path: Path, table: str) -> Iterator[None]:
    """A hub whose database has lost a table, for a while."""
    with closing(sqlite3.connect(path / "hub.sqlite", timeout=30)) as ledger:
        ledger.execute(f"ALTER TABLE {table} RENAME TO away")
        yield
        ledger.execute(f"ALTER TABLE away RENAME TO {table}")


@contextmanager
def renamed_policies(path: Path, name: str) -> Iterator[None]:
    """A hub whose policies somebody has given another name, behind its back, for a while."""
    with closing(sqlite3.connect(path / "hub.sqlite", timeout=30, isolation_level=None)) as ledger:
        before = ledger.execute("SELECT id, body FROM policies").fetchall()
        changed = [(json.dumps(json.loads(body) | {"name": name}), status) for status, body in before]
        ledger.executemany("UPDATE policies SET body = ? WHERE id = ?", changed)
        yield
        ledger.executemany("UPDATE policies SET body = ? WHERE id = ?", [row[::-1] for row in before])


@define
class Day:
    """One day at a hub."""

    fixture: HubFixture
    running: HubProcess
    secrets: Secrets = field(factory=Secrets)

    def keep_envelope(self, *persons: str, of: str = ORDER) -> bytes:
        """An envelope about people, with values of which each is a secret."""
        signals = [
            evolve(self.fixture.order(person, f"natural-key-{person}-{of}"), kind=of, value=value)
            for person, value in zip(persons, VALUES, strict=False)
        ]
        self.secrets.add(*(signal.id for signal in signals), *(signal.subject for signal in signals))
        return self.keep(self.fixture.shop.seal(*signals))

    def keep(self, token: bytes) -> bytes:
        """A token that is a secret."""
        self.secrets.add(token)
        return token

    def receive(self, answer: requests.Response) -> int:
        """What is in an answer is a secret as well, if it is a token."""
        if answer.headers.get("Content-Type", "").startswith(SET):
            self.secrets.add(answer.content)
        return answer.status_code

    def send(self) -> None:
        """What a partner sends on a good day, and what else comes in."""
        fixture, shop = self.fixture, self.fixture.shop
        good = self.keep_envelope(*PEOPLE)
        assert self.receive(fixture.post(good)) == 202
        assert self.receive(fixture.post(gzip.compress(good), **{"Content-Encoding": "gzip"})) == 202
        assert self.receive(fixture.post(self.keep_envelope(PEOPLE[0], ABSENT))) == 202
        assert (
            self.receive(fixture.post(self.keep_envelope(PEOPLE[1], of="retail.order.unregistered"))) == 202
        )
        stranger = SigningKey.generate()
        self.secrets.add(*stranger.public_jwk.values())
        early = evolve(shop, clock=lambda: timestamps.utc_now() + timedelta(days=900))
        for bad in (
            good[:-30],
            good.replace(b"~", b"~~", 1),
            self.keep(shop.with_key(stranger).seal(fixture.order(PEOPLE[0], "x"))),
            self.keep(early.seal(fixture.order(PEOPLE[0], "y"))),
            self.keep(evolve(shop, issuer="https://unknown.example").seal(fixture.order(PEOPLE[0], "z"))),
            PEOPLE[0].encode(),
            b"",
        ):
            assert self.receive(fixture.post(bad)) == 400
        assert self.receive(fixture.post(b"x" * (3 << 20))) == 413
        assert self.receive(fixture.post(good, **{"Content-Encoding": shop.pseudonym(PEOPLE[0])})) == 415

    def register(self) -> None:
        """A plugin that the guard refuses, one whose name a further rule fails at."""
        special = kind("retail.order.pharmacy", "medicine_ordered")
        for bad in (special, kind("retail.order.crash")):
            token = self.fixture.shop.token(EventType.REGISTRATION, manifest(bad, name="sesame-bad"))
            assert self.receive(self.fixture.post(self.keep(token))) == 400

    def read(self) -> None:
        """Reads, of which every third meets a rule that fails; good and bad tokens, and odd paths."""
        fixture, shop = self.fixture, self.fixture.shop
        names = [shop.pseudonym(person) for person in (*PEOPLE, ABSENT)]
        self.secrets.add(*names)
        for _ in range(3):
            token = self.keep(shop.read_token())
            url, body = f"{fixture.url}/v1/scores/read", {"subjects": names}
            assert requests.post(url, json=body, headers=fixture.bearer(token), timeout=30).status_code == 200
            assert requests.post(url, json=body, headers=fixture.bearer(token), timeout=30).status_code == 401
        for name in names:
            one = f"{fixture.url}/v1/scores/{name}"
            assert requests.get(one, headers=fixture.bearer(self.keep(shop.read_token())), timeout=30).ok
            assert requests.get(one, timeout=30).status_code == 401
            assert requests.get(f"{one}/more?subject={name}", timeout=30).status_code == 404
            asked = {"X-Request-Id": name, "traceparent": f"00-{name}", "User-Agent": name, "Cookie": name}
            assert requests.get(one, headers=asked, timeout=30).headers["X-Request-Id"] != name
            assert requests.request(name.upper(), one, timeout=30).status_code in {404, 405}
        unregistered = self.keep(shop.read_token(purpose="urn:sesame-sdk:purpose:PublicRanking"))
        assert requests.get(one, headers=fixture.bearer(unregistered), timeout=30).status_code == 403

    def speak_badly(self) -> None:
        """Something that is not HTTP, and a request that breaks off."""
        name = self.fixture.shop.pseudonym(PEOPLE[0])
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {name}\r\nContent-Type: {SET}\r\nContent-Length: 99\r\n\r\n"
        )
        for words in (f"GET /{name} HTTQ/7\r\n\r\n", head + name):
            with socket.create_connection(("127.0.0.1", self.fixture.port), timeout=30) as channel:
                channel.sendall(words.encode())
                channel.shutdown(socket.SHUT_WR)
                channel.recv(1024)

    def push(self) -> None:
        """A stream to a consumer that refuses, and then to one that is not there."""
        fixture = self.fixture
        self.secrets.add(BEARER)
        stream = {"method": "urn:ietf:rfc:8935", "authorization_header": f"Bearer {BEARER}"}
        with inbox(fixture.shop.issuer, fixture.shop.pseudonym(PEOPLE[0])):
            self.stream("post", {"delivery": {**stream, "endpoint_url": f"{fixture.shop.issuer}/inbox"}})
            wait_until(lambda: bool(self.running.events("message_dead_lettered")))
        name = fixture.hub.streams.list_streams()[0]["stream_id"]
        gone = {**stream, "endpoint_url": f"{fixture.shop.issuer}/{fixture.shop.pseudonym(PEOPLE[1])}"}
        self.stream("patch", {"stream_id": name, "delivery": gone})
        assert fixture.hub.streams.redrive(name)
        wait_until(lambda: bool(self.running.events("delivery_failed")))

    def stream(self, method: str, body: dict[str, object]) -> None:
        """Make or change the reader's stream."""
        token = self.keep(self.fixture.shop.stream_token())
        url, bearer = f"{self.fixture.url}/v1/ssf/stream", self.fixture.bearer(token)
        answer = requests.request(method, url, json=body, headers=bearer, timeout=30)
        assert answer.ok, answer.text

    def fail(self) -> None:
        """The database fails beneath an envelope and beneath a read, with people's data in hand.

        The stored policy is invalid for another read, with an error text that must not leak.
        """
        with without(self.fixture.path, "envelopes"):
            assert self.receive(self.fixture.post(self.keep_envelope(*PEOPLE, of=LATE))) == 503
        name = self.fixture.shop.pseudonym(PEOPLE[0])
        one = f"{self.fixture.url}/v1/scores/{name}"
        for wrong, status in (
            (without(self.fixture.path, "grants"), 503),
            (renamed_policies(self.fixture.path, name), 500),
        ):
            token = self.keep(self.fixture.shop.read_token())
            with wrong:
                assert requests.get(one, headers=self.fixture.bearer(token), timeout=30).status_code == status


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The day is over, and the hub stopped."""
    with new_hub_fixture(tmp_path_factory.mktemp("day")) as made:
        made.record_consents(*PEOPLE)
        with running(made.path, made.port, log_level="debug", heartbeat_interval_seconds=1) as process:
            day = Day(made, process)
            shop = made.shop
            day.secrets.add(*PEOPLE, ABSENT, *map(repr, VALUES), *shop.key.public_jwk.values())
            day.secrets.add(*(line.split('"')[3] for line in _private(made)), shop.pseudonymizer)
            for part in (day.send, day.register, day.read, day.speak_badly, day.push, day.fail):
                part()
            process.stop()
            yield day


def _private(made: HubFixture) -> list[str]:
    """The hub's own key, member by member."""
    return re.findall(r'"(?:d|x)":\s*"[^"]+"', (made.path / "signing.jwk").read_text())


def test_no_secret_stands_in_the_log(day: Day) -> None:
    """None of more than a hundred secrets is in the log; the search would find them."""
    assert len(day.secrets.values) > 100
    assert day.secrets.within(day.running.log_text) == []
    sample = next(iter(day.secrets.values))
    parts = {one for one in day.secrets.values if one.lower() in sample.lower()}
    assert set(day.secrets.within(f"{day.running.log_text} {sample.upper()}")) == parts


def test_every_line_is_json_with_a_time_a_level_and_an_event(day: Day) -> None:
    """Also those of libraries and of Python itself."""
    assert len(day.running.lines) > 100
    for line in day.running.lines:
        assert {"time", "level", "event"} <= line.keys()
        assert "withheld" not in line


@pytest.mark.parametrize(
    "event",
    [
        "server_started",
        "request_completed",
        "request_refused",
        "request_failed",
        "database_unavailable",
        "transaction_failed",
        "message_dead_lettered",
        "delivery_failed",
        "library_logged",
        "request_aborted",
        "server_stopping",
        "server_stopped",
    ],
)
def test_the_day_had_everything(day: Day, event: str) -> None:
    """Each kind of line was written: a log that says nothing would hold no secret either."""
    assert day.running.events(event)


def test_a_failure_says_what_failed_and_where(day: Day) -> None:
    """The types of the errors, the database's code, and places in the code; of the guard its rules."""
    first, cause = day.running.events("transaction_failed")[0]["error"][:2]
    assert (first["type"], cause["type"], cause["code"]) == (
        "OperationalError",
        "OperationalError",
        "SQLITE_ERROR",
    )
    assert any(place.startswith("writer:") for place in first["trace"])
    for event, kind_of_error in (
        ("database_unavailable", "OperationalError"),
        ("request_failed", "ConfigurationError"),
    ):
        (line,) = (line for line in day.running.events(event) if line["route"] == "/v1/scores/{subject}")
        assert line["error"][0]["type"] == kind_of_error
    rules = {rule for line in day.running.events("request_refused") for rule in line["rules"]}
    assert {"SPC-1", "EXT-0"} <= rules
    assert {line["code"] for line in day.running.events("message_dead_lettered")} == {"other"}
    assert "ConnectError" in {part["type"] for part in day.running.events("delivery_failed")[0]["error"]}


def test_libraries_are_heard_without_their_words(day: Day) -> None:
    """Uvicorn's known texts are shown; a plugin's log, a warning and an unknown logger are places in code."""
    logged = day.running.events("library_logged")
    assert "Invalid HTTP request received." in {line.get("text") for line in logged}
    loose = [line for line in logged if line["location"].startswith("permissive_rule:")]
    assert {line["level"] for line in loose} >= {"warning", "error"}
    assert not any("text" in line for line in loose)


def test_a_request_can_be_followed_from_its_answer_into_the_log(day: Day) -> None:
    """The id in the answer's header stands in the lines about the request."""
    with running(day.fixture.path, day.fixture.port) as process:
        answer = day.fixture.get(f"/v1/scores/{ABSENT}")
        process.stop()
        wanted = [line for line in process.lines if line.get("request_id") == answer.headers["X-Request-Id"]]
    assert [(line["event"], line["status"]) for line in wanted] == [("request_completed", 401)]
