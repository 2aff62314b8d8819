"""``sesame post``: a partner's file becomes signals, goes into the outbox, and from there to the hub."""

from collections.abc import Iterator
from pathlib import Path

import click

from sesame_sdk.cli.console import print_json, print_note, print_rows, progress_bar
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import config_option, json_option, open_client
from sesame_sdk.cli.signal_source import SignalSource
from sesame_sdk.cli.upload import SignalUploader
from sesame_sdk.errors import InvalidInputError, RetryableError, SesameError
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.partner.config import PartnerConfig

#: What a partner can do about signals that the hub dropped.
HINTS = {
    DropReason.KIND_NOT_REGISTERED: "join with the plugin first: sesame registrations add",
    DropReason.NO_GRANT: "only people who said yes count; that is as it should be",
    DropReason.VALUE_AGAINST_POLARITY: "the plugin sends a value below zero for a kind that may only reward",
    DropReason.VALUE_OUT_OF_RANGE: "the plugin sends a value beyond a billion",
    DropReason.IN_THE_FUTURE: "look at this machine's clock",
    DropReason.TOO_LONG_AGO: "the plugin reads dates wrongly: these are before 1970",
}


@click.command()
@config_option()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--provider", required=True, help="Which plugin's provider reads the file; see: sesame plugins."
)
@json_option
@click.pass_context
def post(ctx: click.Context, config_dir: Path, file: Path, provider: str, as_json: bool) -> None:
    """Turn a partner's file into signals and send them.

    Sending the same file again is harmless: the ids are derived from it, so nothing counts twice.
    """
    feed = SignalSource(registry(ctx).provider(provider), PartnerConfig.load(config_dir).identity)
    with open_client(config_dir) as client, progress_bar("signals delivered") as advance:
        errand = SignalUploader(client, advance)
        errand.run(feed.signals(file))
    if feed.fault and not feed.events:
        raise feed.fault  # nothing was read, so there is nothing to tell
    if as_json:
        print_json(_as_data(feed, errand))
    else:
        title = f"{feed.events:,} events in {errand.sent} envelope(s)"
        print_rows(list(_rows(feed, errand)), as_json=False, title=title)
    for why in errand.dropped:
        print_note(f"dropped, {why}: {HINTS[why]}")
    faults = list(_faults(feed, errand, config_dir))
    for fault in faults[1:]:
        print_note(str(fault))
    if faults:
        raise faults[0]


def _faults(feed: SignalSource, errand: SignalUploader, config_dir: Path) -> Iterator[SesameError]:
    """What went wrong, worst first: the first makes the exit code."""
    if feed.fault:
        yield feed.fault
    if errand.fault:
        yield errand.fault
    if errand.dead:
        yield InvalidInputError(
            f"the hub refused {errand.dead} envelope(s) for good: {'; '.join(errand.refusals)}",
            hint=f"see: sesame outbox list --config {config_dir}",
        )
    if errand.full:
        yield RetryableError(
            f"the outbox is full: {feed.events} events were read, the rest of the file was not; {errand.why}",
            hint="run the same command again later; nothing is counted twice",
        )
    elif errand.pending and errand.elsewhere:
        yield RetryableError(
            f"{errand.pending} envelope(s) are kept, and go with the delivery that another process is at",
            hint=f"if they still wait afterwards: sesame outbox deliver --config {config_dir}",
        )
    elif errand.pending:
        yield RetryableError(
            f"{errand.pending} envelope(s) wait in the outbox: {errand.why}",
            hint=f"sesame outbox deliver --config {config_dir}",
        )


def _as_data(feed: SignalSource, errand: SignalUploader) -> dict[str, object]:
    return {
        "complete": not (feed.fault or errand.full),
        "events": feed.events,
        "signals": dict(feed.made),
        "kept_back": {
            reason: {"items": held.items, "records": held.records, "amount": str(held.amount)}
            for reason, held in feed.kept_back.items()
        },
        "envelopes": {"sent": errand.sent, "dead": errand.dead, "pending": errand.pending},
        "accepted": errand.accepted,
        "duplicates": errand.duplicates,
        "dropped": {str(why): count for why, count in errand.dropped.items()},
    }


def _rows(feed: SignalSource, errand: SignalUploader) -> Iterator[dict[str, object]]:
    for kind, count in sorted(feed.made.items()):
        yield _row(f"made: {kind}", count)
    for reason, held in sorted(feed.kept_back.items()):
        yield _row(f"kept back: {reason}", held.items, held.records, f"{held.amount:,.2f}")
    yield _row("hub: accepted", errand.accepted)
    yield _row("hub: counted once already", errand.duplicates)
    for why, many in errand.dropped.items():
        yield _row(f"hub: dropped, {why}", many)


def _row(what: str, count: int, records: int | None = None, amount: str | None = None) -> dict[str, object]:
    return {"what": what, "count": count, "records": records, "amount": amount}
