"""The real hub and the one in memory hold to one suite, and say the same to whatever is done to them."""

from hypothesis import HealthCheck, settings

from sesame_sdk.testing import Lockstep, hub_contract
from tests.testing.hubs import in_memory, on_disk

TestTheRealHub = hub_contract(on_disk)
TestTheHubInMemory = hub_contract(in_memory)


class _Both(Lockstep):
    open_hubs = (on_disk, in_memory)


TestLockstep = _Both.TestCase
TestLockstep.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
