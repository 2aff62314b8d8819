"""Everything that counts, in a file: scored away from the ledger it gives the same scores."""

from pathlib import Path

import duckdb
import pytest

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.database.tables import people
from sesame_sdk.hub.hub import Hub
from sesame_sdk.scoring.engines import score_parquet
from sesame_sdk.scoring.explain import build_scores
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, Partner
from tests.hub.ledger import looking

PEOPLE = [f"p{number}" for number in range(30)]


@pytest.fixture
def filled(shop: Partner, hub: Hub, clock: Clock) -> Hub:
    """Thirty people with signals of two partners; one took a consent back, one never gave one."""
    twin = Partner.join("https://twin.example", hub, clock, ORDERS)
    agreed = [pair for who in PEOPLE[1:] for pair in shop.grants(who, ORDER, LATE)]
    hub.add_grants([*agreed, *(pair for who in PEOPLE for pair in twin.grants(who, ORDER))])
    for number, who in enumerate(PEOPLE):
        shop.send(
            *(shop.signal(who, f"{who}-{n}") for n in range(number % 7)),
            shop.signal(who, f"{who}-late", LATE, value=1.0),
        )
        twin.send(twin.signal(who, who))
    hub.withdraw_grants(PEOPLE[2], shop.issuer)
    return hub


def test_a_file_gives_the_scores_that_the_ledger_gives(filled: Hub, hub_path: Path, tmp_path: Path) -> None:
    """Every person, every point: DuckDB over the file beside the database itself."""
    file = tmp_path / "retail.parquet"
    filled.export_signals(file, "retail")
    (policy,) = filled.list_policies()
    computed = build_scores(score_parquet(file, policy, NOON.date()), policy, NOON.date())
    with looking(hub_path) as connection:
        numbers = {row.person: row.id for row in connection.execute(people.select())}
    explanations = {who: filled.explain(who, "retail") for who in PEOPLE}
    assert {who: computed[numbers[who]] for who in PEOPLE} == {
        who: explained.score for who, explained in explanations.items() if explained
    }


def test_a_file_is_sorted_by_person_and_private_to_its_owner(filled: Hub, tmp_path: Path) -> None:
    """Nothing of who took a consent back, or of who never gave one; nothing else is left beside it."""
    file = tmp_path / "it's.parquet"
    many = filled.export_signals(file, "retail")
    subjects = [row[0] for row in duckdb.read_parquet(str(file)).select("subject").fetchall()]
    assert len(subjects) == many == 30 + sum(number % 7 + 1 for number in range(30) if number not in {0, 2})
    assert subjects == sorted(subjects)
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]


def test_a_context_of_which_nothing_counts_gives_an_empty_file(filled: Hub, tmp_path: Path) -> None:
    """Of the same columns."""
    assert filled.export_signals(tmp_path / "none.parquet", "community") == 0


def test_a_file_that_cannot_be_written_is_named(filled: Hub, tmp_path: Path) -> None:
    """And nothing is left."""
    with pytest.raises(ConfigurationError, match="nowhere"):
        filled.export_signals(tmp_path / "nowhere" / "retail.parquet", "retail")
