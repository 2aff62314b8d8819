"""Strangers and greedy partners: what they take is little, and others are served meanwhile."""

import asyncio
import gzip
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
import requests
from attrs import frozen

from sesame_sdk import InvalidInputError, RetryableError
from sesame_sdk.hub.api.admission import STRANGERS, ConcurrencyLimit, FairQueue, MemoryBudget
from sesame_sdk.hub.api.request_body import FIRST_BYTES, Body
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.server.http_hardening import MAX_CONNECTIONS
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import Partner, new_hub
from tests.hub.process import free_port, serving

SET = "application/secevent+jwt"
_TICKS = os.sysconf("SC_CLK_TCK")


@frozen
class Site:
    """A hub as a process, with two partners."""

    url: str
    shop: Partner
    other: Partner
    process: int

    def post(self, body: bytes, **headers: str) -> requests.Response:
        """Deliver a message."""
        named = {"Content-Type": SET} | {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(f"{self.url}/v1/events", data=body, headers=named, timeout=60)

    def get(self, path: str) -> requests.Response:
        """Ask for something on a new connection."""
        return requests.get(f"{self.url}{path}", timeout=60)

    def connect(self) -> socket.socket:
        """A connection on which nothing was sent."""
        where = urlsplit(self.url)
        return socket.create_connection((where.hostname or "", where.port or 0), timeout=60)

    def wait_until_quiet(self) -> None:
        """Until the hub has read what was sent, and used hardly any processor for half a second."""
        before, pause = self.processor_seconds(), Event()
        for _ in range(120):
            pause.wait(0.5)
            now = self.processor_seconds()
            if now - before <= 0.1:
                return
            before = now
        raise AssertionError("the hub is busy for a minute")

    def processor_seconds(self) -> float:
        """What the hub's process used of a processor."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The hub."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path_factory.mktemp("admission") / "hub", issuer=url)
    with Hub.open(path) as hub:
        names = ("https://shop.example", "https://other.example")
        partners = [Partner.join(name, hub, timestamps.utc_now, ORDERS) for name in names]
        with serving(path, port, body_timeout_seconds=60) as process:
            yield Site(url, *partners, process.pid or 0)


def test_idle_connections_give_way(site: Site) -> None:
    """More of them than the hub accepts: whoever has a request is served, and so is monitoring."""
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS + 44):
            stack.enter_context(site.connect())
        assert site.get("/health/live").status_code == 200
        assert site.get("/health/ready").status_code == 200
        assert site.post(site.shop.seal(site.shop.signal("ada", "idle"))).status_code == 202


def test_health_is_answered_while_every_connection_has_a_request(site: Site) -> None:
    """Their bodies arrive byte by byte, so none gives way; others are refused as everywhere."""
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: {SET}\r\nContent-Length: 9999\r\n\r\n".encode()
    )
    with ExitStack() as stack:
        connections = [stack.enter_context(site.connect()) for _ in range(MAX_CONNECTIONS + 8)]
        for connection in connections:
            connection.sendall(head)
        for _ in range(50):
            for number, connection in enumerate(connections):
                try:
                    connection.sendall(b"x")
                except OSError:  # it gave way, since the last byte took too long
                    connections[number] = stack.enter_context(site.connect())
                    connections[number].sendall(head)
            answer = site.get("/.well-known/jwks.json")
            assert site.get("/health/live").status_code == 200
            if answer.status_code == 503:
                break
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["err"] == "unavailable"


@pytest.mark.parametrize("whose", ["a stranger's", "a partner's"])
def test_unfinished_bodies_keep_nobody_out(site: Site, whose: str) -> None:
    """Forty of two megabytes less one byte, under any key id: other partners are served, and that one too."""
    key = site.shop.key if whose == "a partner's" else SigningKey.generate()
    token = site.shop.with_key(key).seal(site.shop.signal("ada", "forged"))
    body = token.partition(b"~")[0] + b"x" * (1 << 21)
    head = f"POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: {SET}\r\nContent-Length: {1 << 21}\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(site.connect())
            connection.settimeout(5)
            with suppress(OSError):  # it was refused before it was sent
                connection.sendall(head.encode() + body[: (1 << 21) - 1])
        site.wait_until_quiet()
        for partner in (site.other, site.shop):
            answer = site.post(partner.seal(partner.signal("ada", whose)))
            assert answer.status_code == 202, answer.text


def test_what_a_stranger_packs_is_not_unpacked(site: Site) -> None:
    """Kilobytes that would be megabytes cost no more than any message of a stranger."""
    stranger = site.shop.with_key(SigningKey.generate())
    token = stranger.seal(stranger.signal("ada", "packed")).partition(b".")[0]
    packed = gzip.compress(token + b"." + b"e" * (1 << 20) + b"." + b"x" * 86)
    plain = token + b"." + os.urandom(len(packed) // 2).hex().encode()

    def cost(body: bytes, **headers: str) -> float:
        before = site.processor_seconds()
        with requests.Session() as session:
            for _ in range(60):
                named = {"Content-Type": SET, **headers}
                answer = session.post(f"{site.url}/v1/events", data=body, headers=named, timeout=60)
                assert (answer.status_code, answer.json()["err"]) in {
                    (400, "invalid_key"),
                    (400, "invalid_request"),
                }
        return site.processor_seconds() - before

    assert cost(packed, **{"Content-Encoding": "gzip"}) < 3 * cost(plain) + 0.1


def test_of_a_packed_message_of_a_stranger_no_more_than_the_first_bytes_exist() -> None:
    """Whatever follows is neither unpacked nor decoded."""
    body = Body(gzip.compress(b"e" * (1 << 21)), compressed=True, max_bytes=1 << 21)
    first, is_whole = body.first()
    assert (len(first), is_whole) == (16_385, False)


@pytest.mark.parametrize("path", ["/v1/scores/read", "/v1/notices/poll", "/v1/ssf/stream"])
def test_a_body_is_not_read_before_its_bearer_token_is_verified(site: Site, path: str) -> None:
    """Neither a stranger's nor one under a partner's key id: the answer comes while it still stands still."""
    real = site.shop.read_token()
    for token in (site.shop.with_key(SigningKey.generate()).read_token(), real[:-8] + b"AAAAAAAA"):
        head = (
            f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
            f"Authorization: Bearer {token.decode()}\r\nContent-Length: 1000000\r\n\r\n"
        )
        with site.connect() as connection:
            connection.sendall(head.encode() + gzip.compress(b"x" * (1 << 20))[:100])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")


def test_nothing_behind_a_token_is_read_before_its_signature_is_verified(hub: Hub, shop: Partner) -> None:
    """Also under the key id of a partner, which is no secret."""
    token, _, rest = shop.seal(shop.signal("ada", "1")).partition(b"~")
    read: list[bytes] = []

    def read_rest() -> bytes:
        read.append(rest)
        return b"~" + rest

    with pytest.raises(InvalidInputError, match="signature: is invalid"):
        hub.submit(token[:-8] + b"AAAAAAAA", read_rest)
    claims = token.split(b".")
    with pytest.raises(InvalidInputError, match="signature: is invalid"):
        hub.submit(b".".join([claims[0], b"e30", claims[2]]), read_rest)
    assert not read
    assert shop.read_receipt(hub.submit(token, read_rest).result()).dropped
    assert read


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_gets_a_code_too(site: Site, sent: bytes, code: int) -> None:
    """As every other refusal, and the connection is closed."""
    with site.connect() as connection:
        connection.sendall(sent)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 %d " % code)
    assert b'"err":"invalid_request"' in answer
    assert b"connection: close" in answer.lower()


def _in_loop(work: Callable[[], object]) -> None:
    async def run() -> None:
        work()

    asyncio.run(run())


def test_the_sender_that_holds_the_most_memory_gives_way() -> None:
    """Its oldest body, and only as long as it holds more than who needs it."""

    def work() -> None:
        budget = MemoryBudget(100)
        with ExitStack() as stack:
            first, second, third = (stack.enter_context(budget.reserve("greedy")) for _ in range(3))
            for reservation, size in ((first, 40), (second, 30), (third, 30)):
                reservation.add(size)
            modest = stack.enter_context(budget.reserve("modest"))
            modest.add(30)
            assert [one.evicted for one in (first, second, third)] == [True, False, False]
            modest.add(10)
            with pytest.raises(RetryableError):
                modest.add(60)
            with pytest.raises(RetryableError):
                second.add(1)  # nothing of its own stands still yet
        with budget.reserve("later") as later:
            later.add(100)

    _in_loop(work)


def test_no_sender_uses_up_the_requests_in_progress() -> None:
    """Three quarters are the most for one partner, an eighth for all strangers together."""
    limit = ConcurrencyLimit(16)
    with ExitStack() as stack:
        for sender, share in (("greedy", 12), (STRANGERS, 2)):
            for _ in range(share):
                stack.enter_context(limit.count(sender))
            with pytest.raises(RetryableError) as refused, limit.count(sender):
                pass
            assert refused.value.retry_after
        for _ in range(2):
            stack.enter_context(limit.count("modest"))
    with limit.count("greedy"):
        pass


def test_senders_take_turns() -> None:
    """Whoever waits with one request is next, however many another one waits with."""
    order: list[str] = []

    async def work() -> None:
        queue, all_wait = FairQueue(slots=1, per_sender=1), asyncio.Event()

        async def ask(sender: str) -> None:
            async with queue.turn(sender):
                await all_wait.wait()
                order.append(sender)

        greedy = [asyncio.create_task(ask("greedy")) for _ in range(6)]
        modest = asyncio.create_task(ask("modest"))
        await asyncio.sleep(0)
        greedy[4].cancel()
        all_wait.set()
        await asyncio.gather(*greedy, modest, return_exceptions=True)
        await asyncio.wait_for(ask("last"), 5)

    asyncio.run(work())
    assert order == ["greedy", "greedy", "modest", "greedy", "greedy", "greedy", "last"]


def test_the_first_bytes_hold_a_small_envelope(shop: Partner) -> None:
    """So that a new partner whose key is unknown still gets the exact reason."""
    assert len(shop.seal(*(shop.signal("ada", str(n)) for n in range(10)))) < FIRST_BYTES
