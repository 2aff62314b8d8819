"""``sesame outbox``: what waits, what the hub signed for, what it refused, and another try."""

from contextlib import closing
from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, note, progress, show
from sesame_sdk.cli.options import as_partner, client_of, load_home
from sesame_sdk.delivery.messages import DeadLetter, Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import RetryableError

#: Envelopes that are listed as waiting; each is read whole to be listed.
MOST_LISTED = 100


@click.group()
def outbox() -> None:
    """Look at what waits, at receipts and at dead letters; send or discard them."""


@outbox.command(name="list")
@as_partner
@as_json
def list_unsent(home: Path, as_json: bool) -> None:
    """List the envelopes that wait, and those that the hub refused for good, with the reason."""
    with closing(Outbox(load_home(home).outbox)) as held:
        waiting, dead, counts = held.pending(most=MOST_LISTED), held.dead_letters(), held.counts()
    rows = [_row(letter, "waiting") for letter in waiting]
    rows += [_row(letter, "dead", letter.code, letter.reason) for letter in dead]
    show(rows, as_json=as_json, empty="nothing waits, and there are no dead letters")
    if counts.pending > len(waiting):
        note(f"{counts.pending - len(waiting):,} more wait than are listed")


@outbox.command()
@as_partner
@as_json
def receipts(home: Path, as_json: bool) -> None:
    """List what the hub signed for, oldest first."""
    with client_of(home) as client:
        rows = [
            {
                "jti": receipt.jti,
                "received": f"{receipt.received_at:%Y-%m-%d %H:%M:%S}",
                "accepted": receipt.accepted,
                "duplicates": receipt.duplicates,
                "dropped": len(receipt.dropped),
                "why": tuple(sorted({str(dropped.reason) for dropped in receipt.dropped})),
            }
            for receipt in client.receipts()
        ]
    show(rows, as_json=as_json, empty="no receipts yet")


@outbox.command()
@as_partner
def deliver(home: Path) -> None:
    """Send what waits."""
    with client_of(home) as client, progress("signals delivered") as advance:
        delivery = client.deliver(progress=advance)
    note(f"sent {delivery.sent}, refused {delivery.dead}, still waiting {delivery.pending}")
    if delivery.pending:
        raise RetryableError(
            f"{delivery.pending} envelope(s) still wait", hint="is the hub up? try again later"
        )


@outbox.command()
@as_partner
def redrive(home: Path) -> None:
    """Put every dead letter back among what waits, once its cause is mended."""
    with client_of(home) as client:
        count = client.redrive()
    note(f"{count} envelope(s) wait again; next: sesame outbox deliver")


@outbox.command()
@as_partner
def discard(home: Path) -> None:
    """Give up every dead letter. Its signals count only if they are posted again."""
    with client_of(home) as client:
        count = client.discard()
    note(f"gave up {count} dead letter(s)")


def _row(letter: Message | DeadLetter, state: str, code: str = "", reason: str = "") -> dict[str, object]:
    return {
        "jti": letter.jti,
        "state": state,
        "signals": letter.signals,
        "code": code or None,
        "reason": reason or None,
    }
