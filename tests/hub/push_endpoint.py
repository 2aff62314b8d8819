"""Endpoints of readers that a hub pushes to: real sockets that answer as a test says."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import parse_headers
from queue import Queue
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

from attrs import field, frozen

from sesame_sdk.signing.jwt import Token

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
Answer = Callable[[socket.socket], None]


def accept(connection: socket.socket) -> None:
    """Answer that a message was stored."""
    connection.sendall(ACCEPTED)


@frozen
class PushEndpoint:
    """A reader's endpoint: its issuer, and the connections and messages that came, in their order."""

    issuer: str
    connections: "Queue[object]" = field(factory=Queue)
    received: "Queue[Token]" = field(factory=Queue)

    @property
    def url(self) -> str:
        """Where to push."""
        return f"{self.issuer}/inbox"


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


@contextmanager
def push_endpoint(
    answer: Answer = accept, *, context: ssl.SSLContext | None = None
) -> Iterator[PushEndpoint]:
    """An endpoint on a free port of the loopback interface, until the block ends; with TLS by a `context`."""

    class Handler(StreamRequestHandler):
        def setup(self) -> None:
            endpoint.connections.put(self.client_address)
            if context:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            with suppress(OSError):
                while self.rfile.readline().startswith(b"POST "):
                    length = int(parse_headers(self.rfile)["Content-Length"])
                    endpoint.received.put(Token.parse(self.rfile.read(length)))
                    answer(self.connection)

    with _Server(("127.0.0.1", 0), Handler) as server:
        endpoint = PushEndpoint(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
