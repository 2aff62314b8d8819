"""Grants: who owns a pseudonym, which grants are valid when, and repeated grants."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from sesame_sdk import Direction, Grant, GuardRefusedError, InvalidInputError
from sesame_sdk.hub.consent import grants
from sesame_sdk.hub.consent.grant_cache import GrantCache
from sesame_sdk.hub.database import tables
from sesame_sdk.hub.database.engine import open_engine
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.settings import Settings
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import LATE, LONG_AGO, NOON, ORDER, Clock, Partner
from tests.hub.ledger import change

SHOP = "https://shop.example"


def test_grants_are_listed_as_they_were_recorded(shop: Partner, hub: Hub) -> None:
    """Every field, for one person or for all."""
    adas = shop.grants("ada", ORDER, LATE, reads="retail", crossings=("community", "games"))
    bobs = shop.grants("bob", ORDER, expires_at=NOON + timedelta(days=1))
    assert hub.add_grants([*adas, *bobs]) == 3
    assert hub.list_grants("ada") == [*adas]
    assert hub.list_grants() == [*adas, *bobs]
    assert hub.list_grants("stranger") == []


def test_a_repeated_consent_is_stored_once(shop: Partner, hub: Hub) -> None:
    """An operator may load the same list again; a withdrawal in between stands."""
    consents = shop.grants("ada", ORDER)
    assert hub.add_grants([*consents, *consents]) == 1
    hub.withdraw_grants("ada", SHOP)
    assert hub.add_grants(consents) == 0
    assert hub.list_grants("ada")[0][1].withdrawn_at == NOON


def test_giving_again_after_a_withdrawal_is_a_new_grant(shop: Partner, hub: Hub, clock: Clock) -> None:
    """What was sent before counts again too: the person lets it."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    hub.withdraw_grants("ada", SHOP)
    clock.advance(days=1)
    hub.add_grants(shop.grants("ada", ORDER, given_at=clock.now))
    assert hub.explain("ada", "retail") is not None


def test_a_withdrawal_can_be_of_one_direction(shop: Partner, hub: Hub) -> None:
    """The shop may no longer read, and still send."""
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
    assert hub.withdraw_grants("ada", SHOP, Direction.READ) == 1
    shop.send(shop.signal("ada", "1"))
    assert shop.read("ada") == [None]
    assert hub.explain("ada", "retail") is not None


@pytest.mark.usefixtures("shop")
def test_withdrawing_what_was_never_given_is_no_error(hub: Hub) -> None:
    """Without a grant nothing ends; an unknown partner is an error."""
    assert hub.withdraw_grants("stranger", SHOP) == 0
    with pytest.raises(InvalidInputError, match="partner"):
        hub.withdraw_grants("ada", "https://unknown.example")


@pytest.mark.parametrize("at_once", [True, False], ids=["in one call", "in two calls"])
def test_a_pseudonym_belongs_to_one_person_for_good(shop: Partner, hub: Hub, at_once: bool) -> None:
    """Tying it to a second person is rejected, and nothing of that call is kept."""
    adas = shop.grants("ada", ORDER)
    theft = [("mallory", grant) for _, grant in shop.grants("ada", ORDER, LATE)]
    if not at_once:
        hub.add_grants(adas)
    with pytest.raises(InvalidInputError, match="belongs to another person") as refused:
        hub.add_grants([*shop.grants("cleo", ORDER), *adas, *theft] if at_once else theft)
    assert not re.search(r"\bada\b", str(refused.value))
    assert hub.list_grants() == ([] if at_once else adas)


@pytest.mark.parametrize(
    ("person", "partner", "field"),
    [
        pytest.param("ada", "https://unknown.example", "partner", id="an unknown partner"),
        pytest.param(" ", SHOP, "person", id="a person without a name"),
        pytest.param("a" * 129, SHOP, "person", id="a person with too long a name"),
    ],
)
def test_a_grant_that_makes_no_sense_is_rejected(
    shop: Partner, hub: Hub, person: str, partner: str, field: str
) -> None:
    """Naming the field."""
    grant = Grant(partner, shop.pseudonym("ada"), Direction.SEND, NOON, (ORDER,), adult=True)
    with pytest.raises(InvalidInputError, match=field):
        hub.add_grants([(person, grant)])


@pytest.mark.parametrize("direction", Direction)
def test_a_person_not_known_to_be_eighteen_cannot_consent(
    shop: Partner, hub: Hub, direction: Direction
) -> None:
    """MIN-1: aged 15 and of unknown age are one thing here; nothing of that call is kept."""
    (person, good), (_, reading) = shop.grants("ada", ORDER, reads="retail")
    minor = evolve(good if direction is Direction.SEND else reading, adult=False)
    with pytest.raises(GuardRefusedError, match="MIN-1") as refused:
        hub.add_grants([*shop.grants("bob", ORDER), (person, minor)])
    (finding,) = refused.value.findings
    assert minor.subject not in str(finding) + finding.hint
    assert hub.list_grants() == []


def test_a_grant_that_slipped_into_the_ledger_opens_no_score(shop: Partner, hub: Hub) -> None:
    """MIN-1 at the read: the second line, should somebody write to the database by hand."""
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
    shop.send(shop.signal("ada", "1"))
    assert shop.read("ada") != [None]
    change(hub.settings.path, "UPDATE grants SET adult = false")
    assert shop.read("ada") == [None]


def test_a_thousand_people_at_once(shop: Partner, hub: Hub) -> None:
    """More than fit in one piece of work of the database."""
    consents = [pair for number in range(1100) for pair in shop.grants(f"p{number:04}", ORDER, LATE)]
    assert hub.add_grants(iter(consents)) == 1100
    assert {person for person, _ in hub.list_grants()} == {f"p{number:04}" for number in range(1100)}


@pytest.fixture(scope="module")
def engine(new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A ledger with one partner and nothing else."""
    opened = open_engine(Settings(tmp_path_factory.mktemp("ledger"), SHOP, new_database()).database_url)
    with opened.begin() as connection:
        keys.add_keys(connection, SHOP, [SigningKey.generate().public_jwk], LONG_AGO)
    yield opened
    opened.dispose()


_times = st.integers(-3, 3).map(lambda hours: datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(hours=hours))
_grants = st.builds(
    Grant,
    partner=st.just(SHOP),
    adult=st.just(True),
    subject=st.just("a" * 26),
    direction=st.just(Direction.SEND),
    given_at=_times,
    kinds=st.lists(st.sampled_from([ORDER, LATE]), min_size=1, unique=True).map(tuple),
    expires_at=st.none() | _times,
    withdrawn_at=st.none() | _times,
)


@given(
    recorded=st.lists(
        _grants,
        min_size=1,
        max_size=4,
        # Consents that differ in the order of their kinds are one.
        unique_by=lambda grant: (grant.given_at, frozenset(grant.kinds), grant.expires_at),
    )
)
def test_the_database_agrees_with_the_noun_on_what_is_valid(engine: Engine, recorded: list[Grant]) -> None:
    """`grants.valid` in SQL, the cache of consents as time goes by, and `Grant.is_valid` say the same."""
    consents = GrantCache(engine)
    with engine.connect() as connection:
        grants.add_grants(connection, [("ada", grant) for grant in recorded])
        names = {row.id: row.name for row in connection.execute(select(tables.kinds))}
        for at in (NOON + timedelta(hours=hours) for hours in range(-4, 5)):
            expected = sorted(grant.given_at for grant in recorded if grant.is_valid(at))
            rows = connection.execute(select(tables.grants.c.id).where(grants.is_valid(at))).all()
            assert len(rows) == len(expected)
            permission = consents.permissions(connection, 1, {"a" * 26}, at)["a" * 26]
            covered = {kind for grant in recorded if grant.is_valid(at) for kind in grant.kinds}
            assert {names[kind] for kind in permission.kinds} == covered
        connection.rollback()


def test_the_cache_of_consents_sees_what_another_process_changed(engine: Engine) -> None:
    """A withdrawal by whatever process holds for the next look, and so does a grant that is new."""
    consents = GrantCache(engine)
    grant = Grant(SHOP, "b" * 26, Direction.SEND, NOON, (ORDER,), adult=True)
    with engine.connect() as connection:
        assert consents.permissions(connection, 1, {"b" * 26}, NOON)["b" * 26].person is None
        grants.add_grants(connection, [("bob", grant)])
        assert consents.permissions(connection, 1, {"b" * 26}, NOON)["b" * 26].kinds
        grants.withdraw_grants(connection, "bob", SHOP, None, NOON)
        assert not consents.permissions(connection, 1, {"b" * 26}, NOON)["b" * 26].kinds
        connection.rollback()
        assert consents.permissions(connection, 1, {"b" * 26}, NOON)["b" * 26].person is None
