"""A partner's file as signals, with a count of what became of each event.

Rules:
- Every event is counted once, and has a number: the first of the file is 1.
- What the provider keeps back, or says it cannot understand, stays here under its reason.
- A fault of the plugin or of the whole file ends the feed and is kept in `fault`, not raised: what was
  read before it is posted and told all the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import define, field

from sesame_sdk.errors import ConfigurationError, InvalidInputError, SesameError
from sesame_sdk.interfaces import SignalProvider, Skipped
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.signals import Signal


@define
class Held:
    """What was kept back for one reason."""

    items: int = 0
    records: int = 0
    amount: Decimal = Decimal(0)


@define
class SignalSource:
    """A file read through one provider, counted as it goes by.

    Attributes:
        events: how many were read.
        made: how many signals of each kind they became.
        kept_back: what stays with the partner, by reason.
        fault: why it ended before the file did.
    """

    provider: SignalProvider[Any]
    identity: Pseudonymizer
    events: int = 0
    made: Counter[str] = field(factory=Counter)
    kept_back: dict[str, Held] = field(factory=dict)
    fault: SesameError | None = None

    def signals(self, file: Path) -> Iterator[Signal]:
        """The signals of `file`, in its order."""
        at = 1
        try:
            for event in self.provider.read(file):
                self.events = at
                yield from self._counted(self._said(event))
                at += 1
        except ConfigurationError as error:
            self.fault = ConfigurationError(str(error), field=f"event {at} of {file.name}")
        except SesameError as error:
            self.fault = error

    def _said(self, event: object) -> Iterable[Signal | Skipped]:
        if isinstance(event, Skipped):
            return (event,)
        try:
            return self.provider.signals(event, self.identity)
        except InvalidInputError as error:
            # The message alone: it names the field and never carries a value.
            return (Skipped(": ".join(filter(None, ("rejected", error.field, error.message)))),)

    def _counted(self, said: Iterable[Signal | Skipped]) -> Iterator[Signal]:
        for item in said:
            if isinstance(item, Skipped):
                self._hold(item)
            else:
                self.made[item.kind] += 1
                yield item

    def _hold(self, item: Skipped) -> None:
        held = self.kept_back.setdefault(item.reason, Held())
        held.items += 1
        held.records += item.records
        held.amount += item.amount
