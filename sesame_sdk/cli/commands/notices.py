"""``sesame notices``: what hubs tell partners of people: disputes, their results, erasures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from sesame_sdk.cli import overdue
from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import as_partner, at_hub, hub_at, load_home, now

if TYPE_CHECKING:
    from sesame_sdk.partner.notices import Notice


@click.group()
def notices() -> None:
    """Fetch a partner's notices of disputes and erasures, or look at what a hub owes."""


@notices.command()
@as_partner
@click.option("--keep", is_flag=True, help="Only look: do not acknowledge them.")
@as_json
def fetch(home: Path, keep: bool, as_json: bool) -> None:
    """Print what the hub has to tell, as a partner, and acknowledge it once it is printed."""
    from sesame_sdk.partner.notices import Notices

    with Notices.at(load_home(home)) as box:
        found = box.fetch()
        show([_row(one) for one in found], as_json=as_json, empty="nothing new")
        sys.stdout.flush()  # what is acknowledged is not told again
        if not keep:
            box.acknowledge(found)


@notices.command(name="list")
@at_hub
@as_json
def list_owed(hub_path: Path, as_json: bool) -> None:
    """List what partners were not told yet, and by when they have to be (at the hub)."""
    today = now().date()
    with hub_at(hub_path) as hub:
        rows = [
            {
                "standing": str(owed.deadline.standing(today)),
                "partner": owed.partner,
                "of": owed.event.rpartition(":")[2],
                "notices": owed.many,
                "by the end of": str(owed.deadline.due),
            }
            for owed in hub.rights.owed()
        ]
    if as_json:
        emit(rows)
    else:
        overdue.show(rows, empty="every partner knows what it has to")


@notices.command()
@at_hub
@click.argument("partner")
@click.option(
    "--told", is_flag=True, help="The partner has them by now: write that down, and owe them no more."
)
def give(hub_path: Path, partner: str, told: bool) -> None:
    """Print PARTNER's notices, one signed token a line, to be handed over by another way (at the hub)."""
    with hub_at(hub_path) as hub:
        found = hub.rights.hand_over(partner, told=told)
    for token in found:
        click.echo(token.decode())
    note(f"{len(found)} notice(s)" + (", written down as told" if told else ""))


def _row(one: "Notice") -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one.told)
    return {
        "event": one.event.rpartition(":")[2],
        "at": f"{one.issued_at:%Y-%m-%d %H:%M}",
        "subject": one.subject,
        "signal": told.get("signal"),
        "kind": told.get("kind"),
        "outcome": told.get("outcome"),
        "decision due": told.get("decision_due"),
        "words": told.get("words"),
    }
