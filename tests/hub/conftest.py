"""A hub of our own, a shop that sends to it, and the policy that weighs what the shop says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sesame_sdk.hub.hub import Hub
from tests.hub.fixtures import HUB, LATE, ORDER, Clock, Partner, kind, new_hub, policy, weighting

ORDERS = kind(ORDER)
LATES = kind(LATE)


@pytest.fixture
def clock() -> Clock:
    """The hub's clock, and the partners'."""
    return Clock()


@pytest.fixture
def hub_path(tmp_path: Path, database: str) -> Path:
    """The folder of a new hub, over each database product in turn."""
    return new_hub(tmp_path / "hub", issuer=HUB, database=database)


@pytest.fixture
def hub(hub_path: Path, clock: Clock) -> Iterator[Hub]:
    """An open hub."""
    with Hub.open(hub_path, clock=clock) as opened:
        yield opened


@pytest.fixture
def shop(hub: Hub, clock: Clock) -> Partner:
    """A shop that may say `ORDER` and `LATE`, and reads the retail score; with a policy that weighs both."""
    partner = Partner.join("https://shop.example", hub, clock, ORDERS, LATES, reads=["retail"])
    hub.set_policy(
        policy(
            weighting(ORDERS, half_life_days=30.0, expires_days=365.0),
            weighting(LATES, weight=-7.0, floor=-60.0, cap=0.0, half_life_days=90.0, expires_days=365.0),
        )
    )
    return partner
