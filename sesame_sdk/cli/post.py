"""``sesame post``: a partner's file becomes signals, goes into the outbox, and from there to the hub."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import click
from attrs import define, field, frozen

from sesame_sdk.cli.console import as_json, emit, note, progress, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import as_partner, client_of, load_home
from sesame_sdk.errors import Retryable
from sesame_sdk.interfaces import KeptBack, SignalProvider
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.model.identity import Identity
from sesame_sdk.model.signal import Signal

#: Signals that go into the outbox before it is emptied: bounds its size, whatever the file's.
ROUND = 100_000
#: What a partner can do about signals that the hub dropped.
HINTS = {
    DropReason.KIND_NOT_REGISTERED: "join with the plugin first: sesame register",
    DropReason.NO_GRANT: "only people who said yes count; that is as it should be",
    DropReason.VALUE_AGAINST_POLARITY: "the plugin sends a value below zero for a kind that may only reward",
    DropReason.IN_THE_FUTURE: "look at this machine's clock",
}


@define
class Held:
    """What was kept back for one reason."""

    items: int = 0
    records: int = 0
    amount: Decimal = Decimal(0)


@define
class Tally:
    """What became of a file: every event is counted once, as sent or as kept back."""

    events: int = 0
    signals: Counter[str] = field(factory=Counter)
    kept_back: dict[str, Held] = field(factory=dict)

    def hold(self, item: KeptBack) -> None:
        """Count something that stays with the partner."""
        held = self.kept_back.setdefault(item.reason, Held())
        held.items += 1
        held.records += item.records
        held.amount += item.amount


@define
class Outcome:
    """What the hub made of the signals, over all rounds."""

    sent: int = 0
    dead: int = 0
    pending: int = 0
    why: str = ""
    accepted: int = 0
    duplicates: int = 0
    dropped: Counter[DropReason] = field(factory=Counter)


@frozen
class Feed:
    """A file read through one provider, counted as it goes by."""

    provider: SignalProvider[Any]
    identity: Identity
    tally: Tally

    def signals(self, file: Path) -> Iterator[Signal]:
        """The signals of `file`, in its order; what is kept back goes into the tally only."""
        for event in self.provider.read(file):
            self.tally.events += 1
            kept = isinstance(event, KeptBack)
            made = [event] if kept else self.provider.signals(event, self.identity)
            for item in made:
                if isinstance(item, KeptBack):
                    self.tally.hold(item)
                else:
                    self.tally.signals[item.kind] += 1
                    yield item


@click.command()
@as_partner
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--provider", required=True, help="Which plugin's provider reads the file; see: sesame plugins."
)
@as_json
@click.pass_context
def post(ctx: click.Context, home: Path, file: Path, provider: str, as_json: bool) -> None:
    """Turn a partner's file into signals and send them.

    Sending the same file again is harmless: the ids are derived from it, so nothing counts twice.
    """
    feed = Feed(registry(ctx).provider(provider), load_home(home).identity, Tally())
    outcome = _send(home, feed, file)
    if as_json:
        emit(_as_data(feed.tally, outcome))
    else:
        _print(feed.tally, outcome)
    for why in outcome.dropped:
        note(f"dropped, {why}: {HINTS[why]}")
    if outcome.pending:
        raise Retryable(
            f"{outcome.pending} envelope(s) wait in the outbox: {outcome.why}",
            mend=f"sesame outbox deliver --as {home}",
        )
    if outcome.dead:
        note(f"{outcome.dead} envelope(s) were refused for good; see: sesame outbox list")


def _send(home: Path, feed: Feed, file: Path) -> Outcome:
    outcome = Outcome()
    signals = feed.signals(file)
    with client_of(home) as client, progress("signals delivered") as advance:
        while batch := list(islice(signals, ROUND)):
            client.post(batch)
            delivery = client.deliver(progress=advance)
            outcome.sent += delivery.sent
            outcome.dead += delivery.dead
            outcome.pending, outcome.why = delivery.pending, delivery.why
            outcome.accepted += delivery.accepted
            outcome.duplicates += delivery.duplicates
            outcome.dropped.update(delivery.dropped)
            if delivery.pending:
                break  # the hub does not answer; what is left of the file can be posted again later
    return outcome


def _as_data(tally: Tally, outcome: Outcome) -> dict[str, object]:
    return {
        "events": tally.events,
        "signals": dict(tally.signals),
        "kept_back": {
            reason: {"items": held.items, "records": held.records, "amount": str(held.amount)}
            for reason, held in tally.kept_back.items()
        },
        "envelopes": {"sent": outcome.sent, "dead": outcome.dead, "pending": outcome.pending},
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "dropped": {str(why): count for why, count in outcome.dropped.items()},
    }


def _print(tally: Tally, outcome: Outcome) -> None:
    rows = [_row(f"sent: {kind}", count) for kind, count in sorted(tally.signals.items())]
    rows += [
        _row(f"kept back: {reason}", held.items, held.records, f"{held.amount:,.2f}")
        for reason, held in sorted(tally.kept_back.items())
    ]
    rows.append(_row("hub: accepted", outcome.accepted))
    rows.append(_row("hub: had them already", outcome.duplicates))
    rows += [_row(f"hub: dropped, {why}", count) for why, count in outcome.dropped.items()]
    show(rows, as_json=False, title=f"{tally.events:,} events in {outcome.sent} envelope(s)")


def _row(what: str, count: int, records: int | None = None, amount: str | None = None) -> dict[str, object]:
    return {"what": what, "count": count, "records": records, "amount": amount}
