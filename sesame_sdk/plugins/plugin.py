"""One plugin: imported, registered, called, and disabled when it fails.

Rules:
1. Whatever a plugin raises is caught here and named, `SystemExit`, a panic of Rust code and a cancellation
   too: a library may not end the program. `KeyboardInterrupt` is the user's and passes.
2. A `SesameError` raised during a call is an answer, and passes. Anything else disables the plugin.
3. Each plugin has a pluggy manager of its own. One manager calls its hooks together, and the first
   exception would discard the answers of all the others.
4. What a plugin prints while loading goes to stderr: stdout is for data.
5. The text of an exception raised while loading is shown: it is about code. The text of one raised
   during a call is not, because it may quote a person's value ("invalid literal: '17850'"): its type and
   place are shown, and ``--debug`` shows the rest through ``__cause__``.
"""

import difflib
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from enum import StrEnum
from functools import partial
from importlib.metadata import Distribution, distributions
from pathlib import PurePath
from traceback import extract_tb
from types import TracebackType
from typing import NoReturn, TypeVar

import pluggy
from attrs import frozen

from sesame_sdk import hookspecs
from sesame_sdk.errors import ConfigurationError, SesameError
from sesame_sdk.model.manifest import API_VERSION, ConsumerDeclaration
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.plugins.hook_results import HookResults, collect_results

T = TypeVar("T")
_MAX_TEXT = 300


@frozen
class Candidate:
    """A plugin that is not imported yet; `load` imports it and may raise anything."""

    name: str
    distribution: str
    version: str
    load: Callable[[], object]


def find_installed() -> tuple[Candidate, ...]:
    """Every installed plugin, sorted by name and distribution.

    `importlib.metadata.entry_points` fails for all of them if the metadata of one distribution is incomplete,
    as an interrupted pip leaves it. Of two distributions with one name, the first on the path counts.
    """
    named: dict[str, list[Candidate]] = {}
    for distribution in distributions():
        name, candidates = _from_distribution(distribution)
        named.setdefault(name, candidates)
    found = [candidate for candidates in named.values() for candidate in candidates]
    return tuple(sorted(found, key=lambda one: (one.name, one.distribution)))


def from_modules(modules: Mapping[str, object]) -> tuple[Candidate, ...]:
    """Plugins of a program that embeds the SDK, or of a test, which are not installed."""
    return tuple(_from_module(name, module) for name, module in sorted(modules.items()))


def _from_module(name: str, module: object) -> Candidate:
    return Candidate(name, name.lower(), str(getattr(module, "__version__", "0")), lambda: module)


def _from_distribution(distribution: Distribution) -> tuple[str, list[Candidate]]:
    """Its name, or its path if it has none, and its plugins."""
    path = str(getattr(distribution, "_path", "an unknown path"))
    try:
        entries = [entry for entry in distribution.entry_points if entry.group == hookspecs.PROJECT]
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file
        return path, [Candidate(PurePath(path).name, path, "0", partial(_raise_incomplete, path, str(error)))]
    try:
        name, version = distribution.metadata["Name"].lower(), str(distribution.version)
    except Exception as error:  # noqa: BLE001 - differs between versions of Python
        raising = partial(_raise_incomplete, path, type(error).__name__)
        return path, [Candidate(entry.name, path, "0", raising) for entry in entries]
    key = name.replace("_", "-").replace(".", "-")
    return key, [Candidate(entry.name, name, version, entry.load) for entry in entries]


def _raise_incomplete(path: str, why: str) -> NoReturn:
    raise ConfigurationError(f"incomplete metadata ({why})", field=path, hint="install the package again")


class PluginState(StrEnum):
    """Whether a plugin is in use, and if not, why."""

    ACTIVE = "active"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"


@frozen
class PluginInfo:
    """A plugin as ``sesame plugins`` lists it. An active one has no `reason`, one not imported no `api`."""

    name: str
    distribution: str
    version: str
    api: str
    kinds: tuple[SignalKind, ...]
    consumers: tuple[ConsumerDeclaration, ...]
    state: PluginState
    reason: str


class Plugin:
    """A candidate and its state."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.name = candidate.name
        self.state = PluginState.ACTIVE
        self.reason = ""
        self.api = ""
        self.results = HookResults()
        self._hooks = pluggy.PluginManager(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs)

    @property
    def active(self) -> bool:
        """Whether it may be called."""
        return self.state is PluginState.ACTIVE

    @property
    def info(self) -> PluginInfo:
        """What ``sesame plugins`` lists."""
        return PluginInfo(
            name=self.name,
            distribution=self.candidate.distribution,
            version=self.candidate.version,
            api=self.api,
            kinds=self.results.kinds,
            consumers=self.results.declarations,
            state=self.state,
            reason=self.reason,
        )

    @property
    def commands(self) -> pluggy.HookCaller:
        """Its hook that adds commands."""
        hook: pluggy.HookCaller = self._hooks.hook.sesame_cli_commands
        return hook

    def load(self) -> None:
        """Import and register it. If the plugin fails, `state` and `reason` say so; nothing is raised."""
        try:
            with redirect_stdout(sys.stderr):
                module = self._run("import", self.candidate.load)
                if self._check_api(module):
                    self._run("registration", lambda: self._register(module))
        except ConfigurationError as error:
            self.set_state(PluginState.DISABLED, str(error))

    def set_state(self, state: PluginState, reason: str) -> None:
        """Take it out of use, for a reason that is shown."""
        self.state, self.reason = state, reason

    def ensure_active(self) -> None:
        """Check that it may be called. Raises `ConfigurationError` if it is not in use, with the reason."""
        if not self.active:
            raise ConfigurationError(f"is {self.state}: {self.reason}", field=f"plugin {self.name!r}")

    def disable(self, reason: str) -> ConfigurationError:
        """Disable it after a failure; returns the error to raise."""
        self.set_state(PluginState.DISABLED, reason)
        return ConfigurationError(
            f"is disabled: {reason}",
            field=f"plugin {self.name!r}",
            hint="report it to its author, or exclude it",
        )

    def _run(self, action: str, function: Callable[[], T]) -> T:
        try:
            return function()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            text = str(error) if isinstance(error, SesameError) else describe_load_error(error)
            raise ConfigurationError(text, field=action) from error

    def _check_api(self, module: object) -> bool:
        declared = getattr(module, "SESAME_API", None)
        self.api = declared if isinstance(declared, str) else ""
        if _is_compatible(self.api):
            return True
        described = (
            f"was written for API {declared!r}" if declared is not None else "does not declare its API"
        )
        self.set_state(
            PluginState.INCOMPATIBLE,
            f'{described}; this SDK supports {API_VERSION} (SESAME_API = "{API_VERSION}")',
        )
        return False

    def _register(self, module: object) -> None:
        self._hooks.register(module, self.name)
        try:
            self._hooks.check_pending()
        except pluggy.PluginValidationError as error:
            callers = self._hooks.get_hookcallers(module) or []
            unknown = "; ".join(_unknown_hook(caller.name) for caller in callers if not caller.has_spec())
            raise ConfigurationError(unknown) from error
        self.results = collect_results(self._hooks.hook)


@frozen
class PluginCall:
    """A ``with`` block around a plugin's code: what it raises, except what is `allowed`, disables it."""

    _plugin: Plugin
    _action: str
    _allowed: tuple[type[BaseException], ...] = (SesameError,)

    def __enter__(self) -> None:
        self._plugin.ensure_active()

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, (KeyboardInterrupt, *self._allowed)):
            return
        # A generator of ours that is closed ends with one too; then no frame of the plugin raised it.
        if not isinstance(error, GeneratorExit) or (trace is not None and trace.tb_next is not None):
            described = f"{self._action} raised {describe_call_error(error)}"
            raise self._plugin.disable(described) from error


def describe_load_error(error: BaseException) -> str:
    """One line for an exception that a plugin raised before it handled data."""
    text = _one_line(error)
    return f"{type(error).__name__}: {text}" if text else describe_call_error(error)


def describe_call_error(error: BaseException) -> str:
    """One line for an exception that a plugin raised while it handled data: type and place, no text."""
    frames = extract_tb(error.__traceback__)
    place = (
        f"at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "at an unknown place"
    )
    return f"{type(error).__name__} {place}"


def _one_line(error: BaseException) -> str:
    try:
        lines = str(error).split("\n")
    except Exception:  # noqa: BLE001 - even an exception's own text is the plugin's code
        return ""
    return " ".join(line.strip() for line in lines if line.strip())[:_MAX_TEXT]


def _unknown_hook(name: str) -> str:
    known = [hook for hook in vars(hookspecs) if hook.startswith("sesame_")]
    close = difflib.get_close_matches(name, known, n=1)
    return f"unknown hook {name!r}" + (f", did you mean {close[0]!r}?" if close else "")


def _is_compatible(api: str) -> bool:
    """Same major version, and no newer minor version than ours."""
    major, dot, minor = api.partition(".")
    our_major, _, our_minor = API_VERSION.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        return False
    return int(major) == int(our_major) and int(minor) <= int(our_minor)
