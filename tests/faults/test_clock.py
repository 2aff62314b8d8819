"""Clocks that jump hours ahead and back: the client's, and the hub's."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sesame_sdk import Direction
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.partner.client import Client
from tests.faults.conftest import Deployment
from tests.faults.fixture_population import BATCH, PEOPLE, SHOP, signals
from tests.faults.processes import EAGER, Clock, wait_until
from tests.faults.reader import Reader
from tests.hub import fixtures
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, NOON, ORDER, Partner, new_hub

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
#: Its consent to be read ends in two hours.
LEAVING = PEOPLE[0]


@pytest.fixture
def clocks(deployment: Deployment) -> tuple[Clock, Clock]:
    """The hub's and the client's; both go right."""
    made = Clock(deployment.client_folder / "hubs-clock"), Clock(deployment.client_folder / "clients-clock")
    for clock in made:
        clock.set(hours=0)
    return made


def _end_a_consent(deployment: Deployment) -> None:
    with Hub.open(deployment.path) as hub:
        shop = deployment.population.shop(hub)
        hub.withdraw_grants(LEAVING, SHOP, Direction.READ)
        ends = {"given_at": timestamps.utc_now(), "expires_at": timestamps.utc_now() + timedelta(hours=2)}
        hub.add_grants(shop.grants(LEAVING, reads="retail", **ends))


def test_clocks_that_jump(deployment: Deployment, clocks: tuple[Clock, Clock]) -> None:
    """What a wrong clock says is refused with the reason, and kept; once clocks are right it counts once."""
    hubs, ours = clocks
    _end_a_consent(deployment)
    with deployment.serving(clock=hubs) as hub:
        reader = Reader(hub.url, deployment.population.url, deployment.key, ours)
        reader.subscribe()
        transport = Transport(hub.url, retry_policy=EAGER)
        client = Client(
            issuer=SHOP,
            hub=hub.url,
            signer=deployment.key,
            outbox=deployment.client_folder / "outbox.sqlite",
            transport=transport,
            clock=ours,
        )
        with client:
            _jump(client, hubs, ours, reader, deployment)
    deployment.check(6 * BATCH)


def _jump(client: Client, hubs: Clock, ours: Clock, reader: Reader, deployment: Deployment) -> None:
    posted = []

    def post(number: int) -> None:
        client.post(signals(number * BATCH, (number + 1) * BATCH))
        with closing(sqlite3.connect(deployment.client_folder / "outbox.sqlite")) as file:
            posted.append(file.execute("SELECT jti FROM message ORDER BY id DESC").fetchone()[0])

    def reported(number: int) -> bool:
        """Whether the stream has reported the first so many batches."""
        reader.take()
        expected = {
            name: score.points
            for name, score in deployment.population.expected(number * BATCH).scores.items()
        }
        return {**reader.points, LEAVING: expected[LEAVING]} == expected

    post(0)
    assert client.deliver().sent == 1
    wait_until(lambda: reported(1))
    assert reader.points[LEAVING] is not None

    ours.set(hours=5)  # of ours alone: the hub does not believe what is still to come
    post(1)
    result = client.deliver()
    assert (result.dead, result.pending) == (0, 1)
    assert "this machine's clock is 5 hours ahead of the hub's" in result.reason
    ours.set(hours=0)
    deployment.check_nothing_lost(2 * BATCH)

    hubs.set(hours=5)  # its receipts are of the future, and the Date of its answers is that of the server
    post(2)
    result = client.deliver()
    assert (result.sent, result.dead, result.pending) == (2, 0, 0)
    deployment.check_nothing_lost(3 * BATCH)
    refused = reader.score(LEAVING)
    assert (refused.status_code, refused.json()["description"]) == (
        401,
        "exp: has expired (sign a new token)",
    )
    ours.set(hours=5)
    wait_until(lambda: len(reader.poll()) > 0)  # messages exist and are not acknowledged

    for clock in (hubs, ours):  # they are made anew, with a time that can be believed
        clock.set(hours=0)
    post(3)
    assert client.deliver().sent == 1
    there = _points(deployment)
    wait_until(lambda: reader.take() or reader.points == there)
    assert there[LEAVING] is not None

    hubs.set(hours=-5)
    post(4)
    result = client.deliver()
    assert (result.dead, result.pending) == (1, 0)  # by the Date of its answers the hub's clock is right
    hubs.set(hours=0)
    deployment.check_nothing_lost(5 * BATCH)
    client.redrive()  # signs anew
    post(5)
    assert client.deliver().sent == 2

    for clock in (hubs, ours):  # six hours later every stated time is past
        clock.set(hours=6)
    assert (client.deliver().pending, client.counts().dead) == (0, 0)
    wait_until(lambda: reported(6) and reader.points[LEAVING] is None)
    # In the order in which they were posted, whatever time it was by the hub.
    received = [receipt.jti for receipt in client.receipts()]
    assert len(received) == 6
    assert [jti for jti in received if jti in posted] == [*posted[:4], posted[5]]
    assert sum(receipt.accepted for receipt in client.receipts()) == 6 * BATCH


def _points(deployment: Deployment) -> dict[str, float | None]:
    """Of everybody, by what is in the ledger now, for who may be read now."""
    with Hub.open(deployment.path) as hub:
        scores = deployment.population.shop(hub).read(*PEOPLE)
    return {person: score and score.points for person, score in zip(PEOPLE, scores, strict=True)}


def test_consents_are_judged_by_the_time_it_is_now(tmp_path: Path, database: str) -> None:
    """Also after a clock that was ahead was set back: what it had begun is not, what it ended stands."""
    clock = fixtures.Clock()
    path = new_hub(tmp_path / "hub", issuer=HUB, database=database)
    with Hub.open(path, clock=clock) as hub:
        shop = Partner.join(SHOP, hub, clock, ORDERS)
        noon, later = NOON - timedelta(hours=1), NOON + timedelta(hours=2)
        hub.add_grants(shop.grants("early", ORDER, given_at=noon, expires_at=later))
        hub.add_grants(shop.grants("late", ORDER, given_at=later))

        def dropped(key: str) -> set[str]:
            sent = {
                who: shop.signal(who, f"{who} {key}", at=NOON - timedelta(days=1))
                for who in ("early", "late")
            }
            receipt = shop.send(*sent.values())
            assert {one.reason for one in receipt.dropped} <= {DropReason.NO_GRANT}
            gone = {one.id for one in receipt.dropped}
            return {who for who, signal in sent.items() if signal.id in gone}

        assert dropped("1") == {"late"}
        clock.advance(hours=5)
        assert dropped("2") == {"early"}
        clock.advance(hours=-5)
        assert dropped("3") == {"late"}
        clock.advance(hours=-5)
        assert dropped("4") == {"early", "late"}
        clock.advance(hours=5)
        assert dropped("5") == {"late"}
