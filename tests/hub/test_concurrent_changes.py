"""What changes while a read is computed is effective before the read is answered.

A guard rule is called while a read is computed, after its snapshot of the database was taken: there, another
hub on the same database makes a change, which has returned when the read goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import ClassVar

import pytest
from attrs import define

from sesame_sdk import InvalidInputError, ReadRequest, Score, Signal
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.hub.streams.streams import PUSH, Delivery, StreamRequest
from sesame_sdk.hub.streams.worker import StreamWorker
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Direction
from sesame_sdk.signing.jwt import Token
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import NOON, ORDER, Clock, Partner, policy, weighting


@define
class ChangeDuringRead(GuardRule):
    """Makes a change once, during the next read."""

    id: ClassVar[str] = "CHANGE-1"
    source: ClassVar[str] = "a test"
    dated: ClassVar[date] = date(2026, 6, 1)
    change: Callable[[], object] | None = None

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:  # noqa: ARG002 - as the interface
        """Allow the read."""
        if self.change is not None:
            change, self.change = self.change, None
            change()
        return ()


@define
class World:
    """Two hubs on one database: the shop reads from the first, and the operator uses the second."""

    reader: Partner
    shop: Partner
    operator: Hub
    rule: ChangeDuringRead
    order: Signal

    def read_during(self, change: Callable[[], object], *persons: str) -> list[Score | None]:
        """Read from the first hub while a change is made by the second."""
        self.rule.change = change
        scores = self.reader.read(*persons)
        assert self.rule.change is None
        return scores

    def withdraw(self) -> None:
        """Ada withdraws the consent to read."""
        self.operator.withdraw_grants("ada", self.shop.issuer, Direction.READ)

    def withdraw_signals(self) -> None:
        """Ada withdraws the consent to send what her score is made of."""
        self.operator.withdraw_grants("ada", self.shop.issuer, Direction.SEND)

    def erase(self) -> None:
        """Ada is erased."""
        self.operator.rights.erase("ada")

    def dispute(self) -> None:
        """Ada disputes the only signal of hers."""
        self.operator.rights.open_dispute("ada", self.shop.issuer, self.order.id, "it was not mine")

    def revoke_key(self) -> None:
        """The key that signed every signal is revoked."""
        self.operator.revoke_key(self.shop.key.kid, NOON)

    def set_policy(self) -> None:
        """An order is worth more from now on."""
        self.operator.set_policy(policy(weighting(ORDERS, weight=20.0), version=2))


@pytest.fixture
def world(hub_path: Path, hub: Hub, shop: Partner, clock: Clock) -> Iterator[World]:
    """Ada and bob have one order each, 510 points, and let the shop read them."""
    for person in ("ada", "bob"):
        hub.add_grants(shop.grants(person, ORDER, reads="retail"))
    clock.advance(hours=1)
    order = shop.signal("ada", "1")
    shop.send(order, shop.signal("bob", "2"))
    rule = ChangeDuringRead()
    with Hub.open(hub_path, clock=clock, rules=[rule]) as reading:
        reader = Partner(shop.issuer, reading, clock, shop.key)
        yield World(reader, shop, hub, rule, order)


@pytest.mark.parametrize(
    ("change", "answered"),
    [
        pytest.param(World.withdraw, False, id="withdrawal of the read"),
        pytest.param(World.withdraw_signals, False, id="withdrawal of the signals"),
        pytest.param(World.dispute, False, id="dispute"),
        pytest.param(World.set_policy, True, id="policy"),
    ],
)
def test_a_read_in_progress_is_answered_as_after_the_change(
    world: World, change: Callable[[World], None], answered: bool
) -> None:
    """The change has returned, so the answer and the log are those of a read that begins after it."""
    during = world.read_during(lambda: change(world), "ada", "bob")
    assert during == world.reader.read("ada", "bob")
    assert (during[0] is not None) is answered
    assert during[1] is not None
    assert [read.answered for read in world.operator.list_score_reads("ada")] == [answered] * 2
    assert [read.answered for read in world.operator.list_score_reads("bob")] == [True] * 2


def test_an_erased_person_has_no_score_in_a_read_in_progress(world: World) -> None:
    """The person is as unknown as any stranger, and the others are answered."""
    ada, bob = world.read_during(world.erase, "ada", "bob")
    assert ada is None
    assert bob is not None
    assert len(world.operator.list_score_reads("bob")) == 1


def test_a_revoked_key_is_effective_for_a_read_in_progress(world: World) -> None:
    """What it signed does not count, and its registration has ended: the reader may not read any more."""
    with pytest.raises(InvalidInputError) as refused:
        world.read_during(world.revoke_key, "ada")
    assert refused.value.code == "access_denied"
    assert world.operator.list_score_reads("ada") == []


@contextmanager
def _push_endpoint(on_push: Callable[[], object]) -> Iterator[tuple[str, "Queue[Token]"]]:
    """A reader's endpoint: its issuer, and what it received. It calls `on_push` before the first answer."""
    received: Queue[Token] = Queue()

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = Token.parse(self.rfile.read(int(self.headers["Content-Length"])))
            if received.empty():
                on_push()
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            received.put(token)

        def log_message(self, *_: object) -> None:
            """Not in the output of the tests."""

    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.usefixtures("shop")  # sets the policy
def test_a_fetched_message_is_not_pushed_after_a_withdrawal(hub: Hub, clock: Clock) -> None:
    """Two messages were signed and fetched; bob, in the second, withdraws while the first is on its way."""
    with _push_endpoint(lambda: hub.withdraw_grants("bob", issuer)) as (issuer, received):
        reader = Partner.join(issuer, hub, clock, ORDERS, reads=["retail"])
        endpoint = Delivery(PUSH, f"{issuer}/inbox")
        created = hub.stream_management.create(reader.stream_token(), StreamRequest(delivery=endpoint))
        for person in ("ada", "bob"):
            hub.add_grants(reader.grants(person, ORDER, reads="retail"))
            reader.send(reader.signal(person, person))
            hub.streams.rescore_pending()
            hub.stream_management.poll(reader.stream_token(), created["stream_id"], PollRequest())
        worker = StreamWorker(hub.streams)
        worker.start()
        try:
            first, second = (received.get(timeout=30).event_type for _ in range(2))
        finally:
            worker.stop()
    assert (first, second) == (EventType.SCORES_CHANGED, EventType.GRANT_WITHDRAWN)
