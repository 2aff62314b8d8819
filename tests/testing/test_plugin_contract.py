"""The contract finds each fault, in the one test for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError
from sesame_sdk.cli.main import COMMANDS
from sesame_sdk.testing import (
    hub,  # noqa: F401 - pytester forgets imports, and SQLAlchemy can load only once
    plugin_contract,
)
from sesame_sdk.testing.contract import interpreters
from sesame_sdk.testing.contract.suite import BUILT_IN

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
PLUGINS = HERE.parent / "plugins"
FILE = """
from tests.testing.faulty.sound import EVENTS, REQUESTS, benefit
from sesame_sdk.testing import plugin_contract

TestContract = plugin_contract({module!r}, events={events}, requests={requests}, benefit=benefit)
"""
OTHER_PROCESS = "test_signals_is_the_same_in_another_process"
FAULTY = {
    "nothing": "",
    "reads_a_file": "test_signals_has_no_side_effects",
    "opens_a_socket": "test_signals_has_no_side_effects",
    "marks_its_events": "test_signals_has_no_side_effects",
    "tells_the_time": "test_signals_is_repeatable",
    "remembers": "test_signals_is_repeatable",
    "throws_dice_for_ids": "test_ids_are_deterministic",
    "ids_of_its_own": "test_ids_are_deterministic",
    "ids_without_their_time": "test_ids_are_deterministic",
    "one_id_for_two": "test_ids_are_deterministic",
    "keys_that_hold_the_time": "test_natural_keys_hold_no_time",
    "names_people": "test_ids_are_deterministic",
    "hashes": OTHER_PROCESS,
    "trusts_its_events": "test_hostile_events_are_rejected",
    "never_says_a_kind": "test_every_declared_kind_has_a_sample",
    "says_a_third_kind": "test_signals_are_of_declared_kinds",
    "against_its_polarity": "test_its_signals_reach_the_hub",
    "misunderstands": "test_its_samples_are_accepted",
    "never_ends": "test_its_samples_are_accepted",
    "slow_to_import": "test_importing_it_is_quick",
    "connects_on_import": "test_importing_it_is_silent",
    "needs_scores": "test_missing_scores_are_handled",
    "no_score_is_low": "test_no_score_is_no_disadvantage",
    "asks_by_chance": "test_subjects_is_pure",
    "answers_by_the_clock": "test_use_is_pure",
    "keeps_a_list": "test_use_is_pure",
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
        "test_its_api_version_is_supported",
    ),
    "loud": "test_importing_it_is_silent",
    "refused_by_the_guard": "test_its_kinds_pass_the_guard",
    "consumer_for_work": "test_its_purposes_pass_the_guard",
    **dict.fromkeys(
        ("adds_half_its_commands", "adds_a_stranger", "takes_a_command"), "test_its_commands_can_be_added"
    ),
}
#: These fail in two ways by design, or beside another plugin alone, or when a command of theirs is run.
TESTED_IN_OTHER_FILES = {
    "cancelled_on_import",
    "closes_on_import",
    "commands_that_fail",
    "on_call",
    "panics_on_import",
    "panics_on_registration",
    "takes_a_kind",
    "takes_a_provider_name",
}

Failures = Callable[..., set[str]]


@pytest.fixture
def failures(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Failures:
    """The tests that fail when a plugin's author applies the contract, in a repository of their own."""
    pytester.syspathinsert(PLUGINS)

    def run(module: str, *options: str, events: str = "EVENTS", requests: str = "REQUESTS") -> set[str]:
        # The slow one never gets quicker; the others are not timed here, which may take many interpreters.
        monkeypatch.setattr(interpreters, *(("MAX_TRIES", 2) if "slow" in module else ("BUDGET", 60.0)))
        pytester.makepyfile(test_contract=FILE.format(module=module, events=events, requests=requests))
        passed, skipped, failed = pytester.inline_run("-p", "no:cacheprovider", *options).listoutcomes()
        assert len(passed) + len(skipped) + len(failed) > 20
        return {report.nodeid.split("::")[-1] for report in failed}

    return run


def test_every_module_is_used() -> None:
    """No faulty module is left untested."""
    assert FAULTY.keys() == _modules(HERE / "faulty") - {"sound"}
    assert NASTY.keys() | TESTED_IN_OTHER_FILES == _modules(PLUGINS / "nasty") - {"parts"}


@pytest.mark.parametrize("module", FAULTY)
def test_a_faulty_plugin_fails_one_test(module: str, failures: Failures) -> None:
    """And no other; `nothing` passes all. Only two run in a second process too, which takes time."""
    options = (
        ()
        if FAULTY[module] in ("", OTHER_PROCESS)
        else ("--deselect", f"test_contract.py::TestContract::{OTHER_PROCESS}")
    )
    assert failures(f"tests.testing.faulty.{module}", *options) == ({FAULTY[module]} - {""})


@pytest.mark.parametrize("module", NASTY)
def test_a_nasty_plugin_fails_one_test(module: str, failures: Failures) -> None:
    """Tests that depend on it are skipped."""
    assert failures(f"nasty.{module}") == {NASTY[module]}


@pytest.mark.parametrize(
    ("events", "check"),
    [
        ("['raises']", "test_its_samples_are_accepted"),
        ("['raises late']", "test_its_samples_are_accepted"),
        ("['exits']", "test_its_samples_are_accepted"),
        ("['rejects']", "test_its_samples_are_accepted"),
        ("['nothing']", "test_its_samples_are_accepted"),
        ("['text']", "test_its_samples_are_accepted"),
        ("[]", "test_it_has_samples"),
        ("['fine']", "test_every_declared_kind_has_a_sample"),
    ],
)
def test_a_plugin_that_fails_when_called_fails_by_its_samples(
    events: str, check: str, failures: Failures
) -> None:
    """Its consumer fails too."""
    deselected = ("--deselect", f"test_contract.py::TestContract::{OTHER_PROCESS}")
    failed = failures("nasty.on_call", *deselected, events=events, requests="[('ada',)]")
    assert failed == {check, "test_missing_scores_are_handled"}


def test_a_plugin_without_samples_fails(failures: Failures) -> None:
    """Its author learns what to give."""
    assert failures("tests.testing.faulty.nothing", events="[]", requests="[]") == {"test_it_has_samples"}


def test_generated_events_are_tested_too(pytester: pytest.Pytester) -> None:
    """A strategy finds faults that the samples do not."""
    pytester.makepyfile("""
        from hypothesis import strategies as st
        from tests.testing.faulty.sound import AT, EVENTS, REQUESTS, Loan
        from sesame_sdk.testing import plugin_contract

        LOANS = st.builds(Loan, st.text(), st.text(), st.just(AT), st.integers())
        TestContract = plugin_contract(
            "tests.testing.faulty.trusts_its_events",
            events=EVENTS,
            requests=REQUESTS,
            strategy=LOANS | st.just(Loan("1", "ada", AT, None)),
        )
    """)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "events_are_handled")
    done.assert_outcomes(failed=1, deselected=22)
    done.stdout.fnmatch_lines(["*a generated event: signals() raised TypeError at sound.py:*"])


def test_a_failure_names_the_fault_and_shows_no_value(pytester: pytest.Pytester) -> None:
    """A line for each fault: which sample, which field, what happened, how to fix it."""
    pytester.makepyfile(
        FILE.format(module="tests.testing.faulty.trusts_its_events", events="EVENTS", requests="REQUESTS")
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "hostile")
    done.stdout.fnmatch_lines(
        [
            "events?0? with days_late = None: signals() raised TypeError at sound.py:*; raise *InputError",
            "and * more",
        ]
    )
    done.stdout.no_fnmatch_line("*ada*")


def test_a_command_that_is_built_in_cannot_be_taken() -> None:
    """The contract knows their names."""
    assert set(BUILT_IN) == {name for commands in COMMANDS.values() for name in commands}


@pytest.mark.parametrize("module", ["", "a b", "os; import x", "sesame-retail", "plugin.py."])
def test_a_name_that_is_no_module_is_rejected(module: str) -> None:
    """At once, before pytest collects anything."""
    with pytest.raises(ConfigurationError, match="module: must be the name of a module"):
        plugin_contract(module)


def _modules(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob("*.py")} - {"__init__"}
