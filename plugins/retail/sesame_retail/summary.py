"""What became of a file: counted as it goes by, and shown in the end."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import click
from attrs import define, field

from sesame_retail.grouping.line_grouping import Order
from sesame_retail.kinds import KINDS, TENURE
from sesame_retail.provider import Orders
from sesame_sdk import Pseudonymizer, Signal, Skipped

_MOST_SUBJECTS = 100_000


@define
class Held:
    """What was kept back for one reason."""

    items: int = 0
    lines: int = 0
    amount: Decimal = Decimal(0)


@define
class Summary:
    """Counts.

    Attributes:
        provider: makes the signals.
        identity: the shop's.
        orders: how many there were, and returns and corrections.
        made: signals, by kind.
        kept_back: what stayed in the shop, by reason.
        sent: what the hub said of them, by its word.
        rejects: lines that went to the file of rejects.
        waiting: envelopes that are in the outbox still.
    """

    provider: Orders
    identity: Pseudonymizer
    orders: int = 0
    made: Counter[str] = field(factory=Counter)
    kept_back: dict[str, Held] = field(factory=dict)
    sent: Counter[str] = field(factory=Counter)
    rejects: int = 0
    waiting: int = 0

    def signals(self, events: Iterable[Order | Skipped]) -> Iterator[Signal]:
        """The signals of orders; what is kept back is counted."""
        before: dict[str, str] = {}
        made, identity, say, tenure = self.made, self.identity, self.provider.signals, TENURE.name
        for event in events:
            if isinstance(event, Skipped):
                self.hold(event)
                continue
            self.orders += 1
            for said in say(event, identity):
                if isinstance(said, Skipped):
                    self.hold(said)
                    continue
                kind = said.kind
                if kind == tenure:
                    # A month with several orders is the same signal again and again: the hub counts it once.
                    if before.get(said.subject) == said.id:
                        continue
                    if len(before) >= _MOST_SUBJECTS:
                        before.clear()
                    before[said.subject] = said.id
                made[kind] += 1
                yield said

    def hold(self, item: Skipped) -> None:
        """Count something that stays."""
        held = self.kept_back.setdefault(item.reason, Held())
        held.items += 1
        held.lines += item.records
        held.amount += item.amount

    def show(self, *, as_json: bool, title: str) -> None:
        """Print it on stdout."""
        if as_json:
            click.echo(json.dumps(self._as_data(), indent=2))
            return
        _print(title, ("what", "count", "lines", "amount"), self._rows(), right=(1, 2, 3))

    def _rows(self) -> Iterator[tuple[str, str, str, str]]:
        for kind, count in sorted(self.made.items()):
            yield f"made: {kind}", f"{count:,}", "", ""
        for reason, held in sorted(self.kept_back.items()):
            yield f"kept back: {reason}", f"{held.items:,}", f"{held.lines:,}", f"{held.amount:,.2f}"
        for word, count in sorted(self.sent.items()):
            if count:
                yield f"hub: {word}", f"{count:,}", "", ""
        if self.waiting:
            yield "in the outbox: envelopes that wait", f"{self.waiting:,}", "", ""

    def _as_data(self) -> dict[str, object]:
        return {
            "orders": self.orders,
            "signals": dict(self.made),
            "kept_back": {
                reason: {"items": held.items, "lines": held.lines, "amount": str(held.amount)}
                for reason, held in self.kept_back.items()
            },
            "sent": dict(self.sent),
            "rejects": self.rejects,
            "waiting": self.waiting,
        }


def show_signals(signals: Sequence[Signal]) -> None:
    """Print some signals on stdout."""
    units = {kind.name: kind.unit for kind in KINDS}
    rows = (
        (f"{one.occurred_at:%Y-%m-%d %H:%M}", one.kind, f"{one.value:,.2f}", units[one.kind], one.subject)
        for one in signals
    )
    title = f"the first {len(signals)} signals, as a hub would see them"
    _print(title, ("occurred at", "kind", "value", "unit", "of"), rows, right=(2,), wraps=False)


def _print(
    title: str,
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[int],
    wraps: bool = True,
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for at, name in enumerate(names):
        table.add_column(name, justify="right" if at in right else "left", no_wrap=not wraps)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 120
    Console(highlight=False, markup=False, width=width).print(table)
