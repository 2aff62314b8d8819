"""Every plugin of this installation, and what each of them offers.

Rules:
1. Nothing is imported until the first question is asked, and then each plugin once.
2. Plugins load by name, in order. Where two claim one provider, kind, consumer or command, the first
   keeps it and the second is set aside: which of them wins must not depend on luck.
3. What the guard refuses to hear or to serve is set aside: its first and third doors stand here too.
4. One that fails is set aside with its reason, and the rest go on.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

import click
from attrs import evolve

from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.plugins import discovery
from sesame_sdk.plugins.commands import collect_commands
from sesame_sdk.plugins.discovery import Candidate
from sesame_sdk.plugins.isolation import IsolatedConsumer, IsolatedProvider, IsolatedSigner
from sesame_sdk.plugins.plugin import Plugin
from sesame_sdk.plugins.status import PluginInfo, PluginState

T = TypeVar("T")


class PluginRegistry:
    """Finds plugins, and hands out what they offer, guarded."""

    def __init__(self, found: Iterable[Candidate], *, block: Iterable[str] = ()) -> None:
        self._found = tuple(found)
        self._block = frozenset(block)

    @classmethod
    def discover(cls, block: Iterable[str] = ()) -> "PluginRegistry":
        """The plugins that are installed. Reads metadata only; the first question imports them.

        Args:
            block: names of entry points that must not be imported.
        """
        return cls(discovery.find_installed(), block=block)

    @classmethod
    def from_modules(cls, modules: Mapping[str, object], block: Iterable[str] = ()) -> "PluginRegistry":
        """Plugins that the caller imported itself, by name: for tests, and for embedding."""
        return cls(discovery.from_modules(modules), block=block)

    @property
    def infos(self) -> tuple[PluginInfo, ...]:
        """Every plugin that was found, by name, with its state now."""
        return tuple(plugin.info for plugin in self._plugins)

    @property
    def rules(self) -> tuple[GuardRule, ...]:
        """Further guard rules. Not wrapped: the guard refuses when a rule raises, which is safer."""
        return tuple(rule for plugin in self._active for rule in plugin.results.rules)

    @property
    def signers(self) -> tuple[IsolatedSigner, ...]:
        """Keys that live elsewhere."""
        return tuple(IsolatedSigner(plugin, one) for plugin in self._active for one in plugin.results.signers)

    def provider(self, name: str) -> IsolatedProvider:
        """The provider of that name.

        Raises:
            ConfigurationError: there is none, or its plugin is out of use.
        """
        plugin, inner = self._find(
            "provider", name, ((p, one.name, one) for p in self._plugins for one in p.results.providers)
        )
        return IsolatedProvider(plugin, inner)

    def consumer(self, name: str) -> IsolatedConsumer:
        """The consumer whose declaration has that name.

        Raises:
            ConfigurationError: there is none, or its plugin is out of use.
        """
        plugin, inner = self._find(
            "consumer",
            name,
            ((p, one.declaration.name, one) for p in self._plugins for one in p.results.consumers),
        )
        return IsolatedConsumer(plugin, inner)

    def add_commands(self, group: click.Group) -> None:
        """Let every plugin add its commands to `group`. One that fails is set aside; see `infos`."""
        for plugin in self._active:
            try:
                group.commands.update(collect_commands(plugin, group))
            except ConfigurationError:
                continue  # it is set aside, and says why

    def manifest(self, name: str) -> Manifest:
        """What the plugin with that entry point declares, as its partner signs it when joining a hub.

        Raises:
            ConfigurationError: there is no such plugin, or it is out of use.
        """
        plugin, _ = self._find("plugin", name, ((p, p.name, None) for p in self._plugins))
        return _manifest(plugin)

    @property
    def _active(self) -> tuple[Plugin, ...]:
        return tuple(plugin for plugin in self._plugins if plugin.active)

    @cached_property
    def _plugins(self) -> tuple[Plugin, ...]:
        taken: dict[str, str] = {}
        return tuple(self._load(Plugin(one), taken) for one in self._found)

    def _load(self, plugin: Plugin, taken: dict[str, str]) -> Plugin:
        """Load one; `taken` says which plugin holds which claim so far."""
        if plugin.name in self._block:
            plugin.set_state(PluginState.BLOCKED, "named in the block list")
            return plugin
        plugin.load()
        claims = (f"entry point {plugin.name!r}", *plugin.results.claims)
        if plugin.active and (held := next((claim for claim in claims if claim in taken), None)):
            plugin.set_state(PluginState.DISABLED, f"{held} is taken by {taken[held]}")
        if plugin.active and (refusal := _refusal(plugin)):
            plugin.set_state(PluginState.DISABLED, refusal)
        if plugin.active:
            taken.update(dict.fromkeys(claims, plugin.candidate.distribution))
        return plugin

    def _find(self, what: str, name: str, offered: Iterable[tuple[Plugin, str, T]]) -> tuple[Plugin, T]:
        """The one of that name, of a plugin in use; where there is none, say why not."""
        known = sorted(offered, key=lambda one: (not one[0].active, one[1]))
        for plugin, named, inner in known:
            if named == name:
                plugin.ensure_active()
                return plugin, inner
        names = ", ".join(named for plugin, named, _ in known if plugin.active) or "none"
        aside = ", ".join(plugin.name for plugin in self._plugins if not plugin.active)
        hint = f"not in use: {aside}; see: sesame plugins" if aside else "see: sesame plugins"
        raise ConfigurationError(
            f"there is none of that name, but: {names}", field=f"{what} {name!r}", hint=hint
        )


def _refusal(plugin: Plugin) -> str:
    """What the guard has against the plugin's declarations. The hub asks it again, with its own rules."""
    guard = Guard()
    try:
        for kind in plugin.results.kinds:
            guard.admit_kind(kind)
        for declaration in plugin.results.declarations:
            guard.admit_consumer(declaration)
    except GuardRefusedError as refused:
        return f"refused by the guard: {refused}"
    return ""


def _manifest(plugin: Plugin) -> Manifest:
    made = Manifest(
        name=plugin.candidate.distribution,
        version=plugin.candidate.version,
        api=plugin.api,
        kinds=plugin.results.kinds,
        consumers=plugin.results.declarations,
    )
    return evolve(made, digest=manifest_digest(made))
