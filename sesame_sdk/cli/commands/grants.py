"""``sesame grants``: the consents that people gave, recorded at the hub. None exists by default."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk.cli import grants_csv
from sesame_sdk.cli.console import as_json, note, progress, show
from sesame_sdk.cli.options import at_hub, hub_at, now
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.grant import Direction, Grant

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub


@click.group()
def grants() -> None:
    """Record, withdraw and list the consents that people give (at the hub)."""


@grants.command()
@at_hub
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Many at once: a CSV file, all of it or nothing.",
)
@click.option("--person", help="What the hub calls the person.")
@click.option("--partner", metavar="URL", help="The partner's issuer.")
@click.option("--subject", help="The partner's pseudonym for the person.")
@click.option("--send", "kinds", multiple=True, metavar="KIND", help="The partner may send this. Repeatable.")
@click.option("--read", "purpose", metavar="IRI", help="The partner may read the score for this purpose.")
@click.option("--context", help="With --read: whose policy makes the score.")
@click.option("--crossing", "crossings", multiple=True, help="With --read: another context that may count.")
@click.option("--adult", is_flag=True, help="The person is known to be 18 or older.")
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
    adult: bool,
) -> None:
    """Record that a person said yes: to sending (--send) or to reading (--read)."""
    single = (person, partner, subject, kinds, purpose, context, crossings, adult)
    if file and any(single):
        raise click.UsageError("--from stands alone: the file says all.")
    one = None if file else _one(*single)
    with hub_at(hub_path) as hub:
        if file:
            _record_file(hub, file)
        elif one:
            _record_one(hub, one)


@grants.command()
@at_hub
@click.option("--person", required=True, help="What the hub calls the person.")
@click.option("--partner", required=True, metavar="URL", help="The partner's issuer.")
@click.option("--only", type=click.Choice([*map(str, Direction)]), help="Only what it may send, or read.")
def withdraw(hub_path: Path, person: str, partner: str, only: str | None) -> None:
    """Take back what PERSON granted to PARTNER. It stops counting at once."""
    with hub_at(hub_path) as hub:
        count = hub.withdraw(person, partner, Direction(only) if only else None)
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


def _one(
    person: str | None,
    partner: str | None,
    subject: str | None,
    kinds: tuple[str, ...],
    purpose: str | None,
    context: str | None,
    crossings: tuple[str, ...],
    adult: bool,
) -> tuple[str, Grant]:
    if not (person and partner and subject and bool(kinds) != bool(purpose)):
        raise click.UsageError(
            "Give --from FILE, or --person, --partner, --subject and either --send or --read."
        )
    direction = Direction.SEND if kinds else Direction.READ
    return person, Grant(partner, subject, direction, now(), kinds, purpose, context, crossings, adult=adult)


def _record_one(hub: "Hub", told: tuple[str, Grant]) -> None:
    hub.add_grants([told])
    note("recorded 1 new grant")
    _, grant = told
    partners = hub.partners()
    for kind in sorted(set(grant.kinds).difference(*(partner.kinds for partner in partners), ())):
        note(f"no partner registered this kind yet: {kind}")
    if grant.purpose and not any(grant.purpose in partner.purposes for partner in partners):
        note(f"no partner registered this purpose yet: {grant.purpose}")
    if grant.context and grant.context not in {policy.context for policy in hub.policies()}:
        note(f"no policy makes a score for this context yet: {grant.context}")


def _record_file(hub: "Hub", file: Path) -> None:
    issuers = [partner.issuer for partner in hub.partners()]
    with progress("consents read") as advance:
        rows = grants_csv.read(file, now(), issuers, advance)
    told, withdrawn = grants_csv.new_ones(rows, hub.grants())
    try:
        new = hub.add_grants(told)
    except InvalidInputError as error:
        raise InvalidInputError(str(error), field=str(file)) from error
    note(f"recorded {new:,} new, {len(rows) - new:,} known already")
    if withdrawn:
        note(f"{withdrawn:,} were withdrawn since; to record a new yes give given_at")
