"""Plugins are found through entry points, late, and each is named, checked and isolated."""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.plugins import PluginRegistry, PluginState
from tests.plugins.conftest import NASTY, plugin_info

LOAD_ERRORS = {
    "raises_on_import": "import: RuntimeError: the tap is broken",
    "exits_on_import": "import: SystemExit: goodbye",
    "panics_on_import": "import: PanicException: index out of bounds",
    "closes_on_import": "import: GeneratorExit at closes_on_import.py:",
    "cancelled_on_import": "import: CancelledError at cancelled_on_import.py:",
    "panics_on_registration": "registration: PanicException: unwrap of None",
    "lacks_a_dependency": "import: ModuleNotFoundError: No module named 'a_package_that_is_not_installed'",
    "invalid_kind": "import: name: has an invalid format",
    "raises_an_awkward_error": "import: AwkwardError at raises_an_awkward_error.py:",
    "misspelt_hook": "unknown hook 'sesame_signal_provider', did you mean 'sesame_signal_providers'?",
    "unknown_argument": "Argument(s) {'grup'} are declared in the hookimpl",
    "raises_on_registration": "registration: LookupError: no such table",
    "exits_on_registration": "registration: SystemExit: 3",
    "raises_half_way": "registration: OSError: half-way",
    "never_stops_returning": "sesame_signal_providers(): returned more than 100 objects",
    "returns_text": "sesame_signal_providers(): returned str, not a tuple of SignalProvider",
    "returns_a_number": "sesame_policy_rules(): returned int, not a tuple of GuardRule",
    "returns_a_class": "returned the class Quiet (return Quiet())",
    "returns_a_stranger": "returned object, which is not a SignalProvider",
    "rule_without_source": "Rule.source must be a str",
    "signer_that_cannot_sign": "Signer has no sign",
    "provider_without_a_name": "Nameless.name must be short",
    "kinds_that_are_text": "Texts.kinds must be a tuple of at least one SignalKind",
    "no_kinds": "Mute.kinds must be a tuple of at least one SignalKind",
    "kind_twice": "declares kind 'nasty.thing.done' twice",
    "property_that_raises": "registration: ZeroDivisionError",
    "consumer_without_declaration": "Silent.declaration must be a ConsumerDeclaration",
    "takes_a_provider_name": "provider 'garden' is taken by good-plugin",
    "takes_a_kind": "kind 'garden.plot.kept' is taken by good-plugin",
    "refused_by_the_guard": "refused by the guard: POL-1",
    "consumer_for_work": "refused by the guard: PUR-2",
}
INCOMPATIBLE = {
    "without_api": "does not declare its API",
    "api_tomorrow": "was written for API '2.0'; this SDK supports 1.0",
    "api_newer_minor": "was written for API '1.1'",
    "api_a_number": "was written for API 1.0;",
    "api_a_word": "was written for API 'new'",
}
LATER = {
    "on_call",
    "loud",
    "adds_half_its_commands",
    "adds_a_stranger",
    "takes_a_command",
    "commands_that_fail",
}


def test_every_way_of_failing_is_expected_somewhere() -> None:
    """No nasty module lies about untested."""
    assert set(NASTY) == LOAD_ERRORS.keys() | INCOMPATIBLE.keys() | LATER | {"interrupted_on_import"}


@pytest.mark.parametrize("module", LOAD_ERRORS)
def test_a_failing_plugin_is_set_aside_by_name_and_the_good_one_goes_on(
    module: str, install: Callable[..., None]
) -> None:
    """Whatever one plugin does while it loads, its reason is recorded and the others are loaded."""
    install("good-plugin", garden="good")
    install("nasty-plugin", module_under_test=f"nasty.{module}")
    registry = PluginRegistry.discover()
    info = plugin_info(registry, "module_under_test")
    assert info.state is PluginState.DISABLED
    assert LOAD_ERRORS[module] in info.reason
    assert "\n" not in info.reason
    assert registry.provider("garden").name == "garden"


@pytest.mark.parametrize("module", INCOMPATIBLE)
def test_a_plugin_for_another_api_is_refused_by_name(module: str, install: Callable[..., None]) -> None:
    """It is incompatible, with its version and the supported ones, and none of its hooks is called."""
    install("nasty-plugin", old=f"nasty.{module}")
    info = plugin_info(PluginRegistry.discover(), "old")
    assert info.state is PluginState.INCOMPATIBLE
    assert INCOMPATIBLE[module] in info.reason
    assert 'SESAME_API = "1.0"' in info.reason


def test_all_nasty_plugins_together_do_not_harm_the_good_one(install: Callable[..., None]) -> None:
    """One installation with every failure at once: the good plugin offers all that it has."""
    install("good-plugin", garden="good")
    install("nasty-plugin", **{name: f"nasty.{name}" for name in (*LOAD_ERRORS, *INCOMPATIBLE)})
    registry = PluginRegistry.discover(block=["retail", "social", "baihe"])
    assert [info.name for info in registry.infos if info.state is PluginState.ACTIVE] == ["garden"]
    assert [rule.id for rule in registry.rules] == ["GRD-1"]
    assert [signer.kid for signer in registry.signers] == ["key-of-the-garden"]
    assert registry.consumer("gate").declaration.context == "garden"


def test_ctrl_c_during_an_import_is_the_users(install: Callable[..., None]) -> None:
    """KeyboardInterrupt passes through the registry."""
    install("nasty-plugin", nasty="nasty.interrupted_on_import")
    with pytest.raises(KeyboardInterrupt):
        _ = PluginRegistry.discover().infos


@pytest.mark.parametrize(
    "left", ["no METADATA", "an empty METADATA", "no entry points", "broken entry points"]
)
def test_what_an_interrupted_pip_leaves_disables_that_plugin_alone(
    left: str, install: Callable[..., None], tmp_path: Path
) -> None:
    """It is named by its entry point or its path, and the others are loaded."""
    install("good-plugin", garden="good")
    install("torn-plugin", torn="nasty.on_call")
    folder = tmp_path / "site-packages" / "torn_plugin-1.0.dist-info"
    if left == "an empty METADATA":
        (folder / "METADATA").write_text("")
    else:
        (folder / "METADATA").unlink()
    if left == "no entry points":
        (folder / "entry_points.txt").unlink()
    if left == "broken entry points":
        (folder / "entry_points.txt").write_bytes(b"[sesame_sdk]\n\xff\xfe")

    registry = PluginRegistry.discover()

    assert plugin_info(registry, "garden").state is PluginState.ACTIVE
    torn = [info for info in registry.infos if "torn" in f"{info.name} {info.distribution}"]
    assert len(torn) == (left != "no entry points")
    for info in torn:
        assert info.state is PluginState.DISABLED
        assert "torn_plugin-1.0.dist-info: incomplete metadata" in info.reason
    assert "nasty.on_call" not in sys.modules


def test_a_blocked_plugin_is_not_imported(install: Callable[..., None]) -> None:
    """The block list is looked at before anything of the plugin runs."""
    install("nasty-plugin", nasty="nasty.on_call")
    info = plugin_info(PluginRegistry.discover(block=["nasty"]), "nasty")
    assert (info.state, info.version, info.distribution) == (PluginState.BLOCKED, "1.0", "nasty-plugin")
    assert "nasty.on_call" not in sys.modules


def test_discovery_imports_nothing_until_the_first_question(install: Callable[..., None]) -> None:
    """Metadata is read at once, a plugin at its first use."""
    install("good-plugin", garden="good")
    registry = PluginRegistry.discover()
    assert "good" not in sys.modules
    _ = registry.infos
    assert "good" in sys.modules


def test_importing_the_sdk_loads_no_plugin_and_no_network_library() -> None:
    """A new interpreter that imports the public package has neither."""
    asked = "import sys, sesame_sdk; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert not loaded & {"sesame_retail", "sesame_social", "sesame_baihe", "requests", "sesame_sdk.plugins"}


def test_of_two_plugins_with_one_name_the_first_distribution_keeps_it(install: Callable[..., None]) -> None:
    """Which of the two is used follows from their names, never from the order on disk."""
    install("zebra", garden="nasty.on_call")
    install("aardvark", garden="good")
    gardens = [info for info in PluginRegistry.discover().infos if info.name == "garden"]
    assert [(info.distribution, info.state) for info in gardens] == [
        ("aardvark", PluginState.ACTIVE),
        ("zebra", PluginState.DISABLED),
    ]
    assert "entry point 'garden' is taken by aardvark" in gardens[1].reason


@pytest.mark.usefixtures("on_path")
def test_what_a_plugin_prints_while_loading_stays_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    """Stdout is for data; a print in an import must not break somebody's JSON."""

    class Entry:
        @property
        def SESAME_API(self) -> str:  # noqa: N802 - the attribute's name
            import_module("nasty.loud")
            return "1.0"

    assert PluginRegistry.from_modules({"loud": Entry()}).infos[0].state is PluginState.ACTIVE
    assert capsys.readouterr() == ("", "hello from the import\n")


@pytest.mark.usefixtures("on_path")
def test_the_manifest_says_what_the_plugin_declares() -> None:
    """Name, version, API, kinds and purposes of the distribution, and their digest."""
    good = import_module("good")
    manifest = PluginRegistry.from_modules({"garden": good}).manifest("garden")
    assert (manifest.name, manifest.version, manifest.api) == ("garden", "0", "1.0")
    assert manifest.kinds == (good.KEPT,)
    assert manifest.consumers == (good.Gate.declaration,)
    assert manifest.digest == manifest_digest(manifest)


def test_there_is_no_manifest_of_a_plugin_that_is_set_aside(install: Callable[..., None]) -> None:
    """A partner cannot join a hub with a plugin that does not work; the error says why it does not."""
    install("nasty-plugin", nasty="nasty.raises_on_import")
    with pytest.raises(ConfigurationError, match="plugin 'nasty': is disabled: import: RuntimeError"):
        PluginRegistry.discover().manifest("nasty")


@pytest.mark.usefixtures("on_path")
def test_nothing_of_a_plugin_that_is_set_aside_is_handed_out() -> None:
    """Two plugins bring the same; the second is disabled, and its rules and signers with it."""
    good = import_module("good")
    registry = PluginRegistry.from_modules({"first": good, "second": good})
    assert [info.state for info in registry.infos] == [PluginState.ACTIVE, PluginState.DISABLED]
    assert [rule.id for rule in registry.rules] == ["GRD-1"]
    assert [signer.kid for signer in registry.signers] == ["key-of-the-garden"]


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")], ids=["set aside first", "in use first"])
def test_a_name_means_the_provider_that_is_in_use(names: tuple[str, str]) -> None:
    """A refused plugin of the same provider name does not stand in its way, whichever loads first."""
    aside, used = names
    modules = {aside: import_module("nasty.refused_by_the_guard"), used: import_module("nasty.on_call")}
    registry = PluginRegistry.from_modules(modules)
    assert (plugin_info(registry, aside).state, plugin_info(registry, used).state) == (
        PluginState.DISABLED,
        PluginState.ACTIVE,
    )
    assert registry.provider("nasty").name == "nasty"
    assert registry.manifest(used).kinds == registry.provider("nasty").kinds


@pytest.mark.usefixtures("on_path")
@pytest.mark.parametrize("ask", ["provider", "consumer", "manifest"])
def test_asking_for_what_is_not_there_names_what_is(ask: str) -> None:
    """The error lists the names that would have worked, and which plugins are not in use."""
    registry = PluginRegistry.from_modules({"garden": import_module("good"), "other": object()})
    with pytest.raises(
        ConfigurationError, match=r"'gardn': unknown name; available: .*(garden|gate).*not in use: other"
    ):
        getattr(registry, ask)("gardn")
