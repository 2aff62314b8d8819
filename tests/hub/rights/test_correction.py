"""A wrong pseudonym is corrected: consents stay, and what came under the wrong one is gone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve

from sesame_sdk import Direction, Grant, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StreamRequest
from tests.hub.fixtures import BENEFITS, NOON, ORDER, Clock, Partner
from tests.hub.rights.conftest import Export
from tests.hub.rights.test_erasure import everything, replayed, subjects
from tests.hub.test_stream_contents import CHANGED, WITHDRAWN, Reader

pytestmark = pytest.mark.long


@pytest.fixture
def ada_as_bob(hub: Hub, shop: Partner, clock: Clock) -> list[tuple[str, Grant]]:
    """Ada's consents, recorded under the pseudonym that the shop has for bob; and what the shop sent."""
    bob = shop.pseudonym("bob")
    wrong = [
        (person, evolve(grant, subject=bob)) for person, grant in shop.grants("ada", ORDER, reads="retail")
    ]
    hub.add_grants(wrong)
    clock.advance(hours=1)
    shop.send(shop.signal("bob", "bob's"), shop.signal("ada", "ada's"))
    hub.receive(shop.seal(shop.signal("bob", "bob's")))
    return wrong


def correct(hub: Hub, shop: Partner, right: str = "ada") -> None:
    """As the operator does."""
    hub.rights.correct_pseudonym("ada", shop.issuer, shop.pseudonym(right))


def test_the_signals_of_the_other_person_are_gone(
    hub: Hub, shop: Partner, ada_as_bob: list[tuple[str, Grant]]
) -> None:
    """Bob did not consent: his signals do not count for ada, and are in no table and not in the ledger."""
    assert [score.points for score in shop.read("bob") if score] == [510.0]
    correct(hub, shop)
    assert shop.read("ada", "bob") == [None, None]
    assert subjects(replayed(hub)) == set()
    rows = everything(hub)
    assert shop.pseudonym("bob") not in repr(rows)
    assert rows["signals"] == []
    hub.rebuild()
    assert everything(hub)["signals"] == []
    assert hub.list_people() == ["ada"]
    assert len(hub.list_grants("ada")) == len(ada_as_bob)


def test_the_consents_are_valid_under_the_right_pseudonym(
    hub: Hub, shop: Partner, ada_as_bob: list[tuple[str, Grant]]
) -> None:
    """The shop sends ada's signals again; the same consents recorded again change nothing."""
    correct(hub, shop)
    assert hub.add_grants(shop.grants("ada", ORDER, reads="retail")) == 0
    assert shop.send(shop.signal("ada", "ada's")).accepted == 1
    assert [score and score.points for score in shop.read("ada", "bob")] == [510.0, None]
    with pytest.raises(InvalidInputError, match="another pseudonym at this partner"):
        hub.add_grants([ada_as_bob[0]])


def test_the_other_person_can_join(hub: Hub, shop: Partner, ada_as_bob: list[tuple[str, Grant]]) -> None:
    """Until then the pseudonym is ada's, and the error says how to correct that."""
    bobs = shop.grants("bob", ORDER, reads="retail")
    with pytest.raises(InvalidInputError, match="belongs to another person") as refused:
        hub.add_grants(bobs)
    assert "sesame grants correct-pseudonym" in str(refused.value.hint)
    correct(hub, shop)
    assert hub.add_grants(bobs) == len(ada_as_bob)
    assert shop.send(shop.signal("bob", "bob's")).accepted == 1
    assert [score and score.points for score in shop.read("ada", "bob")] == [None, 510.0]


def test_another_partner_keeps_its_data(
    hub: Hub, shop: Partner, clock: Clock, ada_as_bob: list[tuple[str, Grant]]
) -> None:
    """Only the pseudonym at one partner was wrong: the score at the other one loses what came under it."""
    assert ada_as_bob
    reader = Partner.join("https://reader.example", hub, clock, reads=["retail"])
    hub.add_grants(reader.grants("ada", reads="retail"))
    assert [score and score.points for score in reader.read("ada")] == [510.0]
    correct(hub, shop)
    assert reader.read("ada") == [None]
    shop.send(shop.signal("ada", "ada's"), shop.signal("ada", "another"))
    assert [score and score.points for score in reader.read("ada")] == [520.0]


def test_a_stream_gets_the_removal_of_the_wrong_and_then_the_right_one(
    hub: Hub, shop: Partner, ada_as_bob: list[tuple[str, Grant]]
) -> None:
    """In this order, so that a score store holds nothing under the wrong pseudonym."""
    assert ada_as_bob
    reader = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    assert reader.take() == [(CHANGED, shop.pseudonym("bob"), 510.0)]
    correct(hub, shop)
    shop.send(shop.signal("ada", "ada's"))
    assert reader.take() == [
        (WITHDRAWN, shop.pseudonym("bob"), None),
        (CHANGED, shop.pseudonym("ada"), 510.0),
    ]


def test_a_correction_is_recorded_for_the_person_and_for_a_restore(
    hub: Hub, shop: Partner, export: Export, ada_as_bob: list[tuple[str, Grant]]
) -> None:
    """The export shows when; the withdrawal log ends the wrong consents in a hub that is restored."""
    assert ada_as_bob
    size = hub.withdrawal_log.path.stat().st_size
    correct(hub, shop)
    (pseudonym,) = export("ada")["pseudonyms"]
    assert pseudonym["subject"] == shop.pseudonym("ada")
    assert pseudonym["corrected_at"] == f"{NOON + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert b'"withdrawal"' in hub.withdrawal_log.path.read_bytes()[size:]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        pytest.param(lambda h, s: h.rights.correct_pseudonym("eve", s.issuer, "a" * 26), "unknown person"),
        pytest.param(
            lambda h, _: h.rights.correct_pseudonym("ada", "https://x.example", "a" * 26), "partner"
        ),
        pytest.param(
            lambda h, s: h.rights.correct_pseudonym("ada", s.issuer, "17850"), "must be a pseudonym"
        ),
        pytest.param(lambda h, s: correct(h, s, "bob"), "is the person's pseudonym already"),
        pytest.param(lambda h, s: correct(h, s, "cleo"), "belongs to another person already"),
        pytest.param(
            lambda h, s: h.rights.correct_pseudonym("cleo", "https://reader.example", s.pseudonym("ada")),
            "has no pseudonym at this partner",
        ),
    ],
)
def test_a_correction_that_is_impossible_changes_nothing(
    hub: Hub,
    shop: Partner,
    clock: Clock,
    ada_as_bob: list[tuple[str, Grant]],
    attempt: Callable[[Hub, Partner], object],
    message: str,
) -> None:
    """Also not the withdrawal log."""
    assert ada_as_bob
    Partner.join("https://reader.example", hub, clock, reads=["retail"])
    hub.add_grants(shop.grants("cleo", ORDER))
    before, log = everything(hub), hub.withdrawal_log.path.read_bytes()
    with pytest.raises(InvalidInputError, match=message):
        attempt(hub, shop)
    assert everything(hub) == before
    assert hub.withdrawal_log.path.read_bytes() == log


@pytest.mark.parametrize(
    "subject", ["17850", "ada@example.com", "Ada Lovelace", "a" * 25, "A" * 26, "a" * 27, ""]
)
def test_a_customer_number_is_not_a_pseudonym(shop: Partner, subject: str) -> None:
    """The error says how to get one."""
    with pytest.raises(InvalidInputError, match="must be a pseudonym") as refused:
        Grant(shop.issuer, subject, Direction.READ, NOON, (), BENEFITS, "retail", adult=True)
    assert "sesame keys pseudonym" in str(refused.value.hint)
