"""Envelopes that wait together are taken in together, and each fares as it would alone."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database.engine import dialect_of, open_engine
from sesame_sdk.hub.database.tables import signals
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.dispatcher import MessageDispatcher
from sesame_sdk.hub.ingest.signal_table import SignalView
from sesame_sdk.hub.partners.keys import CurrentKeys
from sesame_sdk.hub.partners.rate_limit import Limit, RateLimiter
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.model.envelope import Dropped, DropReason, Receipt
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import ORDER, Clock, Partner
from tests.hub.ledger import rows

Take = Callable[[Sequence[bytes]], list[Receipt]]


@pytest.fixture
def take(shop: Partner, hub_path: Path, clock: Clock) -> Iterator[Take]:
    """Take envelopes of the shop in at once; gives their receipts."""
    settings = load_settings(hub_path)
    engine = open_engine(settings.database_url)
    signer, view = SigningKey.load(settings.key_path), SignalView(engine)
    dispatcher = MessageDispatcher(
        settings, signer, view, GrantCache(engine), RateLimiter(Limit(0, 1)), clock
    )

    def at_once(envelopes: Sequence[bytes]) -> list[Receipt]:
        keys = CurrentKeys(engine)
        tasks = [dispatcher.task(dispatcher.verify(envelope, keys)) for envelope in envelopes]
        assert len({task.batch_key for task in tasks}) == 1
        with dialect_of(engine).write_connection(engine) as connection, connection.begin():
            answers = tasks[0].work(connection, [task.item for task in tasks])
        return [shop.read_receipt(tasks[0].on_commit(answer)) for answer in answers]

    yield at_once
    engine.dispose()


def test_each_gets_the_receipt_for_its_own_signals(shop: Partner, hub: Hub, take: Take) -> None:
    """In their order, with what was dropped of each."""
    hub.add_grants(shop.grants("ada", ORDER))
    stranger = shop.signal("bob", "2")
    envelopes = [shop.seal(shop.signal("ada", "1"), stranger), shop.seal(shop.signal("ada", "3"))]
    first, second = take(envelopes)
    assert (first.accepted, first.dropped) == (1, (Dropped(stranger.id, DropReason.NO_GRANT),))
    assert (second.accepted, second.dropped) == (1, ())


def test_what_two_of_them_say_is_new_in_the_first_alone(
    shop: Partner, hub: Hub, hub_path: Path, take: Take
) -> None:
    """Duplicates and corrections within the group and of before are counted where they are."""
    hub.add_grants([*shop.grants("ada", ORDER), *shop.grants("bob", ORDER)])
    shop.send(shop.signal("ada", "before"))
    batches = [["1", "2"], ["before", "2", "3", "3"], ["1"], ["4"], ["before", "5"]]
    envelopes = [
        shop.seal(
            *(shop.signal(person, key, value=number or 0.5) for person in ("bob", "ada") for key in keys)
        )
        for number, keys in enumerate(batches)
    ]
    hub.receive(shop.seal(shop.signal("bob", "before")))
    receipts = take(envelopes)
    counted = [(receipt.accepted, receipt.duplicates, receipt.corrected) for receipt in receipts]
    assert counted == [(4, 0, 0), (2, 4, 2), (0, 0, 2), (2, 0, 0), (2, 0, 2)]
    stood = rows(hub_path, signals)
    assert hub.rebuild().signals == len(stood) == 12
    assert rows(hub_path, signals) == stood


def test_one_that_came_before_gets_its_first_receipt(
    shop: Partner, hub: Hub, take: Take, clock: Clock
) -> None:
    """Beside new ones, and counts nothing twice."""
    hub.add_grants(shop.grants("ada", ORDER))
    old, new = shop.seal(shop.signal("ada", "1")), shop.seal(shop.signal("ada", "2"))
    first = shop.read_receipt(hub.receive(old))
    clock.advance(minutes=5)
    again, answer = take([old, new])
    assert again == first
    assert (answer.accepted, answer.received_at) == (1, clock.now)


@pytest.mark.parametrize("in_ledger", [False, True], ids=["beside it", "before it"])
def test_a_jti_used_twice_fails_the_group(shop: Partner, hub: Hub, take: Take, in_ledger: bool) -> None:
    """The writer then takes each alone, and finds out whose fault it is."""
    hub.add_grants(shop.grants("ada", ORDER))
    envelopes = [shop.seal(shop.signal("ada", key), jti="once") for key in ("1", "2")]
    if in_ledger:
        hub.receive(envelopes.pop())
    with pytest.raises((InvalidInputError, IntegrityError)):
        take([shop.seal(shop.signal("ada", "3")), *envelopes])
    assert hub.rebuild().signals == int(in_ledger)


def test_many_that_come_at_once_fare_as_one_after_the_other(shop: Partner, hub: Hub) -> None:
    """Whatever groups they come to: each signal is new once, and the one bad message is refused."""
    hub.add_grants(shop.grants("ada", ORDER))
    hub.receive(shop.seal(shop.signal("ada", "0"), jti="once"))
    bad = shop.seal(shop.signal("ada", "1"), jti="once")
    good = [shop.seal(shop.signal("ada", str(number)), shop.signal("ada", "all")) for number in range(2, 40)]
    with ThreadPoolExecutor(16) as pool:
        refused = pool.submit(hub.receive, bad)
        receipts = [shop.read_receipt(answer) for answer in pool.map(hub.receive, good)]
    assert isinstance(refused.exception(), InvalidInputError)
    assert sum(receipt.accepted for receipt in receipts) == 39
    assert sum(receipt.duplicates for receipt in receipts) == 37
    assert hub.rebuild().signals == 40
