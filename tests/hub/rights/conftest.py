"""A shop with two people, and what they sent."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from attrs import frozen

from sesame_sdk import Signal
from sesame_sdk.hub.hub import Hub
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, Partner

Export = Callable[[str], Any]


@frozen
class Scenario:
    """A hub, a shop that sends to it and reads from it, and what ada and bob did there."""

    hub: Hub
    shop: Partner
    clock: Clock
    order: Signal
    late: Signal

    def points(self, person: str = "ada") -> float | None:
        """What the shop reads."""
        (score,) = self.shop.read(person)
        return score and score.points


@pytest.fixture
def scenario(hub: Hub, shop: Partner, clock: Clock) -> Scenario:
    """Ada kept an order and left an invoice unpaid; bob kept an order, in the same envelope."""
    for person in ("ada", "bob"):
        hub.add_grants(shop.grants(person, ORDER, LATE, reads="retail"))
    order, late = shop.signal("ada", "1"), shop.signal("ada", "2", LATE, at=NOON)
    shop.send(order, shop.signal("bob", "3"), late)
    return Scenario(hub, shop, clock, order, late)


@pytest.fixture
def export(hub: Hub) -> Export:
    """Everything about a person, as the hub writes it."""

    def export(person: str) -> Any:
        out = io.BytesIO()
        hub.rights.export(person, out)
        return json.loads(out.getvalue())

    return export
