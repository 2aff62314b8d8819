"""``sesame export``, ``sesame erase`` and ``sesame scrub``: what people may ask of a hub."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from sesame_sdk.cli.console import emit, note
from sesame_sdk.cli.options import at_hub, hub_at
from sesame_sdk.errors import InvalidInputError


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
    with hub_at(hub_path) as hub, _private(path) as file:
        hub.rights.export(person, file)
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


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read; it is gone again if it cannot be finished."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InvalidInputError("is there already", field=str(path), hint="name a new file") from error
    try:
        with os.fdopen(number, "wb") as file:
            yield file
    except BaseException:
        path.unlink()
        raise
