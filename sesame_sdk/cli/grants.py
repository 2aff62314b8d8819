"""``sesame grants``: the consents that people gave, recorded at the hub. None exists by default."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, note, progress, show
from sesame_sdk.cli.options import at_hub, hub_at, now
from sesame_sdk.errors import Rejected
from sesame_sdk.model.grant import Direction, Grant

#: Columns of a file of grants; several kinds or crossings in one cell are parted by spaces.
COLUMNS = ("person", "partner", "subject", "direction", "kinds", "purpose", "context", "crossings")


@click.group()
def grants() -> None:
    """Record, withdraw and list the consents that people give (at the hub)."""


@grants.command()
@at_hub
@click.option(
    "--from", "file", type=click.Path(path_type=Path, exists=True), help="Many at once: a CSV file."
)
@click.option("--person", help="What the hub calls the person.")
@click.option("--partner", metavar="URL", help="The partner's issuer.")
@click.option("--subject", help="The partner's pseudonym for the person.")
@click.option("--send", "kinds", multiple=True, metavar="KIND", help="The partner may send this. Repeatable.")
@click.option("--read", "purpose", metavar="IRI", help="The partner may read the score for this purpose.")
@click.option("--context", help="With --read: whose policy makes the score.")
@click.option("--crossing", "crossings", multiple=True, help="With --read: another context that may count.")
def add(
    hub_path: Path,
    file: Path | None,
    person: str | None,
    partner: str | None,
    subject: str | None,
    kinds: tuple[str, ...],
    purpose: str | None,
    context: str | None,
    crossings: tuple[str, ...],
) -> None:
    """Record that a person said yes: to sending (--send) or to reading (--read)."""
    if file:
        made = list(_read(file, now()))
    elif person and partner and subject and bool(kinds) != bool(purpose):
        direction = Direction.SEND if kinds else Direction.READ
        grant = Grant(partner, subject, direction, now(), kinds, purpose, context, crossings)
        made = [(person, grant)]
    else:
        raise click.UsageError(
            "Give --from FILE, or --person, --partner, --subject and either --send or --read."
        )
    with hub_at(hub_path) as hub, progress("grants recorded", len(made)) as advance:
        for start in range(0, len(made), 1000):
            hub.add_grants(made[start : start + 1000])
            advance(len(made[start : start + 1000]))
    note(f"recorded {len(made):,} grant(s)")


@grants.command()
@at_hub
@click.option("--person", required=True, help="What the hub calls the person.")
@click.option("--partner", required=True, metavar="URL", help="The partner's issuer.")
@click.option("--only", type=click.Choice(Direction), help="Only what it may send, or only what it may read.")
def withdraw(hub_path: Path, person: str, partner: str, only: Direction | None) -> None:
    """Take back what PERSON granted to PARTNER. It stops counting at once."""
    with hub_at(hub_path) as hub:
        count = hub.withdraw(person, partner, only)
    note(f"withdrew {count} grant(s)" if count else "there was nothing to withdraw")


@grants.command(name="list")
@at_hub
@click.option("--person", help="Only this person's.")
@as_json
def list_grants(hub_path: Path, person: str | None, as_json: bool) -> None:
    """List grants, the withdrawn and expired ones too."""
    at = now()
    with hub_at(hub_path) as hub:
        rows = [
            {
                "person": of,
                "partner": grant.partner,
                "direction": str(grant.direction),
                "covers": grant.kinds or (grant.purpose, *grant.crossings),
                "given": f"{grant.given_at:%Y-%m-%d %H:%M}",
                "valid": grant.valid(at),
            }
            for of, grant in hub.grants(person)
        ]
    show(rows, as_json=as_json, empty="no grants: nobody joins by default")


def _read(file: Path, given_at: datetime) -> Iterator[tuple[str, Grant]]:
    with file.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
        if missing:
            raise Rejected(f"lacks the column(s) {', '.join(missing)}", field=str(file))
        for row in reader:
            try:
                yield row["person"], _grant(row, given_at)
            except ValueError as error:
                raise Rejected(str(error), field=f"{file}, line {reader.line_num}") from error


def _grant(row: dict[str, str], given_at: datetime) -> Grant:
    return Grant(
        partner=row["partner"],
        subject=row["subject"],
        direction=Direction(row["direction"]),
        given_at=given_at,
        kinds=tuple(row["kinds"].split()),
        purpose=row["purpose"] or None,
        context=row["context"] or None,
        crossings=tuple(row["crossings"].split()),
    )
