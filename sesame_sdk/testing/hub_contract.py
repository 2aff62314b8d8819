"""What any hub must do, as a suite: the real hub and `MemoryHub` both run it, so that they stay one.

Somebody who writes another hub applies it in a line: ``TestMine = hub_contract(open_my_hub)``.
"""

from sesame_sdk.testing.hub_reading import Reading
from sesame_sdk.testing.hub_sending import Sending
from sesame_sdk.testing.hub_stage import OpenHub


class HubContract(Sending, Reading):
    """One test for each thing that partners and people rely on."""


def hub_contract(open_hub: OpenHub) -> type[HubContract]:
    """A pytest class that holds a hub to the contract.

    Args:
        open_hub: gives a new, empty hub each time, as a context manager; called with a folder that the
            hub may use, and the clock that it must go by. Its issuer is `hub_stage.HUB`.
    """
    return type("HubContract", (HubContract,), {"open_hub": staticmethod(open_hub)})
