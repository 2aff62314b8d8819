"""The corpora of the red team: what they must contain to be worth a trial."""

from collections import Counter

import pytest

from tests.guard.red_team.corpora import LANGUAGES, load_harmful, load_honest

HARMFUL = load_harmful()
HONEST = load_honest()
#: Rules that look at what a policy is for or made of. The others need a person, a read or a simulation.
IDEAS = {
    *("POL-1", "SPC-1", "TST-1", "ASC-1", "BIO-1", "LOC-1", "RGT-1", "DCL-1"),
    *("PUR-2", "PUR-3", "PUR-4", "PUR-5", "PUR-6", "VIS-1", "ENR-1", "NOS-1", "PRC-1", "PRP-1", "MIN-1"),
}


def test_the_harmful_policies_cover_all_rules_in_five_languages() -> None:
    """At least 40 in each language, and each rule in at least four of them."""
    by_language = Counter(entry.language for entry in HARMFUL)
    assert set(by_language) == set(LANGUAGES)
    assert min(by_language.values()) >= 40
    languages = {rule: {entry.language for entry in HARMFUL if entry.harm == rule} for rule in IDEAS}
    assert {entry.harm for entry in HARMFUL} == IDEAS
    assert min(len(spoken) for spoken in languages.values()) >= 4


def test_the_honest_policies_cover_many_trades() -> None:
    """At least 100, of at least twenty trades, in all five languages."""
    assert len(HONEST) >= 100
    assert len({entry.trade for entry in HONEST}) >= 20
    assert {entry.language for entry in HONEST} == set(LANGUAGES)


@pytest.mark.parametrize("field", ["id", "truth", "does"])
def test_each_harmful_policy_of_a_language_has_its_own_idea(field: str) -> None:
    """Neither the truthful names nor the sentences on what they would do are used twice."""
    counts = Counter((entry.language, getattr(entry, field)) for entry in HARMFUL)
    assert [name for name, count in counts.items() if count > 1] == []


def test_a_harmful_text_is_not_also_an_honest_one() -> None:
    """Reasons and aims; effects are left out, as a harmful reason comes with a harmless effect."""
    honest = {text for entry in HONEST for text in entry.texts}
    harmful = {text for entry in HARMFUL for text in (entry.reason, entry.aim) if text}
    assert honest & harmful == set()
