"""Rescoring everyone for streams: it reaches everyone, whatever else goes on."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from sesame_sdk import RetryableError
from sesame_sdk.hub.database.tables import stream_subjects, streams
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams import rescoring
from sesame_sdk.hub.streams.streams import StreamRequest
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import ORDER, POST, Clock, Partner, kind, manifest, policy, weighting
from tests.hub.ledger import change, rows
from tests.hub.test_streams import wait_until

pytestmark = pytest.mark.long

PEOPLE = [f"person {number}" for number in range(7)]
#: Batches of a scan of these people.
BATCHES = 4


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people in a batch."""
    monkeypatch.setattr(rescoring, "BATCH_SIZE", 2)


@pytest.fixture
def readers(hub: Hub, shop: Partner, clock: Clock) -> tuple[Partner, Partner]:
    """Two readers with a stream each, whom everybody agreed to."""
    other = Partner.join("https://other.example", hub, clock, ORDERS, reads=["retail"])
    for reader in (shop, other):
        hub.stream_management.create(reader.stream_token(), StreamRequest())
        hub.add_grants(grant for person in PEOPLE for grant in reader.grants(person, ORDER, reads="retail"))
    shop.send(*(shop.signal(person, person) for person in PEOPLE))
    hub.streams.rescore_pending()
    return shop, other


def double_points(hub: Hub) -> None:
    """A new policy."""
    hub.set_policy(policy(weighting(ORDERS, weight=20.0), version=2))


def rescored(path: Path, stream: int) -> int:
    """How many people have their points by the new policy in a stream."""
    points = stream_subjects.c.keys().index("points")
    return sum(row[0] == stream and row[points] == 520.0 for row in rows(path, stream_subjects))


def scanned(path: Path) -> list[bool]:
    """Whether everybody was rescored for each stream."""
    as_of = streams.c.keys().index("as_of")
    return [row[as_of] is not None for row in rows(path, streams)]


def test_changes_that_keep_coming_do_not_keep_a_scan_from_reaching_everyone(
    hub: Hub, hub_path: Path, readers: tuple[Partner, Partner]
) -> None:
    """Everybody is to be rescored again after each batch; two scans take the time of two."""
    assert readers
    double_points(hub)
    for _ in range(2 * BATCHES):
        hub.streams.rescore_batch()
        hub.streams.rescan_all()
    assert (rescored(hub_path, 1), rescored(hub_path, 2)) == (len(PEOPLE), len(PEOPLE))
    hub.streams.rescore_pending()
    assert scanned(hub_path) == [True, True]


def test_signals_that_keep_coming_do_not_hold_up_a_scan(
    hub: Hub, hub_path: Path, readers: tuple[Partner, Partner]
) -> None:
    """There is an envelope in the queue before each batch."""
    double_points(hub)
    for number in range(2 * BATCHES):
        readers[0].send(readers[0].signal("person 0", f"again {number}"))
        hub.streams.rescore_batch()
    assert rescored(hub_path, 2) == len(PEOPLE) - 1


def test_a_registration_that_changes_nothing_has_nobody_rescored(
    hub_path: Path, readers: tuple[Partner, Partner]
) -> None:
    """Another version of the same; another purpose concerns the reader's own streams, another kind all."""
    shop, _ = readers
    assert scanned(hub_path) == [True, True]
    shop.register(manifest(ORDERS, LATES, reads=["retail"], version="2"))
    assert scanned(hub_path) == [True, True]
    shop.register(manifest(ORDERS, LATES, reads=["retail", "community"], version="3"))
    assert scanned(hub_path) == [False, True]
    shop.register(manifest(ORDERS, reads=["retail", "community"], version="4"))
    assert scanned(hub_path) == [False, False]


def test_a_policy_of_another_context_has_nobody_rescored(
    hub: Hub, hub_path: Path, readers: tuple[Partner, Partner]
) -> None:
    """It changes no score of these streams."""
    assert readers
    hub.set_policy(policy(weighting(ORDERS), context="community"))
    assert scanned(hub_path) == [True, True]


_DAMAGE = "UPDATE policies SET body = REPLACE(body, '10.0', '99.0') WHERE context = 'community'"
_REPAIR = "UPDATE policies SET body = REPLACE(body, '99.0', '10.0') WHERE context = 'community'"


def test_an_error_of_one_stream_is_that_streams_alone(
    hub: Hub, hub_path: Path, readers: tuple[Partner, Partner], capsys: pytest.CaptureFixture[str]
) -> None:
    """The policy of its context is damaged: the others are rescored meanwhile, and it after the repair."""
    _, other = readers
    posts = kind(POST)
    other.register(manifest(ORDERS, posts, reads=["retail", "community"]))
    hub.set_policy(policy(weighting(posts, weight=10.0), context="community"))
    hub.stream_management.create(other.stream_token(context="community"), StreamRequest())
    hub.add_grants(grant for person in PEOPLE for grant in other.grants(person, POST, reads="community"))
    hub.streams.rescore_pending()
    assert scanned(hub_path) == [True, True, True]

    change(hub_path, _DAMAGE)
    double_points(hub)
    other.send(*(other.signal(person, f"post {person}", POST) for person in PEOPLE))
    hub.streams.rescore_pending()
    assert (rescored(hub_path, 1), rescored(hub_path, 2), rescored(hub_path, 3)) == (7, 7, 0)
    assert scanned(hub_path) == [True, True, False]
    logged = capsys.readouterr().err
    assert 0 < logged.count("rescoring_failed stream=3") == logged.count("rescoring_failed") < BATCHES

    change(hub_path, _REPAIR)
    wait_until(lambda: not hub.streams.rescore_batch() and scanned(hub_path) == [True, True, True])
    assert [row[5] for row in rows(hub_path, stream_subjects) if row[0] == 3] == [510.0] * len(PEOPLE)


def test_a_database_that_fails_is_no_streams_fault(
    hub: Hub,
    readers: tuple[Partner, Partner],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The round fails, and no stream is skipped afterwards."""
    assert readers

    def fail(*_: object, **__: object) -> dict[int, Any]:
        raise OperationalError("SELECT 1", None, Exception("the disk is full"))

    double_points(hub)
    with monkeypatch.context() as broken:
        broken.setattr(rescoring.scores, "compute_scores", fail)
        with pytest.raises(RetryableError):
            hub.streams.rescore_batch()
    hub.streams.rescore_pending()
    assert "rescoring_failed" not in capsys.readouterr().err
