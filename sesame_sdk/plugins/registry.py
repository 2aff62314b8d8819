"""Every plugin of this installation, and the objects that each of them registered.

Rules:
1. Plugins are imported on first use, each once.
2. Plugins load in order of their names. If two declare the same provider, kind, consumer or command, the
   first keeps it and the second is disabled, so that the result does not depend on chance.
3. A plugin whose kinds or consumers the guard refuses is disabled.
4. A plugin that fails is disabled with the reason, and the others stay in use.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

import click
from attrs import evolve

from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard, proposal_digest
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.codec import manifest_digest
from sesame_sdk.model.manifest import Manifest
from sesame_sdk.plugins.isolation import IsolatedConsumer, IsolatedProvider, IsolatedSigner, collect_commands
from sesame_sdk.plugins.plugin import Candidate, Plugin, PluginInfo, PluginState, find_installed, from_modules

T = TypeVar("T")


class PluginRegistry:
    """Finds plugins, and returns the objects that they registered, isolated."""

    def __init__(self, candidates: Iterable[Candidate], *, block: Iterable[str] = ()) -> None:
        self._candidates = tuple(candidates)
        self._block = frozenset(block)

    @classmethod
    def discover(cls, block: Iterable[str] = ()) -> "PluginRegistry":
        """The installed plugins except those named in `block`; they are imported on first use."""
        return cls(find_installed(), block=block)

    @classmethod
    def from_modules(cls, modules: Mapping[str, object], block: Iterable[str] = ()) -> "PluginRegistry":
        """Plugins that the caller imported itself, by name: for tests and embedding programs."""
        return cls(from_modules(modules), block=block)

    @property
    def infos(self) -> tuple[PluginInfo, ...]:
        """Every plugin, by name, with its current state."""
        return tuple(plugin.info for plugin in self._plugins)

    @property
    def rules(self) -> tuple[GuardRule, ...]:
        """Further guard rules. Not wrapped: the guard refuses when a rule raises, which is safer."""
        return tuple(rule for plugin in self._active for rule in plugin.results.rules)

    @property
    def signers(self) -> tuple[IsolatedSigner, ...]:
        """Signers of plugins."""
        return tuple(IsolatedSigner(plugin, one) for plugin in self._active for one in plugin.results.signers)

    def provider(self, name: str) -> IsolatedProvider:
        """The provider of that name; `ConfigurationError` if no plugin in use has it."""
        plugin, inner = self._find(
            "provider", name, ((p, one.name, one) for p in self._plugins for one in p.results.providers)
        )
        return IsolatedProvider(plugin, inner)

    def consumer(self, name: str) -> IsolatedConsumer:
        """The consumer whose declaration has that name; `ConfigurationError` if no plugin in use has it."""
        plugin, inner = self._find(
            "consumer",
            name,
            ((p, one.declaration.name, one) for p in self._plugins for one in p.results.consumers),
        )
        return IsolatedConsumer(plugin, inner)

    def add_commands(self, group: click.Group) -> None:
        """Let every plugin add its commands to `group`. One that fails is disabled; see `infos`."""
        for plugin in self._active:
            try:
                group.commands.update(collect_commands(plugin, group))
            except ConfigurationError:
                continue  # it is disabled, and `infos` has the reason

    def manifest(self, name: str) -> Manifest:
        """The declarations of the plugin with that entry point; `ConfigurationError` if it is not in use."""
        plugin, _ = self._find("plugin", name, ((p, p.name, None) for p in self._plugins))
        manifest = Manifest(
            name=plugin.candidate.distribution,
            version=plugin.candidate.version,
            api=plugin.api,
            kinds=plugin.results.kinds,
            consumers=plugin.results.declarations,
        )
        return evolve(manifest, digest=manifest_digest(manifest))

    @property
    def _active(self) -> tuple[Plugin, ...]:
        return tuple(plugin for plugin in self._plugins if plugin.active)

    @cached_property
    def _plugins(self) -> tuple[Plugin, ...]:
        taken: dict[str, str] = {}
        return tuple(self._load(Plugin(one), taken) for one in self._candidates)

    def _load(self, plugin: Plugin, taken: dict[str, str]) -> Plugin:
        """Load one; `taken` maps each declared name to the distribution that has it."""
        if plugin.name in self._block:
            plugin.set_state(PluginState.BLOCKED, "named in the block list")
            return plugin
        plugin.load()
        claims = (f"entry point {plugin.name!r}", *plugin.results.claims)
        if plugin.active and (claimed := next((claim for claim in claims if claim in taken), None)):
            plugin.set_state(PluginState.DISABLED, f"{claimed} is taken by {taken[claimed]}")
        if plugin.active and (refusal := _refusal(plugin)):
            plugin.set_state(PluginState.DISABLED, refusal)
        if plugin.active:
            taken.update(dict.fromkeys(claims, plugin.candidate.distribution))
        return plugin

    def _find(self, what: str, name: str, offered: Iterable[tuple[Plugin, str, T]]) -> tuple[Plugin, T]:
        """The object of that name, of a plugin in use."""
        known = sorted(offered, key=lambda one: (not one[0].active, one[1]))
        for plugin, named, inner in known:
            if named == name:
                plugin.ensure_active()
                return plugin, inner
        names = ", ".join(named for plugin, named, _ in known if plugin.active) or "none"
        inactive = ", ".join(plugin.name for plugin in self._plugins if not plugin.active)
        hint = f"not in use: {inactive}; see: sesame plugins" if inactive else "see: sesame plugins"
        raise ConfigurationError(f"unknown name; available: {names}", field=f"{what} {name!r}", hint=hint)


def _refusal(plugin: Plugin) -> str:
    """Why the guard refuses the plugin's declarations; empty if it does not. The hub checks them again.

    Only a hub knows what its operators approved, so that a proposed entry is checked here as an approved one.
    """
    proposed = [
        proposal_digest(kind.observation, kind.proposal) for kind in plugin.results.kinds if kind.proposal
    ]
    guard = Guard((), proposed)
    try:
        for kind in plugin.results.kinds:
            guard.admit_kind(kind)
        for declaration in plugin.results.declarations:
            guard.admit_consumer(declaration)
    except GuardRefusedError as refused:
        return f"refused by the guard: {refused}"
    return ""
