"""Plugins: found, loaded, called, and set aside one at a time.

`PluginRegistry` is the one thing that the rooms above need. What it hands out is wrapped, so that
nobody can call a plugin unguarded by mistake.
"""

from sesame_sdk.plugins.registry import PluginRegistry
from sesame_sdk.plugins.status import PluginInfo, PluginState

__all__ = ["PluginInfo", "PluginRegistry", "PluginState"]
