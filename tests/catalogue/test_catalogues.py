"""The catalogues: closed sources, words in two languages, and nothing that is refused."""

from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk.catalogue import effects as effect_catalogue
from sesame_sdk.catalogue import observations as observation_catalogue
from sesame_sdk.catalogue.closed_lists import closed_lists, currencies, find_refusing_rule, is_source
from sesame_sdk.catalogue.effects import EffectEntry, effects
from sesame_sdk.catalogue.observations import Gravity, Measure, Observation, load_proposal, observations
from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.guard import data_categories, purposes
from sesame_sdk.guard.guard import BUILT_IN
from sesame_sdk.guard.rules.kinds import TEN_YEARS_IN_DAYS
from sesame_sdk.guard.rules.purposes import served_purposes

LISTS = closed_lists()
OBSERVATIONS, EFFECTS = sorted(observations().items()), sorted(effects().items())


def has_chinese(text: str) -> bool:
    """Whether some of a text is Chinese."""
    return any("\N{CJK UNIFIED IDEOGRAPH-4E00}" <= char <= "\N{CJK UNIFIED IDEOGRAPH-9FFF}" for char in text)


@pytest.mark.parametrize(("name", "entry"), OBSERVATIONS, ids=[name for name, _ in OBSERVATIONS])
def test_an_observation_is_of_the_closed_lists(name: str, entry: Observation) -> None:
    """Source, event, spheres and categories; and its name is not refused."""
    assert is_source(entry.reads)
    assert set(entry.contexts) <= set(LISTS.contexts)
    assert all(data_categories.find_refusing_rule(iri) is None for iri in entry.category_iris)
    assert find_refusing_rule(name, LISTS.refused_observations) is None


@pytest.mark.parametrize(("name", "entry"), OBSERVATIONS, ids=[name for name, _ in OBSERVATIONS])
def test_an_observation_says_what_a_person_reads_and_why_it_may_be_counted(
    name: str, entry: Observation
) -> None:
    """In English and Chinese, with source and reasoning; what it is computed from names one record."""
    assert name
    assert len(entry.reason("en").split()) >= 3
    assert has_chinese(entry.reason("zh"))
    assert not has_chinese(entry.reason("en") + entry.computed)
    assert len(entry.reasoning) > 20
    assert (entry.unit == "") == (entry.measure is not Measure.COUNT)
    assert entry.computed.startswith(("1 for each", "1 when")) == (entry.measure is not Measure.MONEY)


@pytest.mark.parametrize(("name", "entry"), OBSERVATIONS, ids=[name for name, _ in OBSERVATIONS])
def test_what_lowers_a_score_has_a_gravity_and_ends(name: str, entry: Observation) -> None:
    """PRP-1 and RET-1 hold for the defaults; what raises a score has no gravity."""
    assert name
    assert (entry.gravity is None) == (not entry.lowers)
    if entry.lowers:
        assert 0 < (entry.expires_days or 0) <= TEN_YEARS_IN_DAYS
        assert entry.effort is None
    assert (entry.amount is None) == (entry.measure is not Measure.MONEY)


def test_lateness_and_returns_are_minor() -> None:
    """PRP-1: no policy can call them grave."""
    minor = {"order_returned", "order_return_count", "payment_late", "item_returned_late", "booking_missed"}
    assert {observations()[name].gravity for name in minor} == {Gravity.MINOR}


@pytest.mark.parametrize(("name", "entry"), EFFECTS, ids=[name for name, _ in EFFECTS])
def test_an_effect_says_what_others_get_and_serves_an_allowed_purpose(name: str, entry: EffectEntry) -> None:
    """NOS-1 and PUR-1; words in two languages, burden, source and reasoning."""
    assert name
    assert set(entry.purpose_iris) <= purposes.ALLOWED
    assert entry.without
    assert entry.burden
    assert len(entry.reasoning) > 20
    assert has_chinese(entry.words("zh"))
    assert not has_chinese(entry.words("en"))


def test_every_purpose_of_a_policy_can_be_served() -> None:
    """Two are about rights and disputes, and need no effect."""
    assert purposes.ALLOWED - served_purposes() == {purposes.RIGHTS_FULFILMENT, purposes.DISPUTE_MANAGEMENT}


def test_refused_names_belong_to_rules_of_the_guard() -> None:
    """Each once, and none is an entry."""
    rules = {rule.id for rule in BUILT_IN}
    for refused, entries in (
        (LISTS.refused_observations, observations()),
        (LISTS.refused_effects, effects()),
    ):
        names = [name for listed in refused.values() for name in listed]
        assert len(names) == len(set(names))
        assert set(refused) <= rules
        assert not set(names) & set(entries)


def test_no_source_system_carries_what_is_never_counted() -> None:
    """Opinions, tastes, origin, others' conduct, health, work, housing, connectivity, public services."""
    sources = {f"{system}_{event}" for system, events in LISTS.sources.items() for event in events}
    assert not {name for name in sources if find_refusing_rule(name, LISTS.refused_observations)}


@pytest.mark.parametrize("name", ["post_opinion", "opinion_of_institutions", "weekly_mood", "index"])
def test_a_refused_name_is_refused_within_longer_ones(name: str) -> None:
    """At either end; not as a part of a word."""
    assert observation_catalogue.rule_against(name)
    assert observation_catalogue.rule_against(f"x{name}x") is None
    assert observation_catalogue.rule_against("order_kept") is None
    assert effect_catalogue.rule_against("cheaper_loan") == "PUR-5"
    assert effect_catalogue.rule_against("public_service") == "PUR-3"  # not VIS-1, by its first word
    assert effect_catalogue.rule_against("longer_loan") is None


def test_money_is_in_currencies_that_circulate() -> None:
    """ISO 4217; points and precious metals are none."""
    assert {"GBP", "EUR", "USD", "CNY", "JPY"} <= currencies()
    assert not {"XXX", "XAU", "PTS", "BTC"} & currencies()
    assert all(len(code) == 3 and code.isupper() for code in currencies())


ENTRY = """
[item_mended]
reads = "lending: repaired"
computed = "1 for each thing that the person repaired"
contexts = ["lending"]
measure = "count"
unit = "repair"
polarity = "raises"
categories = ["SocialBehaviour"]
en = "Things that you repaired for others"
zh = "您为他人修理的物品"
source = "our own statutes"
reasoning = "a contribution to the stock"
"""


def test_a_proposal_is_a_file_with_one_entry(tmp_path: Path) -> None:
    """Written as in the catalogue."""
    file = tmp_path / "entry.toml"
    file.write_text(ENTRY, encoding="utf-8")
    name, entry = load_proposal(file)
    assert (name, entry.reads, entry.lowers) == ("item_mended", "lending: repaired", False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{}", id="no TOML"),
        pytest.param(ENTRY + ENTRY.replace("mended", "washed"), id="two entries"),
        pytest.param(ENTRY.replace('measure = "count"', 'measure = "index"'), id="an unknown measure"),
        pytest.param(ENTRY.replace('en = "', 'english = "'), id="no words"),
        pytest.param(ENTRY.replace('"a contribution', '"' + "x" * 400), id="too long a text"),
    ],
)
def test_what_is_no_proposal_is_one_error(tmp_path: Path, text: str) -> None:
    """It names the file and has a hint."""
    file = tmp_path / "entry.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"entry\.toml") as wrong:
        load_proposal(file)
    assert wrong.value.hint
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_proposal(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    "changes", [{"en": ""}, {"contexts": ()}, {"zh": "x" * 400}, {"expires_days": -1.0}, {"source": "a\0b"}]
)
def test_an_entry_with_an_invalid_member_is_an_error(changes: dict[str, object]) -> None:
    """It names the member."""
    with pytest.raises(InvalidInputError, match=next(iter(changes))):
        evolve(observations()["order_kept"], **changes)
