"""What the registry tells of a plugin."""

from enum import StrEnum

from attrs import frozen

from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.signals import SignalKind


class PluginState(StrEnum):
    """What has become of a plugin."""

    ACTIVE = "active"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    BLOCKED = "blocked"


@frozen
class PluginInfo:
    """A plugin, as ``sesame plugins`` lists it.

    Attributes:
        name: its entry point's name: ``retail``.
        distribution: what pip knows it as: ``sesame-retail``.
        version: the distribution's version.
        api: the hook API it was written for; empty when it never came to say.
        kinds: what it may say.
        consumers: why it reads scores.
        state: whether it is in use.
        reason: why it is not; empty when it is.
    """

    name: str
    distribution: str
    version: str
    api: str
    kinds: tuple[SignalKind, ...]
    consumers: tuple[ConsumerDeclaration, ...]
    state: PluginState
    reason: str
