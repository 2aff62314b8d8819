"""Test tools for partners and for authors of plugins; they need the extra ``testing``.

    LocalHub          the real hub in this process; pytest has one as the fixture ``sesame_hub``
    Partner, Clock    sends to a hub in signed tokens; the time of both
    plugin_contract   one line that tests a plugin for all that the SDK requires of it
    strategies        kinds, signals, envelopes and policies that the guard allows, for Hypothesis
    sample_data       kinds and policies for examples

See ``docs/testing.md``. Importing this package imports none of them: pytest does so in every run.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sesame_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from sesame_sdk.testing import sample_data as sample_data
    from sesame_sdk.testing import strategies as strategies
    from sesame_sdk.testing.contract.suite import plugin_contract as plugin_contract
    from sesame_sdk.testing.hub import LocalHub as LocalHub
    from sesame_sdk.testing.partner import Clock as Clock
    from sesame_sdk.testing.partner import Partner as Partner
    from sesame_sdk.testing.partner import make_manifest as make_manifest

_MODULES = {
    "Clock": "partner",
    "LocalHub": "hub",
    "Partner": "partner",
    "make_manifest": "partner",
    "plugin_contract": "contract.suite",
    "sample_data": "sample_data",
    "strategies": "strategies",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for library in ("pytest", "hypothesis", "litestar"):
        if find_spec(library) is None:
            raise ConfigurationError(
                f"needs {library}", field="sesame_sdk.testing", hint="pip install sesame-sdk[testing]"
            )
    module = import_module(f"{__name__}.{_MODULES[name]}")
    return module if name == _MODULES[name] else getattr(module, name)


__all__ = ["Clock", "LocalHub", "Partner", "make_manifest", "plugin_contract", "sample_data", "strategies"]
