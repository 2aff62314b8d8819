"""``sesame outbox``: messages that are not delivered yet; ``sesame receipts``: proof of those that are."""

from contextlib import closing
from pathlib import Path

import attrs
import click

from sesame_sdk.cli.console import print_json, print_note, print_rows, progress_bar
from sesame_sdk.cli.options import config_option, json_option, open_client
from sesame_sdk.delivery.messages import DeadLetter, Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import InvalidInputError, RetryableError
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.dead_letters import describe

#: Pending messages that are listed; each is read whole to be listed.
MAX_LISTED = 100
#: Damaged messages that an error names.
MAX_NAMED = 10


@click.group()
def outbox() -> None:
    """List, show, deliver, redrive and discard messages."""


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
@click.argument("number", metavar="ID", type=int)
@json_option
def show(config_dir: Path, number: int, as_json: bool) -> None:
    """Show a message, without the people, values and times in it."""
    with closing(Outbox(PartnerConfig.load(config_dir).outbox)) as opened:
        described = describe(opened.read(number))
    if as_json:
        print_json(described)
        return
    row = attrs.asdict(described) | {"kinds": [f"{kind}: {n:,}" for kind, n in described.kinds.items()]}
    if described.issued_at is not None:
        row["issued_at"] = f"{described.issued_at:%Y-%m-%d %H:%M:%S} UTC"
    print_rows(
        [{"field": name, "value": value} for name, value in row.items() if value not in ("", None, [])]
    )


@outbox.command()
@config_option()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
def redrive(config_dir: Path, ids: tuple[int, ...]) -> None:
    """Queue dead letters again, once their cause is fixed.

    All of them, or those with an ID of: sesame outbox list. One that the hub can never accept as it is,
    because of its audience, its time or its key, is signed anew; its signals count once all the same.
    """
    with open_client(config_dir) as client, progress_bar("signals queued again") as bar:
        result = client.redrive(ids or None, progress=bar)
    anew = f", {result.signed_anew} of them signed anew" if result.signed_anew else ""
    print_note(f"queued {result.queued} dead letter(s) again{anew}; next: sesame outbox deliver")
    if result.damaged:
        numbers = ", ".join(map(str, result.damaged[:MAX_NAMED]))
        hint = "post their signals again, and discard them"
        raise InvalidInputError(f"{len(result.damaged)} damaged: {numbers}", field="dead letters", hint=hint)


@outbox.command()
@config_option()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="Delete every dead letter.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def discard(config_dir: Path, ids: tuple[int, ...], everything: bool, yes: bool) -> None:
    """Delete the dead letters with these IDs, or --all.

    Their signals count only if they are posted again.
    """
    if bool(ids) == everything:
        raise click.UsageError("Name the IDs to delete, or use --all.")
    with closing(Outbox(PartnerConfig.load(config_dir).outbox)) as opened:
        chosen = opened.find_dead(None if everything else ids)
        signals = sum(message.signal_count for message in chosen)
        question = f"Delete {len(chosen)} dead letter(s) with {signals:,} signal(s)?"
        if chosen and not yes:
            click.confirm(question, abort=True, err=True)
        # Those that were asked about: others may be rejected meanwhile.
        count = opened.discard([message.id for message in chosen])
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
                "corrected": receipt.corrected,
                "dropped": len(receipt.dropped),
                "reasons": tuple(sorted({str(dropped.reason) for dropped in receipt.dropped})),
            }
            for receipt in client.receipts()
        ]
    print_rows(rows, as_json=as_json, empty="no receipts yet")


def _row(message: Message | DeadLetter, state: str, code: str = "", reason: str = "") -> dict[str, object]:
    return {
        "id": message.id,
        "jti": message.jti,
        "state": state,
        "signals": message.signal_count,
        "code": code or None,
        "reason": reason or None,
    }
