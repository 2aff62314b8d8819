"""The way to the hub: what it refuses to do, and what bounds it."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from tests.partner.faults import status
from tests.partner.peer import JSON, Peer, Reply

Way = Callable[..., Transport]


@pytest.fixture
def way() -> Iterator[Way]:
    """Opens transports that try once."""
    opened: list[Transport] = []

    def make(hub: str, **settings: object) -> Transport:
        opened.append(Transport(hub, retry_policy=RetryPolicy(max_attempts=1), **settings))  # type: ignore[arg-type]
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@contextmanager
def raw_server(*pieces: bytes, pause: float = 0.0, hang: bool = False) -> Iterator[str]:
    """A server below HTTP: sends pieces of bytes with pauses, whatever it is asked."""
    ended = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            for piece in pieces:
                connection.sendall(piece)
                if ended.wait(pause):
                    return
            if hang:
                ended.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join()


@pytest.mark.parametrize(
    "hub", ["http://hub.example", "http://10.0.0.1:8000", "ftp://127.0.0.1", "hub.example", "http://[::2]:80"]
)
def test_plain_http_is_for_this_machine_only(way: Way, hub: str) -> None:
    """Pseudonyms and read tokens do not travel in the clear."""
    with pytest.raises(ConfigurationError, match="https"):
        way(hub)


@pytest.mark.parametrize("hub", ["https://hub.example/x", "http://localhost:1", "http://[::1]:1"])
def test_https_and_this_machine_are_fine(way: Way, hub: str) -> None:
    """A hub may live below a path."""
    way(hub)


def test_a_trickle_does_not_hold_us(way: Way) -> None:
    """Each byte comes in time, and the whole does not: the answer as a whole has a limit."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with (
        raw_server(head, *[b"x"] * 1000, pause=0.05) as url,
        pytest.raises(RetryableError, match="took more than"),
    ):
        way(url, response_seconds=0.2).get("/")


@pytest.mark.parametrize(
    "pieces",
    [
        (),
        (b"HTTP/1.1 200 OK\r\n",),
        (b"HTTP/1.1 200 OK\r\n\r\nperhaps half",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (b"SSH-2.0-OpenSSH\r\n",),
    ],
    ids=[
        "nothing",
        "half a head",
        "a body of no certain length",
        "half a body",
        "half a chunk",
        "a bad chunk",
        "another protocol",
    ],
)
def test_half_an_answer_is_no_answer(way: Way, pieces: tuple[bytes, ...]) -> None:
    """It may come whole the next time."""
    with raw_server(*pieces) as url, pytest.raises(RetryableError, match="response"):
        way(url).get("/")


def test_silence_ends(way: Way) -> None:
    """A hub that takes the request and says nothing is waited for no longer than was set."""
    with raw_server(hang=True) as url, pytest.raises(RetryableError, match="no response"):
        way(url, timeouts=(1.0, 0.1)).get("/")


def test_a_chunked_answer_is_read_whole(way: Way) -> None:
    """The other way of HTTP to send a body."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with raw_server(head, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\n\r\n") as url:
        assert way(url).get("/").body == b"hello world"


def test_a_refused_connection_is_retryable(way: Way) -> None:
    """A hub that is being started again will be back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(RetryableError, match="no response"):
        way(f"http://127.0.0.1:{port}").get("/")


def test_a_huge_answer_is_not_read(way: Way, peer: Peer) -> None:
    """Reading ends at the limit: as an answer it is rejected, as an error it is an error all the same."""
    peer.keys_reply = Reply(200, b"x" * 3_000_000)
    with pytest.raises(InvalidInputError, match="exceeds 100000 bytes"):
        way(peer.url, max_response_bytes=100_000).get("/")

    peer.keys_reply = Reply(500, b"x" * 3_000_000)
    with pytest.raises(RetryableError, match="500"):
        way(peer.url, max_response_bytes=100_000).get("/")


def test_gzip_is_what_it_says(way: Way, peer: Peer) -> None:
    """What the hub unpacks is what we were given."""
    body = b'{"subjects": []}' * 1000
    peer.faults.append(status(204))

    way(peer.url).post("/v1/scores/read", body, content_type=JSON, accept=JSON)

    _, headers, sent = peer.requests[0]
    assert headers["content-encoding"] == "gzip"
    assert len(sent) < len(body)
    assert gzip.decompress(sent) == body


def test_nothing_is_added_from_outside(
    way: Way, peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password of .netrc, no cookie of an earlier answer, no compressed answer asked for."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    peer.faults.extend([status(200, Set_Cookie="track=me; Path=/"), status(200)])
    transport = way(peer.url)

    for _ in range(2):
        transport.post("/", b"{}", content_type=JSON, accept=JSON, bearer=lambda: b"ours")

    for _, headers, _ in peer.requests:
        assert headers["authorization"] == "Bearer ours"
        assert headers["accept-encoding"] == "identity"
        assert "cookie" not in headers


def test_no_redirect_is_followed(way: Way, peer: Peer) -> None:
    """A signed message and a bearer token are for one address."""
    peer.faults.append(status(307, Location=f"{peer.url}/other"))

    with pytest.raises(ConfigurationError, match="redirect"):
        way(peer.url).post("/", b"{}", content_type=JSON, accept=JSON)
    assert len(peer.requests) == 1


def test_a_proxy_of_the_environment_is_used(way: Way, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partners behind a proxy set it where every program looks."""
    monkeypatch.setenv("https_proxy", peer.url)
    monkeypatch.setenv("no_proxy", "")

    with pytest.raises(RetryableError, match="ProxyError"):  # it does not know CONNECT
        way("https://hub.example").get("/")
    assert peer.connections > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.9.10", "[::1]", "LOCALHOST"])
def test_no_proxy_sees_what_is_for_this_machine(
    way: Way, peer: Peer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Plain http is allowed there, so that a proxy would read it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, peer.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")

    with pytest.raises(RetryableError, match="no response"):
        way(f"http://{host}:9").get("/")
    assert peer.connections == 0
