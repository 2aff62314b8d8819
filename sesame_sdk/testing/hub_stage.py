"""The stage of a hub's suite: a new hub with two policies, a shop that speaks to it, two people."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import pytest

from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.partner import Partner, manifest
from sesame_sdk.testing.sample_data import BENEFITS, LATE, ORDER, POSTS, PURCHASES, RETAIL, reading

HUB: Final = "https://hub.example"
#: Opens a hub of the issuer `HUB` with this clock; it may keep files in this folder.
OpenHub: TypeAlias = Callable[[Path, Callable[[], datetime]], AbstractContextManager[AnyHub]]


class OnStage:
    """Fixtures; the tests are in the classes that inherit it."""

    open_hub: ClassVar[OpenHub]

    @pytest.fixture
    def clock(self) -> Clock:
        """The hub's, and the partners'."""
        return Clock()

    @pytest.fixture
    def hub(self, tmp_path: Path, clock: Clock) -> Iterator[AnyHub]:
        """A new hub with two policies."""
        with type(self).open_hub(tmp_path, clock) as opened:
            opened.set_policy(PURCHASES)
            opened.set_policy(POSTS)
            yield opened

    @pytest.fixture
    def shop(self, hub: AnyHub, clock: Clock) -> Partner:
        """Says `ORDER` and `LATE`, and reads the retail score; ada and bob let it do so."""
        told = manifest((ORDER, LATE), reading(RETAIL))
        partner = Partner("https://shop.example", hub, HUB, clock).join(told)
        for person in ("ada", "bob"):
            hub.add_grants([partner.lets_send(person, ORDER.name)])
            hub.add_grants([partner.lets_read(person, BENEFITS, RETAIL)])
        return partner

    def points(self, partner: Partner, *persons: str) -> list[float | None]:
        """What the partner reads of the retail score."""
        found = partner.read(*persons, purpose=BENEFITS, context=RETAIL)
        return [score.points if score else None for score in found]
