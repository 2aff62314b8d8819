"""``sesame hub backup`` and ``sesame hub restore``."""

from pathlib import Path

import click

from sesame_sdk.cli.console import note, progress
from sesame_sdk.cli.options import at_hub, needing_hub


@click.command()
@at_hub
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--with-key", is_flag=True, help="Put signing.jwk into it: whoever has it can sign as the hub.")
def backup(hub_path: Path, dest: Path, with_key: bool) -> None:
    """Put the hub into the one file DEST (0600), while it runs or not.

    In a folder, it gets a name with the moment. It holds all that people agreed to and partners said about
    them: encrypt it where it goes, and keep it no longer than journal_days.
    """
    with needing_hub():
        from sesame_sdk.hub.backup.backup import back_up
        from sesame_sdk.hub.settings import load_settings

    path, manifest = back_up(load_settings(hub_path), dest, with_key=with_key, stage=progress)
    size = sum(member.bytes for member in manifest.members.values())
    key = "with its key" if with_key else "without its key: keep signing.jwk elsewhere"
    note(f"{path}: {size / 1e6:,.1f} MB, {key}")


@click.command()
@at_hub
@click.argument("src", type=click.Path(path_type=Path))
@click.option(
    "--journal",
    "journals",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="The old hub's journal, if it is not in the folder; one for each machine.",
)
@click.option(
    "--without-journal",
    is_flag=True,
    help="Restore although it is not known who withdrew or was erased since.",
)
def restore(hub_path: Path, src: Path, journals: tuple[Path, ...], without_journal: bool) -> None:
    """Make the hub's folder, and fill its database, from the backup SRC.

    Both must be new. Put signing.jwk into the folder first if the backup has no key, and hub.toml if other
    settings are to hold. Whoever withdrew or was erased since the backup was made is taken out again.
    """
    with needing_hub():
        from sesame_sdk.hub.backup.restore import restore as restore_hub

    done = restore_hub(src, hub_path, journals=journals, without_journal=without_journal, stage=progress)
    note(f"{hub_path} is as it was at {done.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")
    note(f"taken back again since: {done.again} consent(s), person(s) and key(s)")
    if without_journal:
        note(
            "do again by hand, before the hub runs: withdrawals, erasures and revoked keys since that moment"
        )
