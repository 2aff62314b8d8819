"""``sesame grants``: the consents that people gave, recorded at the hub. None exists by default."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk.cli import grants_csv
from sesame_sdk.cli.console import print_note, print_rows, progress_bar
from sesame_sdk.cli.options import INPUT_FILE, hub_option, json_option, open_hub, utc_now
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.grant import Direction, Grant

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub

_person = click.option("--person", required=True, help="The hub's own id of the person.")
_partner = click.option("--partner", required=True, metavar="URL", help="The partner's issuer.")
_subject = click.option("--subject", required=True, help="The partner's pseudonym for the person.")


@click.group()
def grants() -> None:
    """Add, import, withdraw, list and correct consents."""


@grants.command()
@hub_option()
@_person
@_partner
@_subject
@click.option("--send", "kinds", multiple=True, metavar="KIND", help="A kind it may send; repeatable.")
@click.option("--read", "purpose", metavar="IRI", help="The purpose for which it may read the score.")
@click.option("--context", help="With --read: the context of the score.")
@click.option("--crossing", "crossings", multiple=True, help="With --read: another context that may count.")
@click.option("--adult", is_flag=True, help="The person is known to be 18 or older.")
def add(
    hub_dir: Path,
    person: str,
    partner: str,
    subject: str,
    kinds: tuple[str, ...],
    purpose: str | None,
    context: str | None,
    crossings: tuple[str, ...],
    adult: bool,
) -> None:
    """Record a person's consent to send or to read."""
    if bool(kinds) == bool(purpose):
        raise click.UsageError("Give either --send or --read.")
    direction = Direction.SEND if kinds else Direction.READ
    grant = Grant(partner, subject, direction, utc_now(), kinds, purpose, context, crossings, adult=adult)
    with open_hub(hub_dir) as hub:
        hub.add_grants([(person, grant)])
        print_note("recorded 1 new grant")
        _warn_if_unused(hub, grant)


@grants.command(name="import")
@hub_option()
@click.argument("file", type=INPUT_FILE)
def import_file(hub_dir: Path, file: Path) -> None:
    """Record the consents in a CSV file: all or none."""
    with open_hub(hub_dir) as hub:
        issuers = [partner.issuer for partner in hub.list_partners()]
        with progress_bar("consents read") as bar:
            rows = grants_csv.read_grants(file, utc_now(), issuers, bar)
        new_grants, withdrawn = grants_csv.select_new(rows, hub.list_grants())
        try:
            count = hub.add_grants(new_grants)
        except InvalidInputError as error:
            raise InvalidInputError(str(error), field=str(file)) from error
    print_note(f"recorded {count:,} new grants; {len(rows) - count:,} were recorded before")
    if withdrawn:
        print_note(f"{withdrawn:,} were withdrawn since; to record consent given again, fill in given_at")


@grants.command()
@hub_option()
@_person
@_partner
@click.option("--direction", type=click.Choice([*map(str, Direction)]), help="Only to send, or only to read.")
def withdraw(hub_dir: Path, person: str, partner: str, direction: str | None) -> None:
    """Withdraw PERSON's grants to a partner.

    They stop counting at once.
    """
    with open_hub(hub_dir) as hub:
        count = hub.withdraw_grants(person, partner, Direction(direction) if direction else None)
    print_note(f"withdrew {count} grant(s)" if count else "no grants to withdraw")


@grants.command(name="correct-pseudonym")
@hub_option()
@_person
@_partner
@_subject
@click.option("--no-vacuum", is_flag=True, help="Leave the database files to a later: sesame hub vacuum.")
def correct_pseudonym(hub_dir: Path, person: str, partner: str, subject: str, no_vacuum: bool) -> None:
    """Replace PERSON's wrong pseudonym at a partner.

    The grants stay. Signals that came under the wrong pseudonym are deleted, since they may be about somebody
    else; a reader gets its removal. The time is kept for the person's export.
    """
    with open_hub(hub_dir) as hub:
        deleted = hub.rights.correct_pseudonym(person, partner, subject)
        print_note(f"corrected; deleted {deleted.signals:,} signal(s) of the wrong pseudonym")
        if not no_vacuum:
            hub.rights.vacuum()
    print_note("next: the partner posts the signals of the right pseudonym again")
    if no_vacuum:
        print_note("and at a quiet time: sesame hub vacuum")


@grants.command(name="list")
@hub_option()
@click.option("--person", help="Only this person's grants.")
@json_option
def list_grants(hub_dir: Path, person: str | None, as_json: bool) -> None:
    """List grants, including withdrawn and expired ones."""
    now = utc_now()
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "person": owner,
                "partner": grant.partner,
                "direction": str(grant.direction),
                "covers": grant.kinds or (grant.purpose, *grant.crossings),
                "given_at": f"{grant.given_at:%Y-%m-%d %H:%M}",
                "valid": grant.is_valid(now),
            }
            for owner, grant in hub.list_grants(person)
        ]
    print_rows(rows, as_json=as_json, empty="no grants")


def _warn_if_unused(hub: "Hub", grant: Grant) -> None:
    partners = hub.list_partners()
    for kind in sorted(set(grant.kinds).difference(*(partner.kinds for partner in partners), ())):
        print_note(f"no partner has registered this kind yet: {kind}")
    if grant.purpose and not any(grant.purpose in partner.purposes for partner in partners):
        print_note(f"no partner has registered this purpose yet: {grant.purpose}")
    if grant.context and grant.context not in {policy.context for policy in hub.list_policies()}:
        print_note(f"no policy is loaded for this context yet: {grant.context}")
