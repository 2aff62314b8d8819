"""A pooler that drops the settings of a session, as PgBouncer does with ``ignore_startup_parameters``."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.hub import Hub
from tests.hub.fixtures import HUB, new_hub
from tests.postgresql import DatabasePool


@contextmanager
def _pooler(target: int) -> Iterator[int]:
    """Forwards connections to a port, without the ``options`` of their first message."""
    listener = socket.create_server(("127.0.0.1", 0))

    def forward(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", target))
                _begin(client, server)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=forward, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _begin(client: socket.socket, server: socket.socket) -> None:
    while True:
        (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
        body = client.recv(length - 4, socket.MSG_WAITALL)
        if body[:4] == struct.pack("!i", 196_608):
            break
        client.sendall(b"N")  # no TLS, no GSSAPI
    names = body[4:-2].split(b"\0")
    kept = [pair for pair in zip(names[::2], names[1::2], strict=True) if pair[0] != b"options"]
    message = body[:4] + b"".join(name + b"\0" + value + b"\0" for name, value in kept) + b"\0"
    server.sendall(struct.pack("!i", len(message) + 4) + message)


def test_a_pooler_that_ignores_the_session_is_refused(database_pool: DatabasePool, tmp_path: Path) -> None:
    """At the start, with a hint, in place of a hub that is ready and fails at every turn."""
    direct = make_url(database_pool.take())
    assert direct.port is not None
    with _pooler(direct.port) as port:
        through = direct.set(port=port)
        path = new_hub(tmp_path / "hub", issuer=HUB, database=through.render_as_string(hide_password=False))
        with pytest.raises(
            ConfigurationError, match=r"PgBouncer does in transaction mode.*connect to PostgreSQL itself"
        ):
            Hub.open(path)
    with Hub.open(
        new_hub(tmp_path / "direct", issuer=HUB, database=direct.render_as_string(hide_password=False))
    ):
        pass
