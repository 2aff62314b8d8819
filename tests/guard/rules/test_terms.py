"""VIS-1, ENR-1, NOS-1, MIN-1, DSP-1: on what terms a score is carried."""

from typing import Any

import pytest

from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.terms import Effect
from tests.guard.builders import consumer, grant, policy, reading, rules

GUARD = Guard()


def rules_of_terms(**terms: Any) -> set[str]:
    """What a policy and a consumer on these terms are refused by: the same."""
    by_policy, by_consumer = (
        rules(GUARD.check_policy(policy(**terms))),
        rules(GUARD.check_consumer(consumer(**terms))),
    )
    assert by_policy == by_consumer
    return by_policy


def test_the_defaults_pass() -> None:
    """And so do they written out, and an age that is higher."""
    assert rules_of_terms() == set()
    assert rules_of_terms(visibility="private", default_on=False, no_score="neutral", minimum_age=21) == set()


@pytest.mark.parametrize(
    "visibility", ["public", "members", "Private", "private ", "priv\N{CYRILLIC SMALL LETTER A}te", "friends"]
)
def test_a_score_is_private(visibility: str) -> None:
    """VIS-1: another spelling is another word."""
    assert rules_of_terms(visibility=visibility) == {"VIS-1"}


@pytest.mark.parametrize(
    "words", ["Leaderboard", "A place on the hall of fame", "le4derboard", "排行榜", "Names on a public list"]
)
def test_a_private_score_may_not_be_published_under_a_name(words: str) -> None:
    """VIS-1 reads the names of policies and consumers."""
    assert rules(GUARD.check_policy(policy(name=words))) == {"VIS-1"}
    assert rules(GUARD.check_consumer(consumer(name=words))) == {"VIS-1"}


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        *(("VIS-1", name) for name in ("leaderboard", "public_score", "weekly_leaderboard")),
        *(
            ("ENR-1", "access_for_members_only"),
            ("NOS-1", "no_score_denied"),
            ("MIN-1", "benefit_for_children"),
        ),
    ],
)
def test_an_effect_that_is_named_honestly_is_refused_by_its_rule(rule: str, effect: str) -> None:
    """For policies and consumers."""
    assert rules_of_terms(effects=(Effect("free_returns", "good"), Effect(effect, "good"))) == {rule}


@pytest.mark.parametrize("how", ["default_on", "mandatory", "bundled"])
def test_people_join_only_with_consent(how: str) -> None:
    """ENR-1, each way by itself; saying that one is off excuses no other."""
    ways = dict.fromkeys(("default_on", "mandatory", "bundled"), False)
    assert rules_of_terms(**{how: True}) == {"ENR-1"}
    assert rules_of_terms(**(ways | {how: True})) == {"ENR-1"}


def test_each_way_of_making_people_join_is_a_finding() -> None:
    """ENR-1: the hint names the key."""
    findings = GUARD.check_policy(policy(default_on=True, mandatory=True, bundled=True))
    assert {finding.hint for finding in findings} == {
        "set default_on = false",
        "set mandatory = false",
        "set bundled = false",
    }


@pytest.mark.parametrize(
    "no_score", ["deny", "lowest", "Neutral", "neutral ", "\N{FULLWIDTH LATIN SMALL LETTER N}eutral"]
)
def test_no_score_is_neutral_and_nothing_else(no_score: str) -> None:
    """NOS-1 for policies and consumers; another spelling of the word is another word."""
    assert rules_of_terms(no_score=no_score) == {"NOS-1"}


@pytest.mark.parametrize("age", [0, 15, 17])
def test_no_person_under_eighteen_has_a_score(age: int) -> None:
    """MIN-1 for policies and consumers."""
    assert rules_of_terms(minimum_age=age) == {"MIN-1"}


@pytest.mark.parametrize("direction", Direction)
def test_a_consent_of_unknown_age_is_not_recorded(direction: Direction) -> None:
    """MIN-1: "not known" and "15" are one thing to a hub; the finding names no person."""
    kinds = ("retail.order.completed",) if direction is Direction.SEND else ()
    adult_grant = grant(direction=direction, kinds=kinds, subject="pseudonymofada".ljust(26, "a"))
    GUARD.admit_grant(adult_grant)
    minor = grant(direction=direction, kinds=kinds, subject="pseudonymofada".ljust(26, "a"), adult=False)
    with pytest.raises(GuardRefusedError, match="MIN-1") as refused:
        GUARD.admit_grant(minor)
    (finding,) = refused.value.findings
    assert "18" in finding.reason
    assert "pseudonymofada".ljust(26, "a") not in str(finding) + finding.hint


def test_a_consent_of_unknown_age_opens_no_read() -> None:
    """MIN-1: the second check, in general words that reveal nothing about the person."""
    (finding,) = GUARD.check_read(reading(grant=grant(adult=False)))
    assert finding.rule == "MIN-1"
    assert finding.reason == "a read needs the consent of a person known to be 18 or older"
    assert rules(GUARD.check_read(reading(grant=None))) == {"CON-1"}


@pytest.mark.parametrize(
    "way",
    [
        "https://shop.example/disputes",
        "disputes@shop.example",
        "Data desk, 1 High Street, York",
        "Call 01904 555 0100",
    ],
)
def test_a_person_can_say_where_a_signal_is_wrong(way: str) -> None:
    """DSP-1: a page, an address or a telephone."""
    assert GUARD.check_policy(policy(disputes=way)) == ()


@pytest.mark.parametrize(
    "way", ["", "none", "Not possible", "n/a", "https://", "ask @ the desk", "我们不接受"]
)
def test_a_policy_without_a_way_to_dispute_is_refused(way: str) -> None:
    """DSP-1: nor is a word in place of an address."""
    assert rules(GUARD.check_policy(policy(disputes=way))) == {"DSP-1"}


def test_what_is_disputed_does_not_count() -> None:
    """DSP-1: a way to dispute excuses nothing if the signal goes on counting."""
    assert rules(GUARD.check_policy(policy(disputed_count=True))) == {"DSP-1"}
    assert len(GUARD.check_policy(policy(disputed_count=True, disputes=""))) == 2
