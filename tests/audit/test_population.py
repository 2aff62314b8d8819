"""Populations: which values are valid, in code and in a file."""

from pathlib import Path

import pytest

from sesame_sdk.audit.simulation.population import (
    Group,
    Market,
    Population,
    load_population,
    parse_population,
)
from sesame_sdk.errors import ConfigurationError, InvalidInputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "population.toml"


def test_by_default_no_group_differs() -> None:
    """A simulation needs the differences between the groups, each with its amount."""
    default = Population()
    assert {group.income for group in default.groups} == {1.0}
    assert (
        default.correlation.income == default.correlation.engagement == default.correlation.reliability == 0
    )
    assert default.leak.writing == default.leak.goods == default.leak.meeting == 0


@pytest.mark.parametrize("name", ["women", "Group A", "group a", "group AB", "group A "])
def test_a_group_is_named_by_a_letter(name: str) -> None:
    """A group's name cannot suggest that a simulation is about real people."""
    with pytest.raises(InvalidInputError, match="name"):
        Group(name, 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("people = 99", "people: must be a whole number from 100 to 1,000,000", id="too few"),
        pytest.param("people = 1000001", "people: must be", id="too many people"),
        pytest.param("people = 1e3", "people", id="a number that is not whole"),
        pytest.param("days = 27", "days: must be", id="too short"),
        pytest.param("seed = -1", "seed: must be", id="a seed below nothing"),
        pytest.param("income = nan", "income: must be finite", id="not a number"),
        pytest.param("income_spread = inf", "income_spread", id="without end"),
        pytest.param("persons = 100", "persons: unknown key", id="an unknown key"),
        pytest.param("[correlation]\nheight = 1", "correlation.height: unknown key", id="an unknown trait"),
        pytest.param("[correlation]\nincome = 1.1", "correlation.income: must be from -1", id="beyond 1"),
        pytest.param("[leak]\nwriting = 2", "leak.writing: must be from 0 to 1", id="a leak beyond all"),
        pytest.param('[[groups]]\nname = "group A"\nshare = 0.4', "groups: must add up to 1", id="a rest"),
        pytest.param(
            '[[groups]]\nname = "the poor"\nshare = 1', "groups[0].name", id="a group with a real name"
        ),
        pytest.param('[[groups]]\nname = "group A"', "groups[0]", id="a group without a share"),
        pytest.param(
            '[[groups]]\nname = "group A"\nshare = 0.5\n' * 2, "must not repeat a name", id="a group twice"
        ),
        pytest.param(
            "[[markets]]\nshares = [0.5]", "markets[0].shares: must add up to 1", id="half a market"
        ),
        pytest.param("[[markets]]\nadoption = 0", "markets[0].adoption", id="no participants"),
        pytest.param("people = ", "invalid TOML", id="no TOML"),
        pytest.param("a" + ".a" * 100 + " = 1", "line 1: too many dots", id="a key without end"),
        pytest.param("#" * 70_000, "file too large", id="a long file"),
        pytest.param("a = " + "[" * 2000, "p.toml", id="a deep file"),
    ],
)
def test_an_error_names_file_and_key(text: str, says: str) -> None:
    """One error with a hint."""
    with pytest.raises(ConfigurationError) as wrong:
        parse_population(text, name="p.toml")
    assert says in str(wrong.value)
    assert str(wrong.value).startswith("p.toml")
    assert wrong.value.hint


def test_at_most_twenty_groups() -> None:
    """More could not be compared, nor be named."""
    groups = "".join(f'[[groups]]\nname = "group {chr(65 + at)}"\nshare = {1 / 21}\n' for at in range(21))
    with pytest.raises(ConfigurationError, match="at most 20"):
        parse_population(groups)


def test_missing_keys_have_their_defaults() -> None:
    """An empty file is the default population."""
    assert parse_population("") == Population()
    assert parse_population("people = 500").people == 500


def test_the_example_population_is_read() -> None:
    """Less income for one group, and a little more time for the first."""
    example = load_population(EXAMPLE)
    assert example.group_names == ("group A", "group B", "group C")
    assert example.groups[2].income == 0.8
    assert example.correlation.engagement == 0.1
    assert example.find_market("retail").shares == (0.5, 0.3, 0.2)
    assert example.find_market("community").shares == (0.6, 0.4)


def test_a_context_without_a_market_has_the_ordinary_one() -> None:
    """The entry without a context stands for all that are not named."""
    assert Population().find_market("retail") == Market("retail")


@pytest.mark.parametrize("name", ["nowhere.toml", "folder.toml"])
def test_an_unreadable_file_is_an_error(tmp_path: Path, name: str) -> None:
    """By its name, and not with a traceback."""
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigurationError, match=name):
        load_population(tmp_path / name)


def test_a_file_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    """With the place of the first byte that is wrong."""
    (tmp_path / "p.toml").write_bytes(b"people = 100 # \xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8 at byte 15"):
        load_population(tmp_path / "p.toml")
