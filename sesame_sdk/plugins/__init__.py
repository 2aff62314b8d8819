"""Finds, loads and calls plugins, and disables one that fails without affecting the others.

Other packages use `PluginRegistry` alone. It returns wrapped objects: no plugin is called unprotected.
"""

from sesame_sdk.plugins.plugin import PluginInfo, PluginState
from sesame_sdk.plugins.registry import PluginRegistry

__all__ = ["PluginInfo", "PluginRegistry", "PluginState"]
