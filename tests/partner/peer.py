"""The other party, made real and small: a hub of the standard library's HTTP server.

It verifies what comes with `sesame_sdk.signing`, answers with signed receipts, answers a replayed
id with the very same receipt, and can misbehave on request: each `Fault` in `faults` takes the
place of one answer.
"""

import gzip
import json
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from attrs import frozen

from sesame_sdk import InvalidInputError, Manifest, Score
from sesame_sdk.model.codec import encode
from sesame_sdk.model.envelope import Dropped, EventType, Receipt
from sesame_sdk.signing.envelopes import open_envelope
from sesame_sdk.signing.jwt import READ_TYP, Token, sign_event, verify_event
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey, jwk_set
from sesame_sdk.signing.sd_jwt import SdJwt

SET = "application/secevent+jwt"
JSON = "application/json"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PARTNER = "https://shop.example"


@frozen
class Reply:
    """What goes back over the wire."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


#: Given the peer and the reply that it would make, makes another one; None resets the connection.
Fault = Callable[["Peer", Callable[[], Reply]], Reply | None]


class Peer:
    """A hub on 127.0.0.1. Use it as a context manager."""

    def __init__(self, partner: SigningKey) -> None:
        self.key = SigningKey.generate()
        self.published = [self.key.public_jwk]
        self.keys_reply: Reply | None = None
        self.faults: deque[Fault] = deque()
        self.receipts: dict[str, bytes] = {}
        self.ledger: dict[str, str] = {}
        self.refuse_ids: set[str] = set()
        self.scores: dict[str, Score | None] = {}
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.clock_offset = timedelta(0)
        self.mistakes: list[BaseException] = []
        self.last_receipt = Receipt("none", LONG_AGO, 0)
        self._trust = Trust({PARTNER: [TrustedKey(partner.public_jwk, LONG_AGO)]})
        self._reads: set[str] = set()
        self._lock = threading.Lock()
        self._server = _Server(self)

    @property
    def url(self) -> str:
        """Its issuer, too."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def jwks(self) -> bytes:
        """What it publishes."""
        return encode(jwk_set(self.published))

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert self.mistakes == []

    def sign(
        self,
        receipt: Receipt,
        *,
        key: SigningKey | None = None,
        issuer: str = "",
        audience: str = PARTNER,
    ) -> bytes:
        """A signed receipt."""
        return sign_event(
            EventType.RECEIPT,
            receipt,
            key or self.key,
            issuer=issuer or self.url,
            audience=audience,
            now=datetime.now(UTC),
        )

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """Answer one POST; None resets the connection."""
        with self._lock:
            self.requests.append((path, headers, body))
            fault = self.faults.popleft() if self.faults else None

        def work() -> Reply:
            with self._lock:
                return self._work(path, headers, body)

        return fault(self, work) if fault else work()

    def _work(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            if path == "/v1/scores/read":
                return Reply(200, self._read(headers["authorization"], body))
            return Reply(202, self._receive(body), SET)
        except InvalidInputError as error:
            return Reply(400, encode({"err": error.code, "description": str(error)}))

    def _receive(self, body: bytes) -> bytes:
        now = datetime.now(UTC)
        message = SdJwt.parse(body)
        if message.token.event_type is EventType.REGISTRATION:
            event = verify_event(
                message.token,
                self._trust,
                event=EventType.REGISTRATION,
                payload=Manifest,
                audience=self.url,
                now=now,
            )
            self.last_receipt = Receipt(event.jti, now, len(event.payload.kinds))
            return self.sign(self.last_receipt)
        envelope = open_envelope(message, self._trust, audience=self.url, now=now).envelope
        if envelope.jti not in self.receipts:
            self.receipts[envelope.jti] = self._keep(envelope.jti, [signal.id for signal in envelope.signals])
        return self.receipts[envelope.jti]

    def _keep(self, jti: str, ids: Iterable[str]) -> bytes:
        accepted = duplicates = 0
        dropped = []
        for each in ids:
            if each in self.refuse_ids:
                dropped.append(Dropped(each, "no_grant"))
            elif self.ledger.setdefault(each, jti) == jti:
                accepted += 1
            else:
                duplicates += 1
        self.last_receipt = Receipt(jti, datetime.now(UTC), accepted, duplicates, tuple(dropped))
        return self.sign(self.last_receipt)

    def _read(self, authorization: str, body: bytes) -> bytes:
        token = authorization.removeprefix("Bearer ").encode()
        now = datetime.now(UTC)
        verified = Token.parse(token).verify(self._trust, typ=READ_TYP, audience=self.url, now=now)
        claims = json.loads(verified.claims)
        if verified.jti in self._reads or claims["exp"] - claims["iat"] > timedelta(minutes=5).seconds:
            raise InvalidInputError("replayed, or good for too long", field="token")
        self._reads.add(verified.jti)
        return encode({"scores": {each: self.scores.get(each) for each in json.loads(body)["subjects"]}})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        """A client that hung up or was killed is expected; an internal error is not."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.peer.mistakes.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 10
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.peer.connections += 1

    def do_GET(self) -> None:
        peer = self.server.peer
        if self.path == "/.well-known/ssf-configuration":
            self._reply(Reply(200, encode({"issuer": peer.url})))
        else:
            self._reply(peer.keys_reply or Reply(200, peer.jwks()))

    def date_time_string(self, timestamp: float | None = None) -> str:
        offset = self.server.peer.clock_offset.total_seconds()
        return super().date_time_string((time.time() if timestamp is None else timestamp) + offset)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.peer.handle(self.path, headers, body)
        if reply is None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self._reply(reply)

    def _reply(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in (("Content-Type", reply.content_type), *reply.headers):
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in reply.headers):
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
