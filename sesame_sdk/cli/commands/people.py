"""``sesame people``: export or erase everything that a hub has about a person."""

from pathlib import Path

import click

from sesame_sdk.cli.console import print_json, print_note
from sesame_sdk.cli.options import OUTPUT_FILE, hub_option, open_hub
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.files import new_private_file


@click.group()
def people() -> None:
    """Export or erase a person's data."""


def _print_schema(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from sesame_sdk.hub.rights.export_schema import schema

        print_json(schema())
        ctx.exit()


@people.command()
@hub_option()
@click.argument("person")
@click.option(
    "--output", "file", required=True, metavar="FILE", type=OUTPUT_FILE, help="A new file (mode 0600)."
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of exports and exit.",
)
def export(hub_dir: Path, person: str, file: Path) -> None:
    """Write everything about PERSON to a JSON file.

    All signals with their proofs, grants, scores with their reasons, disputes, and who read what.
    """
    try:
        with open_hub(hub_dir) as hub, new_private_file(file) as out:
            hub.rights.export(person, out)
    except FileExistsError as error:
        raise InvalidInputError("file already exists", field=str(file), hint="name a new file") from error
    print_note(f"wrote all data about {person} to {file}: {file.stat().st_size:,} bytes")


@people.command()
@hub_option()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--no-vacuum", is_flag=True, help="Leave the database files to a later: sesame hub vacuum.")
def erase(hub_dir: Path, person: str, yes: bool, no_vacuum: bool) -> None:
    """Erase everything about PERSON.

    Signals, scores, grants, reads and disputes are deleted; this cannot be undone. Every remaining message in
    the ledger still verifies. Partners are notified; see: sesame notices list.
    """
    if not yes:
        click.confirm(f"Erase everything about {person}?", abort=True, err=True)
    with open_hub(hub_dir) as hub:
        erased = hub.rights.erase(person)
        print_note(f"erased {person}: {erased.signals:,} signal(s) in {erased.envelopes:,} envelope(s)")
        if not no_vacuum:
            hub.rights.vacuum()
    if erased.partners:
        print_note(f"{erased.partners} partner(s) will be notified; until then their pseudonyms are kept")
    if no_vacuum:
        print_note("next, at a quiet time: sesame hub vacuum")
