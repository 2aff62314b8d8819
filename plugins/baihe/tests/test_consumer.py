"""What the plugin declares, and what it answers for one member's candidates."""

import subprocess
import sys
from datetime import date

import click
import pytest
from sesame_baihe import (
    Explanation,
    Matchmaking,
    RankedProfile,
    RankingRequest,
    sesame_cli_commands,
    sesame_score_consumers,
)

from sesame_sdk import InvalidInputError, Score


def score(points: float) -> Score:
    """A score as a reader sees it."""
    return Score(points, "known", date(2026, 6, 1), "digest", 550.0)


def test_it_reads_for_matchmaking_and_leaves_no_score_neutral() -> None:
    """The declaration that the guard checks."""
    (consumer,) = sesame_score_consumers()
    assert consumer.declaration.purpose == "urn:sesame-sdk:purpose:MatchmakingRanking"
    assert (consumer.declaration.context, consumer.declaration.terms.no_score) == ("matchmaking", "neutral")


def test_the_order_without_the_score_is_returned_too() -> None:
    """Relevance says a, b, c; the scores say b; c has none and keeps its distance to the mean."""
    request = RankingRequest(("a", "b", "c"), (0.75, 0.5, 0.25), score_weight=0.5)
    ranked = Matchmaking().use(request, {"a": score(350), "b": score(950), "c": None})
    assert ranked.profiles == (
        RankedProfile("b", 0.5, 950.0, 0.75, Explanation(0.25, 0.5, 0.25)),
        *sorted(
            (
                RankedProfile("a", 0.75, 350.0, 0.375, Explanation(0.375, 0.0, -0.25)),
                RankedProfile("c", 0.25, None, 0.375, Explanation(0.125, 0.25, 0.0)),
            ),
            key=lambda place: [one.profile for one in ranked.profiles].index(place.profile),
        ),
    )
    assert ranked.order_without_score == ("a", "b", "c")


def test_only_requested_profiles_are_in_the_result() -> None:
    """A score of somebody else, should one come, is not looked at."""
    request = RankingRequest(("a",), (0.5,))
    ranked = Matchmaking().use(request, {"stranger": score(900)})
    assert Matchmaking().subjects(request) == ("a",)
    assert [place.profile for place in ranked.profiles] == ["a"]
    assert ranked.parameters.without_score == 1


@pytest.mark.parametrize(
    ("profiles", "relevance", "message"),
    [
        (("a", "a"), (0.1, 0.2), "profiles: must not hold duplicates"),
        (("a",), (), "relevance: must have one value for each profile"),
    ],
)
def test_candidates_that_make_no_sense_are_rejected(
    profiles: tuple[str, ...], relevance: tuple[float, ...], message: str
) -> None:
    """Before anybody's score is read."""
    with pytest.raises(InvalidInputError, match=message):
        RankingRequest(profiles, relevance)


def test_it_adds_the_command_rank() -> None:
    """Under that name."""
    group = click.Group()
    sesame_cli_commands(group)
    assert list(group.commands) == ["rank"]


def test_loading_the_plugin_imports_neither_numpy_nor_rich() -> None:
    """Every sesame command loads it; only ranking needs them."""
    request = (
        "import sys, click, sesame_baihe as b; b.sesame_score_consumers();"
        "b.sesame_cli_commands(click.Group());"
        "print({'numpy', 'rich', 'requests'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", request], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
