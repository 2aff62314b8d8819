"""``sesame notices``: messages of hubs to partners about people: disputes, their outcomes, erasures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sesame_sdk.cli.console import print_deadlines, print_json, print_note, print_rows
from sesame_sdk.cli.options import config_option, hub_option, json_option, open_hub, utc_now
from sesame_sdk.partner.config import PartnerConfig

if TYPE_CHECKING:
    from sesame_sdk.partner.notices import Notice


@click.group()
def notices() -> None:
    """Fetch notices as a partner; list and export them at a hub."""


@notices.command()
@config_option()
@click.option("--no-ack", is_flag=True, help="Do not acknowledge the notices.")
@json_option
def fetch(config_dir: Path, no_ack: bool, as_json: bool) -> None:
    """Print new notices, and acknowledge them."""
    from sesame_sdk.partner.notices import Notices

    with Notices(PartnerConfig.load(config_dir)) as client:
        fetched = client.fetch()
        print_rows([_row(notice) for notice in fetched], as_json=as_json, empty="no new notices")
        sys.stdout.flush()  # the hub does not repeat what is acknowledged
        if not no_ack:
            client.acknowledge(fetched)


@notices.command(name="list")
@hub_option()
@json_option
def list_pending(hub_dir: Path, as_json: bool) -> None:
    """List unfetched notices with their deadlines."""
    today = utc_now().date()
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "deadline_status": str(pending.deadline.status(today)),
                "partner": pending.partner,
                "event": pending.event.rpartition(":")[2],
                "notices": pending.count,
                "due": str(pending.deadline.due),
            }
            for pending in hub.rights.pending_notices()
        ]
    if as_json:
        print_json(rows)
    else:
        print_deadlines(rows, empty="no pending notices")


@notices.command()
@hub_option()
@click.argument("partner")
@click.option("--mark-delivered", is_flag=True, help="Record that the partner has received them.")
def export(hub_dir: Path, partner: str, mark_delivered: bool) -> None:
    """Print PARTNER's notices as signed tokens.

    One token a line, to be delivered through another channel.
    """
    with open_hub(hub_dir) as hub:
        tokens = hub.rights.export_notices(partner, mark_delivered=mark_delivered)
    for token in tokens:
        click.echo(token.decode())
    print_note(f"{len(tokens)} notice(s)" + (", marked as delivered" if mark_delivered else ""))


def _row(notice: "Notice") -> dict[str, Any]:
    event: dict[str, Any] = msgspec.to_builtins(notice.payload)
    return {
        "event": notice.event.rpartition(":")[2],
        "issued_at": f"{notice.issued_at:%Y-%m-%d %H:%M}",
        "subject": notice.subject,
        **{name: event.get(name) for name in ("signal", "kind", "outcome", "decision_due", "statement")},
    }
