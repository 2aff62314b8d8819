"""Operations that meet: two hubs on one database do them at the same moment, and none fails or is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from sesame_sdk import InvalidInputError, RetryableError
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import LATE, LONG_AGO, ORDER, Clock, Partner
from tests.hub.rights.test_erasure import everything

NAMES = ("ada", "bob")
ACTIONS = ("erase", "withdraw", "grant", "read", "read", "poll", "dispute", "revoke", "correct", "send")
Operation = tuple[str, str]
#: Operations that begin at the same moment; the hubs take turns.
ROUNDS = st.lists(
    st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(NAMES)), min_size=2, max_size=4),
    min_size=1,
    max_size=6,
)
_numbers = count()


@define
class Crowd:
    """The people of one example, and what partners and the operator do about them."""

    hubs: tuple[Hub, Hub]
    shop: Partner
    clock: Clock
    stream: str
    number: int = field(factory=lambda: next(_numbers))
    keys: Iterator[int] = field(factory=count)
    #: How often each person was corrected: the pseudonym follows from it.
    corrected: dict[str, int] = field(factory=dict)

    def person(self, name: str) -> str:
        """Another one in each example."""
        return f"{name} {self.number}"

    def at(self, hub: Hub) -> Partner:
        """The shop, as it talks to one of the hubs."""
        return Partner(self.shop.issuer, hub, self.clock, self.shop.key)

    def run(self, operations: list[Operation]) -> None:
        """Begin all operations at the same moment, and wait for their ends."""
        barrier = Barrier(len(operations))

        def begin(hub: Hub, action: str, name: str) -> None:
            barrier.wait(30)
            try:
                getattr(self, action)(hub, name)
            except (InvalidInputError, RetryableError):  # refused, or to be repeated
                return

        with ThreadPoolExecutor(len(operations)) as threads:
            running: list[Future[None]] = [
                threads.submit(begin, self.hubs[place % 2], *operation)
                for place, operation in enumerate(operations)
            ]
        for one in running:
            one.result()

    def grant(self, hub: Hub, name: str) -> None:
        """A person consents, perhaps again."""
        hub.add_grants(self.shop.grants(self.person(name), ORDER, LATE, reads="retail"))

    def withdraw(self, hub: Hub, name: str) -> None:
        """The withdrawal has returned: no read that begins later has a score."""
        hub.withdraw_grants(self.person(name), self.shop.issuer)

    def erase(self, hub: Hub, name: str) -> None:
        """A person is erased."""
        hub.rights.erase(self.person(name))

    def read(self, hub: Hub, name: str) -> None:
        """The shop reads both people."""
        self.at(hub).read(self.person(name), *map(self.person, NAMES))

    def poll(self, hub: Hub, _: str) -> None:
        """The shop polls its stream, and acknowledges."""
        hub.streams.rescore_batch()
        shop = self.at(hub)
        polled = hub.stream_management.poll(
            shop.stream_token(), self.stream, PollRequest(returnImmediately=True)
        )
        acknowledged = PollRequest(ack=tuple(message.jti for message in polled.messages), maxEvents=0)
        hub.stream_management.poll(shop.stream_token(), self.stream, acknowledged)

    def send(self, hub: Hub, _: str) -> None:
        """The shop sends an order of each person in one envelope."""
        order = f"{self.number} {next(self.keys)}"
        self.at(hub).send(*(self.shop.signal(self.person(one), f"{one} {order}") for one in NAMES))

    def dispute(self, hub: Hub, name: str) -> None:
        """A person disputes the first signal, and the desk decides."""
        signal = self.shop.signal(self.person(name), f"{name} {self.number} 0")
        dispute = hub.rights.open_dispute(self.person(name), self.shop.issuer, signal.id, "it was not mine")
        hub.rights.decide(dispute.number, upheld=False, by="desk", reason="the slip shows it")

    def revoke(self, hub: Hub, name: str) -> None:
        """A further key of the shop signs an order, and is revoked."""
        key = SigningKey.generate()
        hub.add_partner(self.shop.issuer, [key.public_jwk], not_before=LONG_AGO)
        self.at(hub).with_key(key).send(self.shop.signal(self.person(name), f"{name} {key.kid}"))
        hub.revoke_key(key.kid, LONG_AGO, issuer=self.shop.issuer)

    def correct(self, hub: Hub, name: str) -> None:
        """An operator replaces the pseudonym by one that is nobody's, and puts it right again."""
        right = self.shop.pseudonym(self.person(name))
        other = self.shop.pseudonym(f"{self.person(name)} {next(self.keys)}")
        for subject in (other, right):
            hub.rights.correct_pseudonym(self.person(name), self.shop.issuer, subject)


@pytest.fixture
def crowd(hub_path: Path, hub: Hub, shop: Partner, clock: Clock) -> Iterator[Callable[[], Crowd]]:
    """Makes the people of an example, on two hubs with one database."""
    name = hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"]
    with ExitStack() as stack:
        other = stack.enter_context(Hub.open(hub_path, clock=clock))
        yield lambda: Crowd((hub, other), shop, clock, name)


def check(crowd: Crowd) -> None:
    """What must hold whenever no operation runs."""
    hub = crowd.hubs[0]
    known = set(hub.list_people())
    scores = dict(zip(NAMES, crowd.shop.read(*map(crowd.person, NAMES)), strict=True))
    for name in NAMES:
        person = crowd.person(name)
        valid = [grant for _, grant in hub.list_grants(person) if grant.is_valid(crowd.clock())]
        if not any(grant.purpose for grant in valid):
            assert scores[name] is None
        if person not in known:
            rows = {table: rows for table, rows in everything(hub).items() if rows and table != "notices"}
            del rows["envelopes"]
            rows.pop("stream_subjects", None)  # until the removal is delivered
            assert crowd.shop.pseudonym(person) not in repr(rows)
    if hub._engine.dialect.name == "sqlite":
        with read_transaction(hub._engine) as connection:
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def play(crowd: Crowd, rounds: list[list[Operation]]) -> None:
    """Begin with consents and orders, play the rounds, and check after each."""
    for name in NAMES:
        crowd.grant(crowd.hubs[0], name)
    crowd.send(crowd.hubs[0], NAMES[0])
    for operations in rounds:
        crowd.run(operations)
        check(crowd)
    rows: Any = everything(crowd.hubs[0])["signals"]
    crowd.hubs[0].rebuild()
    assert everything(crowd.hubs[0])["signals"] == rows


@pytest.mark.parametrize("action", ["erase", "withdraw", "dispute", "revoke", "correct"])
def test_reads_meet_each_change(crowd: Callable[[], Crowd], action: str) -> None:
    """Reads and polls by both hubs while one of them changes something."""
    play(crowd(), [[(action, "ada"), ("read", "ada"), ("read", "ada"), ("poll", "ada")]])


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_whatever_meets_nothing_fails(crowd: Callable[[], Crowd], data: st.DataObject) -> None:
    """Any operations at the same moment, round after round."""
    play(crowd(), data.draw(ROUNDS))
