"""A stream's messages are for its reader, whatever happens to the stream meanwhile."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import requests
from sqlalchemy import inspect

from sesame_sdk.hub.database.tables import envelopes, metadata, rate_limits
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.server.app import create_app
from sesame_sdk.hub.streams.streams import PUSH, Delivery, StreamRequest
from sesame_sdk.hub.streams.worker import StreamWorker
from sesame_sdk.signing import base64url
from sesame_sdk.testing.in_memory_transport import AsgiRunner, InMemoryAdapter
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, ORDER, Clock, Partner
from tests.hub.ledger import change, looking, rows
from tests.hub.push_endpoint import accept, push_endpoint
from tests.hub.test_streams import wait_until

JoinReader = Callable[..., Partner]


@pytest.fixture
def join_reader(shop: Partner, clock: Clock) -> JoinReader:
    """Make a reader, about whom ada and bob agreed to everything."""
    hub = shop.hub  # whose policy the shop set

    def join(issuer: str) -> Partner:
        reader = Partner.join(issuer, hub, clock, ORDERS, reads=["retail"])
        for person in ("ada", "bob"):
            hub.add_grants(reader.grants(person, ORDER, reads="retail"))
            reader.send(reader.signal(person, person))
        return reader

    return join


def audience_of(token: bytes) -> object:
    """The reader that a message is for."""
    return json.loads(base64url.decode(token.split(b".")[1], field="token"))["aud"]


@contextmanager
def served(path: Path, clock: Clock) -> Iterator[requests.Session]:
    """A hub's application with its stream worker, and a session that reaches it."""
    runner = AsgiRunner(create_app(Hub.open(path, clock=clock)))
    try:
        with requests.Session() as session:
            session.mount(HUB, InMemoryAdapter(runner))
            yield session
    finally:
        runner.close()


def poll(session: requests.Session, reader: Partner, name: str) -> requests.Response:
    """A long poll."""
    bearer = {"Authorization": f"Bearer {reader.stream_token().decode()}"}
    return session.post(f"{HUB}/v1/ssf/poll/{name}", json={}, headers=bearer, timeout=60)


def test_a_waiting_poll_never_gets_the_messages_of_a_stream_created_later(
    hub: Hub, hub_path: Path, clock: Clock, join_reader: JoinReader
) -> None:
    """It ends when its stream is deleted; the stream that is created next belongs to another reader."""
    first, second = join_reader("https://first.example"), join_reader("https://second.example")
    with served(hub_path, clock) as session, ThreadPoolExecutor(1) as pool:
        old = hub.stream_management.create(first.stream_token(), StreamRequest())["stream_id"]
        hub.streams.set_status(old, "paused", "")
        jti = next(iter(poll(session, first, old).json()["sets"]))  # it tells the reader of the pause
        bearer = {"Authorization": f"Bearer {first.stream_token().decode()}"}
        body = {"ack": [jti], "maxEvents": 0}
        assert session.post(f"{HUB}/v1/ssf/poll/{old}", json=body, headers=bearer, timeout=60).ok
        charged = rows(hub_path, rate_limits)
        waiting = pool.submit(poll, session, first, old)
        wait_until(lambda: rows(hub_path, rate_limits) != charged)
        hub.stream_management.delete(first.stream_token(), old)
        new = hub.stream_management.create(second.stream_token(), StreamRequest())["stream_id"]
        assert waiting.result().status_code == 404
        received = poll(session, second, new).json()["sets"].values()
    assert {audience_of(token.encode()) for token in received} == {second.issuer}


def test_a_slow_push_never_settles_the_messages_of_a_stream_created_later(
    hub: Hub, join_reader: JoinReader
) -> None:
    """Its reader deletes the stream during the push; another reader creates one and gets every message."""
    arrived, answered = Event(), Event()

    def answer_late(connection: socket.socket) -> None:
        arrived.set()
        answered.wait(30)
        accept(connection)

    with push_endpoint(answer_late) as endpoint, push_endpoint() as other:
        first, second = join_reader(endpoint.issuer), join_reader(other.issuer)
        request = StreamRequest(delivery=Delivery(PUSH, endpoint.url))
        old = hub.stream_management.create(first.stream_token(), request)["stream_id"]
        worker = StreamWorker(hub.streams)
        worker.start()
        try:
            assert arrived.wait(30)
            hub.stream_management.delete(first.stream_token(), old)
            request = StreamRequest(delivery=Delivery(PUSH, other.url))
            hub.stream_management.create(second.stream_token(), request)
            hub.streams.rescore_pending()
            answered.set()
            received = other.received.get(timeout=30)
        finally:
            worker.stop()
        assert audience_of(received.encoded) == second.issuer
        assert {audience_of(token.encoded) for token in endpoint.received.queue} == {first.issuer}


@pytest.mark.usefixtures("hub")
def test_no_table_uses_an_id_again(hub_path: Path) -> None:
    """SQLite would use the id of the last row again after its deletion; a sequence of PostgreSQL does not."""
    with looking(hub_path) as connection:
        for table in metadata.sorted_tables:
            if [column.name for column in table.primary_key] != ["id"]:
                continue
            if connection.dialect.name == "sqlite":
                schema = "SELECT sql FROM sqlite_master WHERE name = ?"
                assert "AUTOINCREMENT" in connection.exec_driver_sql(schema, (table.name,)).scalar_one()
            else:
                columns = {column["name"]: column for column in inspect(connection).get_columns(table.name)}
                assert str(columns["id"]["default"]).startswith("nextval(")


def test_an_envelope_gets_an_id_that_no_envelope_had(hub: Hub, hub_path: Path, shop: Partner) -> None:
    """Its id is reserved before the row is inserted."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    last = rows(hub_path, envelopes)[-1][0]
    change(hub_path, "DELETE FROM envelopes WHERE id = (SELECT max(id) FROM envelopes)")
    shop.send(shop.signal("ada", "2"))
    assert rows(hub_path, envelopes)[-1][0] > last
