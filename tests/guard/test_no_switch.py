"""Nothing switches a rule off: no variable, no option, no key, no plugin, no rule of somebody else."""

import ast
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

import sesame_sdk.guard
from sesame_sdk import hookimpl
from sesame_sdk.cli.main import sesame
from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import BUILT_IN, Guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms
from sesame_sdk.plugins.registry import PluginRegistry
from sesame_sdk.scoring.policy_file import parse_policy
from tests.guard.builders import GOOD_KIND, GOOD_POLICY, consumer, kind, policy, reading, rules

POLITICAL = kind(title="Protests attended")
ROOT = Path(__file__).parents[2]
WORDS = re.compile(
    r"guard|force|skip|unsafe|insecure|ignore|bypass|disable|allow|trust|no-?check|no-?rule|override"
)


class Impostor(GuardRule):
    """A rule with the id of a built-in one that finds nothing anywhere."""

    id = "POL-1"
    source = "GDPR 9"
    dated = date(2026, 11, 1)


class Answering(GuardRule):
    """A rule that does for kinds and policies whatever a test wants."""

    id = "SHOP-1"
    source = "our own"
    dated = date(2026, 11, 1)

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._answer = answer

    def check_kind(self, kind: SignalKind) -> Any:
        """Return what the test chose."""
        return self._answer(kind)

    def check_policy(self, policy: Policy) -> Any:
        """Return what the test chose."""
        return self._answer(policy)


def refusing(guard: Guard) -> set[str]:
    """Which rules still refuse, with one bad item for each check."""
    return (
        rules(guard.check_kind(POLITICAL))
        | rules(guard.check_policy(policy(no_score="deny")))
        | rules(guard.check_consumer(consumer(visibility="public")))
        | rules(guard.check_read(reading(grant=None)))
    )


ALL = {"POL-1", "NOS-1", "VIS-1", "CON-1"}


def test_no_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called; the guard's modules do not even know where variables are."""
    for name in ("SESAME_GUARD", "SESAME_NO_GUARD", "SESAME_DISABLE_RULES", "SESAME_SKIP", "GUARD", "DEBUG"):
        for value in ("off", "0", "1", "POL-1,NOS-1,VIS-1,CON-1"):
            monkeypatch.setitem(os.environ, name, value)
            assert refusing(Guard()) == ALL
    imported = set(_imported()) - {"importlib.resources"}  # word lists are package data
    assert not {"os", "sys", "click", "importlib", "pathlib"} & {name.split(".")[0] for name in imported}


def _imported() -> Iterator[str]:
    for path in Path(sesame_sdk.guard.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module or ""


def test_a_guard_has_no_argument_and_no_attribute_for_it() -> None:
    """Nor can it be given other methods."""
    guard = Guard(())
    with pytest.raises(FrozenInstanceError):
        guard._extra = ()
    with pytest.raises(AttributeError):
        guard.check_kind = lambda _: ()
    for name in ("rules", "without", "block", "enabled", "off"):
        with pytest.raises(TypeError):
            Guard(**{name: ()})
    with pytest.raises(TypeError):
        BUILT_IN[0] = BUILT_IN[1]
    assert refusing(guard) == ALL


def test_a_guard_is_not_to_be_overridden() -> None:
    """A subclass that admits everything cannot come to be."""
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Kinder", (Guard,), {"admit_kind": lambda *_: None})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda _: (), id="finds nothing"),
        pytest.param(lambda _: "allow", id="answers allow"),
        pytest.param(lambda _: ["allow"], id="answers a list of allow"),
        pytest.param(lambda _: True, id="answers True"),
        pytest.param(lambda _: [Action.WARN], id="answers with an action"),
        pytest.param(lambda _: [_warning("POL-1"), _warning("NOS-1")], id="warns by the ids of others"),
    ],
)
def test_no_answer_of_a_further_rule_takes_a_refusal_back(answer: Callable[[Any], Any]) -> None:
    """It can add findings, and nothing else."""
    guard = Guard([Impostor(), Answering(answer)])
    with pytest.raises(GuardRefusedError):
        guard.admit_kind(POLITICAL)
    with pytest.raises(GuardRefusedError):
        guard.admit_policy(policy(no_score="deny"))
    assert refusing(guard) >= ALL


def _warning(rule: str) -> Finding:
    return Finding(rule, Action.WARN, "kind a.b", "fine by us", "nothing", "our own", date(2026, 11, 1))


class Lenient(Finding):
    """A finding that says it is any other, and a warning."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(Guard().check_kind(POLITICAL)[0])


def test_a_finding_of_another_class_takes_no_place_of_ours() -> None:
    """Only plain findings are heard; the rest is a broken rule, which refuses."""
    warning = _warning("POL-1")
    fields = (warning.rule, warning.action, warning.about, warning.reason, warning.hint, warning.source)
    guard = Guard([Answering(lambda _: [Lenient(*fields, warning.dated)])])
    assert rules(guard.check_kind(POLITICAL)) == {"POL-1", "EXT-0"}
    assert rules(guard.check_kind(GOOD_KIND)) == {"EXT-0"}


def test_a_finding_that_was_tampered_with_is_judged_again() -> None:
    """What is no finding any more is a broken rule."""
    spoilt = _warning("POL-1")
    object.__setattr__(spoilt, "rule", None)
    assert rules(Guard([Answering(lambda _: [spoilt])]).check_kind(GOOD_KIND)) == {"EXT-0"}


def test_what_a_further_rule_does_to_what_it_is_shown_is_done_to_a_copy() -> None:
    """A rule cannot make an item harmless during the check, nor harmful after it."""
    shown: list[Any] = []

    def tamper(thing: Any) -> tuple[()]:
        shown.append(thing)
        if isinstance(thing, Policy):
            object.__setattr__(thing, "terms", Terms())
        else:
            object.__setattr__(thing, "title", "Orders that you kept")
        return ()

    bad, harmless = kind(title="Protests attended"), policy()
    guard = Guard([Answering(tamper)])
    assert "NOS-1" in rules(guard.check_policy(policy(no_score="deny")))
    assert rules(guard.check_kind(bad)) == {"POL-1"}
    assert bad.title == "Protests attended"
    assert guard.check_policy(harmless) == ()
    assert not any(thing is own for thing in shown for own in (bad, harmless, harmless.terms))


def test_what_is_put_on_a_rule_later_takes_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks were bound when the module was imported."""
    for rule in BUILT_IN:
        for check in ("check_kind", "check_policy", "check_consumer", "check_read"):
            monkeypatch.setattr(rule, check, lambda _: (), raising=False)
            monkeypatch.setattr(type(rule), check, lambda *_: (), raising=False)
    guard = Guard()
    assert rules(guard.check_kind(POLITICAL)) == {"POL-1"}
    assert "DCL-1" in rules(guard.check_kind(kind(observation="anything_else")))
    assert rules(guard.check_read(reading(grant=None))) == {"CON-1"}


def test_a_plugin_with_a_block_list_blocks_no_rule() -> None:
    """Not by a list under any name, nor by rules of its own, nor by a hook that is none."""
    plugin = ModuleType("meddler")
    plugin.SESAME_API = "1.0"  # type: ignore[attr-defined]
    for name in ("block", "blocked", "disabled_rules", "SESAME_BLOCK", "guard", "BUILT_IN"):
        setattr(plugin, name, ["POL-1", "NOS-1", "VIS-1", "CON-1"])

    @hookimpl
    def sesame_policy_rules() -> tuple[GuardRule, ...]:
        return (Impostor(), Answering(lambda _: ()))

    plugin.sesame_policy_rules = sesame_policy_rules  # type: ignore[attr-defined]
    registry = PluginRegistry.from_modules({"meddler": plugin}, block=["POL-1", "guard"])
    assert len(registry.rules) == 2
    assert refusing(Guard(registry.rules)) == ALL


@pytest.mark.parametrize("name", ["sesame_guard", "sesame_blocked_rules", "sesame_policy_rules_off"])
def test_a_hook_that_would_take_rules_away_does_not_exist(name: str) -> None:
    """A plugin that implements one is disabled, with everything else it provides."""
    plugin = ModuleType("meddler")
    plugin.SESAME_API = "1.0"  # type: ignore[attr-defined]
    setattr(plugin, name, hookimpl(lambda: ["POL-1"]))
    (info,) = PluginRegistry.from_modules({"meddler": plugin}).infos
    assert info.state == "disabled"


def test_no_entry_point_of_ours_is_about_rules() -> None:
    """Plugins come from one group, and a hub's rules from its operator's code."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("entry-points", {})
    assert not any(WORDS.search(group) for group in points)


GOOD_TOML = (ROOT / "examples" / "policies" / "retail.toml").read_text()


@pytest.mark.parametrize(
    "line",
    [
        *("guard = false", 'disable_rules = ["POL-1"]', 'skip = "POL-1"', "unsafe = true", "force = true"),
        *("rules = []", '"POL-1" = false', "[guard]\nenabled = false", 'no_guard = "yes"', "trusted = true"),
    ],
)
def test_no_key_of_a_policy_switches_a_rule_off(line: str) -> None:
    """At the top, or in a table: it is not a key of a policy."""
    parse_policy(GOOD_TOML)
    for text in (f"{line}\n{GOOD_TOML}", f"{GOOD_TOML}\n{line}\n"):
        with pytest.raises(ConfigurationError):
            parse_policy(text)


def test_a_field_that_a_policy_does_not_have_cannot_be_added() -> None:
    """Not even in Python."""
    with pytest.raises(TypeError):
        evolve(GOOD_POLICY, guard=False)
    with pytest.raises(AttributeError):
        object.__setattr__(policy(), "guard", False)


def commands(command: click.Command, path: str = "sesame") -> Iterator[tuple[str, click.Command]]:
    """Each command of the command line, with its words."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


def test_no_command_has_an_option_for_it() -> None:
    """No environment variable switches a rule off; those that exist name folders and files."""
    all_commands = list(commands(sesame))
    assert len(all_commands) > 20
    for path, command in all_commands:
        assert not command.context_settings.get("auto_envvar_prefix"), path
        for parameter in command.params:
            assert parameter.envvar in {None, "SESAME_CONFIG", "SESAME_HUB", "SESAME_SOCIAL_QUEUE"}, path
            for name in (*parameter.opts, *parameter.secondary_opts):
                assert not WORDS.search(name), f"{path} {name}"


@pytest.mark.parametrize("option", ["--no-guard", "--force", "--skip", "--unsafe", "--no-check"])
def test_such_an_option_is_not_understood(option: str) -> None:
    """The refusal of the option comes before anything is read."""
    with pytest.raises(click.NoSuchOption):
        sesame.main(["policy", "check", option, "x.toml"], standalone_mode=False)
