"""The contract finds each way of failing, and says so in that one test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError
from sesame_sdk.cli.main import COMMANDS
from sesame_sdk.testing import plugin_contract
from sesame_sdk.testing.contract import import_check
from sesame_sdk.testing.contract.loading_tests import BUILT_IN

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
PLUGINS = HERE.parent / "plugins"
FILE = """
from spoilt.sound import EVENTS, REQUESTS, standing
from sesame_sdk.testing import plugin_contract

TestContract = plugin_contract({module!r}, events={events}, requests={requests}, standing=standing)
"""
ELSEWHERE = "test_its_signals_are_the_same_elsewhere"
SPOILT = {
    "nothing": "",
    "reads_a_file": "test_its_signals_touch_nothing",
    "opens_a_socket": "test_its_signals_touch_nothing",
    "marks_its_events": "test_its_signals_touch_nothing",
    "tells_the_time": "test_its_signals_are_the_same_again",
    "remembers": "test_its_signals_are_the_same_again",
    "throws_dice_for_ids": "test_its_ids_are_deterministic",
    "ids_of_its_own": "test_its_ids_are_deterministic",
    "ids_without_their_time": "test_its_ids_are_deterministic",
    "one_id_for_two": "test_its_ids_are_deterministic",
    "names_people": "test_its_ids_are_deterministic",
    "hashes": ELSEWHERE,
    "trusts_its_events": "test_hostile_events_are_rejected",
    "never_says_a_kind": "test_it_says_all_that_it_declares",
    "says_a_third_kind": "test_it_says_only_what_it_declares",
    "against_its_polarity": "test_its_signals_arrive",
    "misunderstands": "test_its_samples_are_understood",
    "never_ends": "test_its_samples_are_understood",
    "slow_to_import": "test_importing_it_is_quick",
    "connects_on_import": "test_importing_it_is_silent",
    "needs_scores": "test_it_can_do_without_scores",
    "no_score_is_low": "test_no_score_is_no_worse",
    "asks_by_chance": "test_it_names_subjects_purely",
    "answers_by_the_clock": "test_it_uses_scores_purely",
    "keeps_a_list": "test_it_uses_scores_purely",
}
NASTY = {
    **dict.fromkeys(
        (
            *("raises_on_import", "exits_on_import", "lacks_a_dependency", "invalid_kind"),
            *("raises_an_awkward_error", "interrupted_on_import"),
        ),
        "test_it_imports",
    ),
    **dict.fromkeys(
        (
            *("misspelt_hook", "unknown_argument", "raises_on_registration", "exits_on_registration"),
            *("raises_half_way", "never_stops_returning", "returns_text", "returns_a_number"),
            *("returns_a_class", "returns_a_stranger", "rule_without_source", "signer_that_cannot_sign"),
            *("provider_without_a_name", "kinds_that_are_text", "no_kinds", "kind_twice"),
            *("property_that_raises", "consumer_without_declaration"),
        ),
        "test_its_hooks_register",
    ),
    **dict.fromkeys(
        ("without_api", "api_tomorrow", "api_newer_minor", "api_a_number", "api_a_word"),
        "test_it_is_for_this_api",
    ),
    "loud": "test_importing_it_is_silent",
    "refused_by_the_guard": "test_its_kinds_pass_the_guard",
    "consumer_for_work": "test_its_purposes_pass_the_guard",
    **dict.fromkeys(
        ("adds_half_its_commands", "adds_a_stranger", "takes_a_command"), "test_its_commands_can_be_added"
    ),
}
#: These fail in two ways by design, or beside another plugin alone, or when a command of theirs is run.
ELSEWHERE_TESTED = {"on_call", "takes_a_kind", "takes_a_provider_name", "commands_that_fail"}

Failures = Callable[..., set[str]]


@pytest.fixture
def failures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Failures:
    """The tests that fail when a plugin's author applies the contract, in a repository of their own."""
    for folder in (PLUGINS, HERE):
        pytester.syspathinsert(folder)

    def run(module: str, *options: str, events: str = "EVENTS", requests: str = "REQUESTS") -> set[str]:
        if "slow" in module:  # it never gets quicker; whatever else is timed may need every try
            monkeypatch.setattr(import_check, "MOST_TRIES", 2)
        pytester.makepyfile(test_contract=FILE.format(module=module, events=events, requests=requests))
        passed, skipped, failed = pytester.inline_run("-p", "no:cacheprovider", *options).listoutcomes()
        assert len(passed) + len(skipped) + len(failed) > 20
        return {report.nodeid.split("::")[-1] for report in failed}

    return run


def test_every_way_of_failing_is_expected_somewhere() -> None:
    """No module lies about untested."""
    assert SPOILT.keys() == _modules(HERE / "spoilt") - {"sound"}
    assert NASTY.keys() | ELSEWHERE_TESTED == _modules(PLUGINS / "nasty") - {"parts"}


@pytest.mark.parametrize("module", SPOILT)
def test_what_is_spoilt_fails_the_one_check_that_is_for_it(module: str, failures: Failures) -> None:
    """And no other; what is sound passes all. Only two are run elsewhere too, which takes its time."""
    options = (
        ()
        if SPOILT[module] in ("", ELSEWHERE)
        else ("--deselect", f"test_contract.py::TestContract::{ELSEWHERE}")
    )
    assert failures(f"spoilt.{module}", *options) == ({SPOILT[module]} - {""})


@pytest.mark.parametrize("module", NASTY)
def test_what_is_nasty_fails_the_one_check_that_is_for_it(module: str, failures: Failures) -> None:
    """What cannot be asked any more after that is skipped."""
    assert failures(f"nasty.{module}") == {NASTY[module]}


@pytest.mark.parametrize(
    ("events", "check"),
    [
        ("['raises']", "test_its_samples_are_understood"),
        ("['raises late']", "test_its_samples_are_understood"),
        ("['exits']", "test_its_samples_are_understood"),
        ("['rejects']", "test_its_samples_are_understood"),
        ("['nothing']", "test_its_samples_are_understood"),
        ("['text']", "test_its_samples_are_understood"),
        ("[]", "test_its_samples_are_here"),
        ("['fine']", "test_it_says_all_that_it_declares"),
    ],
)
def test_a_plugin_that_fails_when_called_fails_by_what_it_is_given(
    events: str, check: str, failures: Failures
) -> None:
    """Its consumer cannot answer at all, and is told so beside it."""
    elsewhere = ("--deselect", f"test_contract.py::TestContract::{ELSEWHERE}")
    found = failures("nasty.on_call", *elsewhere, events=events, requests="[('ada',)]")
    assert found == {check, "test_it_can_do_without_scores"}


def test_a_plugin_without_samples_is_not_passed_over(failures: Failures) -> None:
    """Its author is told what to give."""
    assert failures("spoilt.nothing", events="[]", requests="[]") == {"test_its_samples_are_here"}


def test_what_is_drawn_is_asked_too(pytester: pytest.Pytester) -> None:
    """A strategy finds what the samples do not show."""
    pytester.syspathinsert(HERE)
    pytester.makepyfile("""
        from hypothesis import strategies as st
        from spoilt.sound import AT, EVENTS, REQUESTS, Loan
        from sesame_sdk.testing import plugin_contract

        LOANS = st.builds(Loan, st.text(), st.text(), st.just(AT), st.integers())
        TestContract = plugin_contract(
            "spoilt.trusts_its_events",
            events=EVENTS,
            requests=REQUESTS,
            strategy=LOANS | st.just(Loan("1", "ada", AT, None)),
        )
    """)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "drawn_events")
    done.assert_outcomes(failed=1, deselected=21)
    done.stdout.fnmatch_lines(["*a drawn event raised TypeError at sound.py:*"])


def test_a_failure_says_what_is_wrong_and_shows_no_value(pytester: pytest.Pytester) -> None:
    """A line for each fault: which sample, which field, what came of it, how to mend it."""
    pytester.syspathinsert(HERE)
    pytester.makepyfile(FILE.format(module="spoilt.trusts_its_events", events="EVENTS", requests="REQUESTS"))
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "hostile")
    done.stdout.fnmatch_lines(
        [
            "events?0? with days_late = None: signals() raised TypeError at sound.py:*; raise *Rejected",
            "and * more",
        ]
    )
    done.stdout.no_fnmatch_line("*ada*")


def test_a_command_that_is_built_in_cannot_be_taken() -> None:
    """The contract knows their names."""
    assert set(BUILT_IN) == COMMANDS.keys()


@pytest.mark.parametrize("module", ["", "a b", "os; import x", "sesame-retail", "plugin.py."])
def test_what_is_no_module_is_not_tested(module: str) -> None:
    """At once, before pytest collects anything."""
    with pytest.raises(ConfigurationError, match="module: must be the name of a module"):
        plugin_contract(module)


def _modules(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.py")} - {"__init__"}
