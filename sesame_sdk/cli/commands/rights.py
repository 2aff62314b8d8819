"""``sesame export``, ``sesame erase`` and ``sesame scrub``: what people may ask of a hub."""

from pathlib import Path

import click

from sesame_sdk.cli.console import emit, note
from sesame_sdk.cli.options import at_hub, hub_at
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.files import new_private_file


@click.command()
@at_hub
@click.argument("person", required=False)
@click.option(
    "--to", "path", type=click.Path(path_type=Path), help="A new file; only you may read it (0600)."
)
@click.option("--schema", is_flag=True, help="Print the form of exports, as JSON Schema, and nothing else.")
def export(hub_path: Path, person: str | None, path: Path | None, schema: bool) -> None:
    """Write everything that the hub has about PERSON to a file, as JSON.

    All signals with what proves them, grants, scores with their reasons, disputes, and who read what.
    """
    if schema:
        from sesame_sdk.hub.rights.export_schema import schema as form

        emit(form())
        return
    if person is None or path is None:
        raise click.UsageError("Give PERSON and --to FILE.")
    try:
        with hub_at(hub_path) as hub, new_private_file(path) as file:
            hub.rights.export(person, file)
    except FileExistsError as error:
        raise InvalidInputError("file already exists", field=str(path), hint="name a new file") from error
    note(f"wrote all about {person} to {path}: {path.stat().st_size:,} bytes, for that person alone")


@click.command()
@at_hub
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-scrub", is_flag=True, help="Leave the files to a later: sesame scrub.")
def erase(hub_path: Path, person: str, yes: bool, no_scrub: bool) -> None:
    """Erase PERSON from the hub: ledger, scores, grants, reads, disputes. It cannot be undone.

    Every remaining message in the ledger still verifies. Partners are told: see sesame notices list.
    """
    if not yes:
        click.confirm(f"Erase all about {person} for good?", abort=True, err=True)
    with hub_at(hub_path) as hub:
        done = hub.rights.erase(person)
        note(f"erased {person}: {done.signals:,} signal(s), from {done.envelopes:,} envelope(s)")
        if not no_scrub:
            hub.rights.scrub()
    if done.partners:
        note(f"{done.partners} partner(s) are to be told, and until then only their pseudonyms stay")
    if no_scrub:
        note("next, when the hub has little to do: sesame scrub")


@click.command()
@at_hub
def scrub(hub_path: Path) -> None:
    """Write the hub's database anew, so that nothing that was deleted is left in its files.

    It takes as long as copying them, and partners are asked to come back meanwhile.
    """
    with hub_at(hub_path) as hub:
        hub.rights.scrub()
        left = sum(owed.many for owed in hub.rights.owed() if owed.event.endswith(":person-erased"))
    note("wrote the database anew")
    if left:
        note(f"{left} notice(s) of erasures still wait, each with a pseudonym: see sesame notices list")
