"""Two hubs side by side, with the same clock and the same partners, who tell both the same."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.hub_stage import HUB, OpenHub
from sesame_sdk.testing.partner import Partner

ISSUERS = ("https://shop.example", "https://forum.example")


class TwoHubs(RuleBasedStateMachine):
    """What a comparison needs; the rules are in `lockstep`."""

    open_hubs: ClassVar[tuple[OpenHub, OpenHub]]

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.open = ExitStack()
        folder = Path(self.open.enter_context(TemporaryDirectory()))
        self.hubs: list[AnyHub] = []
        for number, open_hub in enumerate(type(self).open_hubs):
            self.hubs.append(self.open.enter_context(open_hub(folder / str(number), self.clock)))
        self.keys: list[list[SigningKey]] = []
        for issuer in ISSUERS:
            key = SigningKey.generate()
            for hub in self.hubs:
                hub.add_partner(issuer, [key.public_jwk])
            self.keys.append([key])

    def both(self, act: Callable[[AnyHub], Any]) -> Any:  # noqa: ANN401 - what the two agree on
        """Do it at both; they must say the same."""
        one, other = (_said(act, hub) for hub in self.hubs)
        assert one == other
        return one

    def partner(self, place: int, hub: AnyHub, key: int = 0) -> Partner:
        """A partner as it speaks to one of the two."""
        return Partner(ISSUERS[place], hub, HUB, self.clock, self.keys[place][key % len(self.keys[place])])

    def tell(self, place: int, message: bytes) -> None:
        """Send one message to both, and compare what the receipts say."""
        self.both(lambda hub: self.partner(place, hub).read_receipt(hub.receive(message)))

    def at(self, hour: float) -> datetime:
        """A moment, from now."""
        return self.clock.now + timedelta(hours=hour)


def _said(act: Callable[[AnyHub], Any], hub: AnyHub) -> Any:  # noqa: ANN401 - whatever was said
    """What a hub says: an answer, or its refusal by code and findings; its words are its own."""
    try:
        return "answered", act(hub)
    except GuardRefusedError as error:
        return "refused", sorted(error.findings, key=str)
    except InvalidInputError as error:
        return "rejected", error.code
