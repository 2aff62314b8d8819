"""A plugin that fails when it is used is named and disabled; personal data in its error is not repeated."""

from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sesame_sdk import ConfigurationError, InvalidInputError, Pseudonymizer, Signal, Skipped
from sesame_sdk.plugins import PluginRegistry, PluginState
from tests.plugins.conftest import plugin_info

BREAKS = {
    "raises": r"nasty\.signals\(\) raised ValueError at on_call\.py:\d+",
    "raises late": r"nasty\.signals\(\) raised ZeroDivisionError",
    "exits": r"nasty\.signals\(\) raised SystemExit",
    "undeclared": r"nasty\.signals\(\) used an undeclared kind: other\.thing\.done",
    "nothing": r"nasty\.signals\(\) raised TypeError",
    "text": r"nasty\.signals\(\) returned a str",
}
pytestmark = pytest.mark.usefixtures("on_path")


@pytest.fixture
def both(on_path: None) -> PluginRegistry:  # noqa: ARG001 - the modules must be there
    """The good plugin beside the one that fails when it is used."""
    return PluginRegistry.from_modules(
        {"garden": import_module("good"), "nasty": import_module("nasty.on_call")}
    )


def test_a_good_provider_is_used_through_the_registry(
    both: PluginRegistry, pseudonymizer: Pseudonymizer, tmp_path: Path
) -> None:
    """Reading streams events, and each event becomes signals or something kept back."""
    (tmp_path / "plots").write_text("7\n\n")
    provider = both.provider("garden")
    outcomes = [
        one for event in provider.read(tmp_path / "plots") for one in provider.signals(event, pseudonymizer)
    ]
    assert [type(one) for one in outcomes] == [Signal, Skipped]
    assert outcomes[1] == Skipped("no plot")


@pytest.mark.parametrize("event", BREAKS)
def test_a_provider_that_fails_is_disabled(
    event: str, both: PluginRegistry, pseudonymizer: Pseudonymizer, tmp_path: Path
) -> None:
    """The call raises an error naming the plugin, later calls say the same, and the good one goes on."""
    provider = both.provider("nasty")
    assert list(provider.signals("fine", pseudonymizer)) == [Skipped("fine")]
    with pytest.raises(ConfigurationError, match=rf"plugin 'nasty': is disabled: {BREAKS[event]}"):
        provider.signals(event, pseudonymizer)
    with pytest.raises(ConfigurationError, match=BREAKS[event]):
        provider.signals("fine", pseudonymizer)
    with pytest.raises(ConfigurationError, match=BREAKS[event]):
        list(provider.read(tmp_path))
    with pytest.raises(ConfigurationError, match=BREAKS[event]):
        both.provider("nasty")
    assert plugin_info(both, "nasty").state is PluginState.DISABLED
    assert both.provider("garden").signals("7", pseudonymizer)


def test_the_text_of_an_error_in_a_call_is_not_repeated(
    both: PluginRegistry, pseudonymizer: Pseudonymizer
) -> None:
    """A plugin's exception may quote a customer; message and state name the place alone."""
    with pytest.raises(ConfigurationError) as caught:
        both.provider("nasty").signals("raises", pseudonymizer)
    assert "17850" not in str(caught.value) + plugin_info(both, "nasty").reason
    assert "17850" in str(caught.value.__cause__)


def test_an_error_of_the_sdk_passes_and_disables_no_plugin(
    both: PluginRegistry, pseudonymizer: Pseudonymizer
) -> None:
    """`InvalidInputError` is how a provider says that an event is wrong; it stays in use."""
    with pytest.raises(InvalidInputError, match="event: cannot be understood"):
        both.provider("nasty").signals("rejects", pseudonymizer)
    assert plugin_info(both, "nasty").state is PluginState.ACTIVE


def test_ctrl_c_during_a_call_is_the_users(both: PluginRegistry, pseudonymizer: Pseudonymizer) -> None:
    """KeyboardInterrupt passes, and is no fault of the plugin."""
    with pytest.raises(KeyboardInterrupt):
        both.provider("nasty").signals("interrupts", pseudonymizer)
    assert plugin_info(both, "nasty").state is PluginState.ACTIVE


def test_a_provider_that_fails_in_the_middle_of_a_file_keeps_what_it_read(
    both: PluginRegistry, tmp_path: Path
) -> None:
    """Events before the fault are there; the fault names the plugin."""
    events = both.provider("nasty").read(tmp_path / "missing")
    assert next(events) == "fine"
    with pytest.raises(ConfigurationError, match=r"nasty\.read\(\) raised FileNotFoundError"):
        next(events)


def test_consumers_are_guarded_like_providers(both: PluginRegistry) -> None:
    """A good one answers; a bad one is named for what it returned or raised."""
    gate = both.consumer("gate")
    assert gate.subjects(["a", "b"]) == ("a", "b")
    assert gate.use(["a"], {"a": None}) == 0
    with pytest.raises(ConfigurationError, match=r"forgetful\.subjects\(\) returned something that is not"):
        both.consumer("forgetful").subjects([1])
    with pytest.raises(ConfigurationError, match="plugin 'nasty': is disabled"):
        both.consumer("forgetful")


def test_a_consumer_that_raises_is_named(both: PluginRegistry) -> None:
    """The plugin's KeyError does not reach the caller as a KeyError."""
    with pytest.raises(ConfigurationError, match=r"plugin 'nasty'.*forgetful\.use\(\) raised KeyError"):
        both.consumer("forgetful").use((), {})


def test_signers_are_guarded_and_asked_only_when_used(both: PluginRegistry) -> None:
    """Loading opens no connection to a key store; using one that is lost names its plugin."""
    good, lost, _ = both.signers
    assert (good.kid, good.public_jwk["kty"], good.sign(b"x")) == ("key-of-the-garden", "OKP", b"signed x")
    assert plugin_info(both, "nasty").state is PluginState.ACTIVE
    with pytest.raises(ConfigurationError, match=r"signer\.sign\(\) raised ConnectionError"):
        lost.sign(b"x")
    with pytest.raises(ConfigurationError, match="is disabled"):
        _ = lost.kid


def test_a_signer_with_a_key_of_low_order_disables_its_plugin(both: PluginRegistry) -> None:
    """Anybody could sign for it."""
    _, _, weak = both.signers
    with pytest.raises(ConfigurationError, match=r"signer\.public_jwk is not a public key.*prime order"):
        _ = weak.public_jwk
    with pytest.raises(ConfigurationError, match="is disabled"):
        weak.sign(b"x")


@pytest.fixture
def group() -> click.Group:
    """A command line with one command of its own."""
    return click.Group("sesame", {"doctor": click.Command("doctor")})


def test_a_plugin_adds_its_commands(group: click.Group) -> None:
    """They run like any other."""
    PluginRegistry.from_modules({"garden": import_module("good")}).add_commands(group)
    assert CliRunner().invoke(group, ["water"]).output == "watered\n"


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("adds_half_its_commands", "sesame_cli_commands() raised ValueError"),
        ("takes_a_command", "sesame_cli_commands() added 'doctor', which exists already"),
        ("adds_a_stranger", "sesame_cli_commands() added 'stranger', which is not a click command"),
    ],
)
def test_a_plugin_that_fails_at_the_command_line_adds_nothing(
    module: str, why: str, group: click.Group
) -> None:
    """Neither half of its commands nor one in place of ours; the good plugin's are there."""
    ours = group.commands["doctor"]
    modules = {"a": import_module(f"nasty.{module}"), "garden": import_module("good")}
    registry = PluginRegistry.from_modules(modules)
    registry.add_commands(group)
    assert sorted(group.commands) == ["doctor", "water"]
    assert group.commands["doctor"] is ours
    assert why in plugin_info(registry, "a").reason


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("usage", click.UsageError),
        ("abort", click.Abort),
        ("answer", InvalidInputError),
        ("fault", ConfigurationError),
    ],
    ids=["a usage error passes", "an abort passes", "our error passes", "a fault names the plugin"],
)
def test_a_command_ends_as_it_means_to_and_a_fault_is_named(
    how: str, error: type[Exception], group: click.Group
) -> None:
    """Only what a command did not mean is turned into an error that names its plugin."""
    registry = PluginRegistry.from_modules({"nasty": import_module("nasty.commands_that_fail")})
    registry.add_commands(group)
    with pytest.raises(error) as caught:
        group.main(["bad", "end", how], standalone_mode=False)
    assert ("plugin 'nasty': is disabled: command 'end' raised KeyError" in str(caught.value)) == (
        how == "fault"
    )
