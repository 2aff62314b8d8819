"""Pushes to readers that answer slowly, wrongly or not at all: one stream's fault is that stream's."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.settings import LOOPBACK_NETWORKS, load_settings, parse_networks
from sesame_sdk.hub.streams import push_client
from sesame_sdk.hub.streams.push_policy import PushPolicy
from sesame_sdk.hub.streams.streams import PUSH, Delivery, StreamRequest
from sesame_sdk.hub.streams.worker import StreamWorker
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import Clock, Partner, new_hub, policy, weighting
from tests.hub.process import free_port, serving
from tests.hub.push_endpoint import ACCEPTED, push_endpoint
from tests.hub.test_streams import wait_until

pytestmark = pytest.mark.long

TIMEOUT = 1


def drip(prefix: bytes) -> Callable[[socket.socket], None]:
    """Begin an answer, and go on with a byte now and then, for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(prefix)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    return answer


def close_after(answer: bytes) -> Callable[[socket.socket], None]:
    """Answer, and close the connection."""

    def send(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    return send


@frozen
class Pushing:
    """A hub that pushes for at most a second, in this process."""

    hub: Hub
    worker: StreamWorker

    def create_stream(self, issuer: str, url: str) -> str:
        """A new reader's stream, whose first message is a heartbeat."""
        reader = Partner.join(issuer, self.hub, self.hub.streams.clock, ORDERS, reads=["retail"])
        request = StreamRequest(delivery=Delivery(PUSH, url))
        created: str = self.hub.stream_management.create(reader.stream_token(), request)["stream_id"]
        return created

    def is_delivered(self) -> bool:
        """Whether no message of any stream is pending."""
        return not any(is_pending for _, is_pending in self.hub.streams.list_pending())


@contextmanager
def pushing(path: Path, clock: Clock, **settings: Any) -> Iterator[Pushing]:
    """A hub with a policy, its worker started."""
    new_hub(path)
    options = {"push_timeout_seconds": TIMEOUT, "heartbeat_interval_seconds": 3600} | settings
    with Hub.open(path, clock=clock, settings=evolve(load_settings(path), **options)) as hub:
        hub.set_policy(policy(weighting(ORDERS)))
        worker = StreamWorker(hub.streams)
        worker.start()
        try:
            yield Pushing(hub, worker)
        finally:
            worker.stop()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: time.sleep(30), id="no answer"),
        pytest.param(drip(b"HTTP/1.1 202 Accepted\r\nX-"), id="headers byte by byte"),
        pytest.param(drip(b"HTTP/1.1 500 No\r\nContent-Length: 60000\r\n\r\n"), id="a body byte by byte"),
        pytest.param(drip(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20"), id="a status byte by byte"),
    ],
)
def test_a_push_has_one_deadline_for_the_whole_call(
    tmp_path: Path, clock: Clock, answer: Callable[[socket.socket], None]
) -> None:
    """However an endpoint spends its time, the push ends, and the message is sent again."""
    with push_endpoint(answer) as endpoint, pushing(tmp_path / "hub", clock) as made:
        made.create_stream(endpoint.issuer, endpoint.url)
        first, second = endpoint.received.get(timeout=30), endpoint.received.get(timeout=30)
    assert first.encoded == second.encoded


def test_endpoints_that_are_stuck_hold_up_no_other(tmp_path: Path, clock: Clock) -> None:
    """More of them than any pool of threads; and the worker stops at once."""
    with (
        push_endpoint(drip(b"HTTP/1.1 202 Accepted\r\nX-")) as stuck,
        push_endpoint() as healthy,
        pushing(tmp_path / "hub", clock, push_timeout_seconds=60) as made,
    ):
        for number in range(20):
            made.create_stream(f"{stuck.issuer}/{number}", stuck.url)
        for _ in range(20):
            stuck.received.get(timeout=30)
        made.create_stream(healthy.issuer, healthy.url)
        healthy.received.get(timeout=30)
        assert made.worker.is_working()
        made.worker.stop()  # or pytest's time limit ends the test


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(close_after(b"HTTP/1.1 202 Accepted\r\n\r\n"), id="ended by the connection"),
        pytest.param(close_after(b"HTTP/1.0 202 Accepted\r\n\r\n"), id="HTTP/1.0"),
        pytest.param(close_after(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\nx"), id="incomplete"),
        pytest.param(drip(b"HTTP/1.1 202 Accepted\r\n\r\n"), id="a body without end"),
        pytest.param(close_after(b"HTTP/1.1 204 No Content\r\n\r\n"), id="no content"),
    ],
)
def test_an_accepted_message_is_delivered_whatever_follows_the_status(
    tmp_path: Path, clock: Clock, answer: Callable[[socket.socket], None]
) -> None:
    """RFC 8935 asks for the status alone; the message is not sent again."""
    with push_endpoint(answer) as endpoint, pushing(tmp_path / "hub", clock) as made:
        made.create_stream(endpoint.issuer, endpoint.url)
        wait_until(lambda: endpoint.received.qsize() > 0 and made.is_delivered())
    assert endpoint.received.qsize() == 1


def test_a_redirect_is_not_followed(tmp_path: Path, clock: Clock) -> None:
    """The message stays pending, and goes nowhere else."""
    with push_endpoint() as other:
        redirect = f"HTTP/1.1 307 Moved\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with push_endpoint(close_after(redirect)) as endpoint, pushing(tmp_path / "hub", clock) as made:
            made.create_stream(endpoint.issuer, endpoint.url)
            assert endpoint.received.get(timeout=30).encoded == endpoint.received.get(timeout=30).encoded
            assert not made.is_delivered()
        assert other.received.empty()


def test_a_message_that_gets_no_answer_does_not_stop_the_next_one(tmp_path: Path, clock: Clock) -> None:
    """The reader fails on one message again and again, and gets the others meanwhile."""
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(endpoint.received.queue[-1].encoded)
        refused = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(refused if seen[-1] == seen[0] else ACCEPTED)

    with push_endpoint(answer) as endpoint, pushing(tmp_path / "hub", clock) as made:
        name = made.create_stream(endpoint.issuer, endpoint.url)
        wait_until(lambda: len(seen) > 0)
        made.hub.streams.set_status(name, "enabled", "again")
        wait_until(lambda: len(set(seen)) > 1)


@define
class FaultyClock:
    """A clock that raises an error while one is set."""

    error: BaseException | None = None

    def __call__(self) -> Any:
        """The time."""
        if self.error:
            raise self.error
        return timestamps.utc_now()


@pytest.mark.parametrize("error", [ValueError("a fault"), SystemExit(1)], ids=["an error", "an exit"])
def test_no_error_ends_the_worker(tmp_path: Path, error: BaseException) -> None:
    """Rounds fail for a while: the metric and the readiness tell. Then streams are pushed again."""
    clock = FaultyClock()
    up = metrics.STREAM_WORKER_UP._value
    with push_endpoint() as endpoint, pushing(tmp_path / "hub", clock) as made:  # type: ignore[arg-type]
        made.worker.max_round_seconds = 0.5
        wait_until(lambda: up.get() == 1 and made.worker.is_working())
        clock.error = error
        wait_until(lambda: up.get() == 0 and not made.worker.is_working())
        clock.error = None
        wait_until(lambda: up.get() == 1 and made.worker.is_working())
        made.create_stream(endpoint.issuer, endpoint.url)
        endpoint.received.get(timeout=30)


@pytest.mark.long
def test_a_hub_stops_on_sigterm_during_a_push_that_is_stuck(tmp_path: Path) -> None:
    """In order, with exit code 0; the message stays pending."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path / "hub", issuer=url)
    with Hub.open(path) as hub, push_endpoint(drip(b"HTTP/1.1 202 Accepted\r\nX-")) as endpoint:
        hub.set_policy(policy(weighting(ORDERS)))
        made = Pushing(hub, StreamWorker(hub.streams))
        made.create_stream(endpoint.issuer, endpoint.url)
        with serving(path, port, push_timeout_seconds=60) as process:
            endpoint.received.get(timeout=60)
            process.terminate()
            process.join(30)
            assert process.exitcode == 0
        assert not made.is_delivered()


ISSUER = "https://reader.example"
ALLOWING = PushPolicy(parse_networks("10.0.0.0/8, 127.0.0.0/8"), frozenset({8443}))


@pytest.mark.parametrize(
    ("endpoint", "issuer", "reason"),
    [
        pytest.param(f"{ISSUER}:99999/inbox", ISSUER, "invalid port", id="a port that is none"),
        pytest.param(f"{ISSUER}:0/inbox", ISSUER, "invalid port", id="port 0"),
        pytest.param(f"{ISSUER}:x/inbox", ISSUER, "invalid port", id="a port that is no number"),
        pytest.param(f"{ISSUER}:22/inbox", ISSUER, "port of your issuer", id="another port"),
        pytest.param(f"{ISSUER}:443/inbox", f"{ISSUER}:8080", "port of your issuer", id="the default port"),
        pytest.param("http://reader.example/", "http://reader.example", "https URL", id="plain http"),
        pytest.param(f"{ISSUER}/in box", ISSUER, "host of your issuer", id="a space"),
        pytest.param(f"{ISSUER}\\@evil.example/", ISSUER, "host of your issuer", id="a backslash"),
        pytest.param("https://192.168.0.1/", "https://192.168.0.1", "public address", id="private"),
        pytest.param("http://127.0.0.1/", "http://127.0.0.1", "public address", id="loopback"),
        pytest.param("https://[::1]/", "https://[::1]", "public address", id="loopback in IPv6"),
        pytest.param(
            "https://[::ffff:169.254.169.254]/", "https://[::ffff:169.254.169.254]", "public", id="m"
        ),
    ],
)
def test_an_endpoint_is_checked_when_it_is_given(endpoint: str, issuer: str, reason: str) -> None:
    """Before anything is stored, and with a reason."""
    with pytest.raises(InvalidInputError, match=reason) as caught:
        PushPolicy().check_endpoint(endpoint, issuer)
    assert caught.value.field == "endpoint_url"


def test_an_operator_allows_ports_and_networks() -> None:
    """By name; all else stays refused."""
    PushPolicy().check_endpoint(f"{ISSUER}:443/inbox", ISSUER)
    ALLOWING.check_endpoint(f"{ISSUER}:8443/inbox", ISSUER)
    ALLOWING.check_endpoint("http://127.0.0.1:9000/", "http://127.0.0.1:9000")
    ALLOWING.check_endpoint("https://10.1.2.3/", "https://10.1.2.3")
    with pytest.raises(InvalidInputError):
        ALLOWING.check_endpoint(f"{ISSUER}:8444/inbox", ISSUER)
    with pytest.raises(InvalidInputError):
        ALLOWING.check_endpoint("https://192.168.0.1/", "https://192.168.0.1")


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to be refused
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str, is_public: bool) -> None:
    """Also those that contain an IPv4 address that is not."""
    assert PushPolicy().allows(ip_address(address)) is is_public


@define
class Certificates:
    """A self-signed certificate of a name, and the name that a client asked for."""

    folder: Path
    name: str = "reader.example"
    asked_for: str | None = None

    def __attrs_post_init__(self) -> None:
        key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string(f"CN={self.name}")
        now = timestamps.utc_now()
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(self.name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        none = serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        self.file.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none) + certificate.public_bytes(pem)
        )

    @property
    def file(self) -> Path:
        """Key and certificate."""
        return self.folder / "certificate.pem"

    def context(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        context.sni_callback = self._note
        return context

    def _note(self, _: object, name: str | None, __: object) -> None:
        self.asked_for = name


@pytest.mark.parametrize("networks", ["", LOOPBACK_NETWORKS], ids=["public only", "loopback allowed"])
def test_the_address_that_a_name_resolves_to_is_checked_at_the_connection(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, networks: str
) -> None:
    """A public name that resolves to this machine; it is resolved once, and TLS is for the name."""
    certificates, resolved, real = Certificates(tmp_path), [], socket.getaddrinfo

    def resolve(host: Any, *others: Any, **options: Any) -> Any:
        if host != certificates.name:
            return real(host, *others, **options)
        resolved.append(host)
        return real("127.0.0.1", *others, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.file))
    push_client._ssl_context.cache_clear()
    with push_endpoint(context=certificates.context()) as endpoint:
        issuer = endpoint.issuer.replace("http://127.0.0.1", f"https://{certificates.name}")
        with pushing(tmp_path / "hub", clock, push_networks=networks) as made:
            made.create_stream(issuer, f"{issuer}/inbox")
            if networks:
                endpoint.received.get(timeout=30)
                assert certificates.asked_for == certificates.name
                assert len(resolved) == 1
            else:
                wait_until(lambda: len(resolved) > 1)  # it was tried, and is tried again
                assert endpoint.connections.empty()
    push_client._ssl_context.cache_clear()
