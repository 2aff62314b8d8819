"""``sesame outbox``: messages that are not delivered yet; ``sesame receipts``: proof of those that are."""

from contextlib import closing
from pathlib import Path

import click

from sesame_sdk.cli.console import print_note, print_rows, progress_bar
from sesame_sdk.cli.options import config_option, json_option, open_client
from sesame_sdk.delivery.messages import DeadLetter, Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import RetryableError
from sesame_sdk.partner.config import PartnerConfig

#: Pending messages that are listed; each is read whole to be listed.
MAX_LISTED = 100


@click.group()
def outbox() -> None:
    """List, deliver, redrive and discard messages."""


@outbox.command(name="list")
@config_option()
@json_option
def list_messages(config_dir: Path, as_json: bool) -> None:
    """List pending messages and dead letters."""
    with closing(Outbox(PartnerConfig.load(config_dir).outbox)) as opened:
        pending, dead, counts = opened.fetch_pending(limit=MAX_LISTED), opened.dead_letters(), opened.counts()
    rows = [_row(message, "pending") for message in pending]
    rows += [_row(letter, "dead_lettered", letter.code, letter.reason) for letter in dead]
    print_rows(rows, as_json=as_json, empty="no pending messages and no dead letters")
    if counts.pending > len(pending):
        print_note(f"{counts.pending - len(pending):,} more are pending")


@outbox.command()
@config_option()
def deliver(config_dir: Path) -> None:
    """Send the pending messages."""
    with open_client(config_dir) as client, progress_bar("signals delivered") as bar:
        delivery = client.deliver(progress=bar)
    print_note(f"sent {delivery.sent}, rejected {delivery.dead}, still pending {delivery.pending}")
    if delivery.pending:
        raise RetryableError(
            f"{delivery.pending} message(s) are still pending", hint="is the hub up? try again later"
        )


@outbox.command()
@config_option()
def redrive(config_dir: Path) -> None:
    """Queue all dead letters again, once their cause is fixed."""
    with open_client(config_dir) as client:
        count = client.redrive()
    print_note(f"queued {count} dead letter(s) again; next: sesame outbox deliver")


@outbox.command()
@config_option()
def discard(config_dir: Path) -> None:
    """Delete all dead letters.

    Their signals count only if they are posted again.
    """
    with open_client(config_dir) as client:
        count = client.discard()
    print_note(f"deleted {count} dead letter(s)")


@click.group()
def receipts() -> None:
    """List the hub's receipts."""


@receipts.command(name="list")
@config_option()
@json_option
def list_receipts(config_dir: Path, as_json: bool) -> None:
    """List the hub's signed receipts, oldest first."""
    with open_client(config_dir) as client:
        rows = [
            {
                "jti": receipt.jti,
                "received_at": f"{receipt.received_at:%Y-%m-%d %H:%M:%S}",
                "accepted": receipt.accepted,
                "duplicates": receipt.duplicates,
                "dropped": len(receipt.dropped),
                "reasons": tuple(sorted({str(dropped.reason) for dropped in receipt.dropped})),
            }
            for receipt in client.receipts()
        ]
    print_rows(rows, as_json=as_json, empty="no receipts yet")


def _row(message: Message | DeadLetter, state: str, code: str = "", reason: str = "") -> dict[str, object]:
    return {
        "jti": message.jti,
        "state": state,
        "signals": message.signal_count,
        "code": code or None,
        "reason": reason or None,
    }
