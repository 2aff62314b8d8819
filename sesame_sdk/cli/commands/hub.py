"""``sesame hub``: set up a hub, run it, and make its tables again."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from sesame_sdk.cli.commands.backups import backup, restore
from sesame_sdk.cli.commands.streams import streams
from sesame_sdk.cli.console import as_json, note, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import at_hub, hub_at, needing_hub
from sesame_sdk.cli.settings_options import WithSettings, given, strangers
from sesame_sdk.errors import ConfigurationError


@click.group()
def hub() -> None:
    """Set up and run a hub, and mend its tables."""


hub.add_command(backup)
hub.add_command(restore)
hub.add_command(streams)


@hub.command()
@click.argument("folder")
@click.option("--issuer", required=True, metavar="URL", help="The hub's base URL, as partners reach it.")
@click.option(
    "--database",
    default="sqlite:///hub.sqlite",
    show_default=True,
    metavar="URL",
    help="Where the ledger is kept; postgresql://user@host/name must be there, and empty.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Compute every score as of this day instead of today: for replaying an old feed.",
)
def init(folder: str, issuer: str, database: str, as_of: datetime | None) -> None:
    """Make FOLDER with the hub's key and its settings. The tables are made when it is first opened."""
    from sesame_sdk.hub.settings import create_hub

    day = as_of.replace(tzinfo=UTC).date() if as_of else None
    try:
        _check_free(folder)
        create_hub(Path(folder), issuer=issuer, database=database, as_of=day)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be made: {error.strerror}", field=folder, hint="name a new folder where you may write"
        ) from error
    name = shlex.quote(folder)
    note(f"made {name}; next: sesame hub run --hub {name}")


def _check_free(folder: str) -> None:
    """A hub takes its folder for itself (0700); one that holds other things is left as it is."""
    if not folder.strip():
        raise ConfigurationError("must name a folder", field="FOLDER")
    path = Path(folder)
    if path.is_dir() and not (path / "hub.toml").exists() and any(path.iterdir()):
        raise ConfigurationError("is not empty", field=folder, hint="name a new folder")


@hub.command(cls=WithSettings)
@at_hub
@click.pass_context
def run(ctx: click.Context, /, hub_path: Path, **flags: str | None) -> None:
    """Serve the hub over HTTP until interrupted.

    Each setting comes from its flag, else from its variable, else from hub.toml: see sesame hub settings.
    """
    with needing_hub():
        from sesame_sdk.hub.server.server import serve

    serve(
        hub_path,
        flags=given(flags),
        rules=registry(ctx).rules,
        block=ctx.find_root().params.get("block") or (),
        ready=_say_ready,
    )


def _say_ready(url: str) -> None:
    if sys.stderr.isatty():  # elsewhere the log says so, of which every line is JSON
        note(f"hub ready at {url}")


@hub.command(cls=WithSettings)
@at_hub
@as_json
def settings(hub_path: Path, as_json: bool, **flags: str | None) -> None:
    """Show each setting and where it comes from: a flag, a variable, hub.toml, or nobody set it.

    Passwords are masked.
    """
    from sesame_sdk.hub.database_url import masked
    from sesame_sdk.hub.settings import SETTINGS, read_settings

    loaded = read_settings(hub_path, flags=given(flags))
    rows = [
        {
            "setting": name,
            "value": masked(str(value)) if (value := getattr(loaded.settings, name)) is not None else None,
            "from": loaded.sources[name],
        }
        for name in SETTINGS
    ]
    show(rows, as_json=as_json)
    for name in strangers():
        note(f"{name} is set, and is no setting of a hub")


@hub.command()
@at_hub
@click.argument("context")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def parquet(hub_path: Path, context: str, file: Path) -> None:
    """Write every signal that counts for CONTEXT into FILE, in the order of people.

    For scoring everybody at once, away from the ledger: sesame_sdk.scoring.engines.score_parquet reads it.
    """
    with hub_at(hub_path) as opened:
        count = opened.export_signals(file, context)
    note(f"wrote {count:,} signal(s) to {shlex.quote(str(file))}")


@hub.command()
@at_hub
def migrate(hub_path: Path) -> None:
    """Bring the tables to this version of sesame. Stop the hub and make a backup first."""
    with needing_hub():
        from sesame_sdk.hub.database.engine import migrate as bring_up
        from sesame_sdk.hub.database.migrations import HEAD
        from sesame_sdk.hub.settings import load_settings

    before = bring_up(load_settings(hub_path).database_url)
    if before == HEAD:
        note(f"the tables are of version {HEAD} already")
    else:
        note(f"brought the tables to version {HEAD}" + (f" from {before}" if before else ""))


@hub.command()
@at_hub
def rebuild(hub_path: Path) -> None:
    """Make the table of signals again from the ledger of envelopes."""
    with hub_at(hub_path) as opened:
        count = opened.rebuild()
    note(f"made the table of signals again: {count:,} signal(s)")
