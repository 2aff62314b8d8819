"""One plugin: imported, registered, called, and set aside the first time it breaks its word.

Rules:
1. Whatever a plugin raises is caught here and named, `SystemExit` too: a library may not end the
   program. `KeyboardInterrupt` is the user's and passes.
2. A `SesameError` raised during a call is an answer, and passes. Anything else sets the plugin aside.
3. Each plugin has a pluggy manager to itself. Hooks of one manager are called together, and the first
   exception would take the answers of all the others with it.
4. What a plugin prints while loading goes to stderr: stdout is for data.
"""

import difflib
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TypeVar

import pluggy

from sesame_sdk import hookspecs
from sesame_sdk.errors import ConfigurationError, SesameError
from sesame_sdk.model.manifest import API_VERSION
from sesame_sdk.plugins import error_text
from sesame_sdk.plugins.discovery import Candidate
from sesame_sdk.plugins.hook_results import HookResults, collect_results
from sesame_sdk.plugins.status import PluginInfo, PluginState

T = TypeVar("T")


class Plugin:
    """A candidate, and what came of it."""

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
        """What ``sesame plugins`` says of it."""
        found, offers = self.candidate, self.results
        return PluginInfo(
            name=self.name,
            distribution=found.distribution,
            version=found.version,
            api=self.api,
            kinds=offers.kinds,
            consumers=offers.declarations,
            state=self.state,
            reason=self.reason,
        )

    @property
    def commands(self) -> pluggy.HookCaller:
        """Its hook that adds commands."""
        hook: pluggy.HookCaller = self._hooks.hook.sesame_cli_commands
        return hook

    def load(self) -> None:
        """Import and register it. Never raises for what the plugin does; `state` and `why` tell."""
        try:
            with redirect_stdout(sys.stderr):
                module = self._while("import", self.candidate.load)
                if self._fits(module):
                    self._while("registration", lambda: self._register(module))
        except ConfigurationError as error:
            self.set_state(PluginState.DISABLED, str(error))

    def set_state(self, state: PluginState, why: str) -> None:
        """Take it out of use, for a reason that is shown."""
        self.state, self.reason = state, why

    def ensure_active(self) -> None:
        """Pass if it may be called.

        Raises:
            ConfigurationError: it is out of use; says why.
        """
        if not self.active:
            raise ConfigurationError(f"is {self.state}: {self.reason}", field=f"plugin {self.name!r}")

    def call(
        self,
        doing: str,
        function: Callable[[], T],
        *,
        passing: tuple[type[BaseException], ...] = (SesameError,),
    ) -> T:
        """Run a piece of the plugin that handles data.

        Args:
            doing: what it is about to do, for the message: ``retail.read()``.
            function: the piece.
            passing: exceptions that are answers, and pass.

        Raises:
            ConfigurationError: it raised something else and is now set aside, or it was so already.
        """
        self.ensure_active()
        try:
            return function()
        except passing:
            raise
        except (Exception, SystemExit) as error:
            raise self.disable(f"{doing} raised {error_text.describe_call_error(error)}") from error

    def disable(self, how: str) -> ConfigurationError:
        """Set it aside in mid-use; returns the error to raise."""
        self.set_state(PluginState.DISABLED, how)
        return ConfigurationError(
            f"is disabled: {how}", field=f"plugin {self.name!r}", hint="tell its author, or block it"
        )

    def _while(self, doing: str, function: Callable[[], T]) -> T:
        try:
            return function()
        except (Exception, SystemExit) as error:
            text = str(error) if isinstance(error, SesameError) else error_text.describe_load_error(error)
            raise ConfigurationError(text, field=doing) from error

    def _fits(self, module: object) -> bool:
        said = getattr(module, "SESAME_API", None)
        self.api = said if isinstance(said, str) else ""
        if _speaks(self.api):
            return True
        wrote = f"was written for API {said!r}" if said is not None else "does not say which API it is for"
        self.set_state(
            PluginState.INCOMPATIBLE,
            f'{wrote}, and this SDK speaks {API_VERSION} (SESAME_API = "{API_VERSION}")',
        )
        return False

    def _register(self, module: object) -> None:
        self._hooks.register(module, self.name)
        try:
            self._hooks.check_pending()
        except pluggy.PluginValidationError as error:
            raise ConfigurationError(self._unknown_hooks(module)) from error
        self.results = collect_results(self._hooks.hook)

    def _unknown_hooks(self, module: object) -> str:
        callers = self._hooks.get_hookcallers(module) or []
        known = [name for name in vars(hookspecs) if name.startswith("sesame_")]
        unknown = [caller.name for caller in callers if not caller.has_spec()]
        return "; ".join(_misspelt(name, known) for name in unknown)


def _misspelt(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"unknown hook {name!r}" + (f", did you mean {close[0]!r}?" if close else "")


def _speaks(api: str) -> bool:
    """Same major version, and no newer minor one than ours."""
    major, dot, minor = api.partition(".")
    ours_major, _, ours_minor = API_VERSION.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        return False
    return int(major) == int(ours_major) and int(minor) <= int(ours_minor)
