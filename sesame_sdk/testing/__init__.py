"""What plugin authors test with; needs the extra ``testing``, and no hub.

    plugin_contract   one line that holds a plugin to all that the SDK asks of it
    MemoryHub         a hub in memory, and `client_of`, which reaches it with no network
    strategies        kinds, signals, envelopes and policies that the guard passes, for Hypothesis
    hub_contract      one line that holds a hub to what the real one does; `Lockstep` compares two
    Partner, Clock    who speaks to a hub, and when

See ``docs/testing.md``.
"""

from importlib.util import find_spec

from sesame_sdk.errors import ConfigurationError

for _library in ("pytest", "hypothesis"):
    if find_spec(_library) is None:
        raise ConfigurationError(
            f"needs {_library}", field="sesame_sdk.testing", hint="pip install sesame-sdk[testing]"
        )

import pytest  # noqa: E402 - the same

# What fails in a suite is then shown as pytest shows it in a test of one's own.
for _suite in ("hub_sending", "hub_reading", "two_hubs"):
    pytest.register_assert_rewrite(f"sesame_sdk.testing.{_suite}")

from sesame_sdk.testing import strategies  # noqa: E402 - not before pytest is known to be there
from sesame_sdk.testing.any_hub import AnyHub  # noqa: E402
from sesame_sdk.testing.clock import Clock  # noqa: E402
from sesame_sdk.testing.contract.suite import plugin_contract  # noqa: E402
from sesame_sdk.testing.hub_contract import hub_contract  # noqa: E402
from sesame_sdk.testing.in_memory_transport import Carrier, client_of  # noqa: E402
from sesame_sdk.testing.lockstep import Lockstep  # noqa: E402
from sesame_sdk.testing.memory.hub import MemoryHub  # noqa: E402
from sesame_sdk.testing.partner import IDENTITY, Partner, manifest  # noqa: E402

__all__ = [
    "IDENTITY",
    "AnyHub",
    "Carrier",
    "Clock",
    "Lockstep",
    "MemoryHub",
    "Partner",
    "client_of",
    "hub_contract",
    "manifest",
    "plugin_contract",
    "strategies",
]
