"""``sesame hub``: set up a hub, run it, and make its tables again."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from sesame_sdk.cli.console import note
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import at_hub, hub_at
from sesame_sdk.errors import Misconfigured


@click.group()
def hub() -> None:
    """Set up and run a hub, and mend its tables."""


@hub.command()
@click.argument("folder")
@click.option("--issuer", required=True, metavar="URL", help="The hub's base URL, as partners reach it.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Compute every score as of this day instead of today: for replaying an old feed.",
)
def init(folder: str, issuer: str, as_of: datetime | None) -> None:
    """Make FOLDER with the hub's key, its settings and an empty database."""
    from sesame_sdk.hub.settings import create_hub

    day = as_of.replace(tzinfo=UTC).date() if as_of else None
    try:
        _check_free(folder)
        create_hub(Path(folder), issuer=issuer, as_of=day)
    except OSError as error:
        raise Misconfigured(
            f"cannot be made: {error.strerror}", field=folder, mend="name a new folder where you may write"
        ) from error
    name = shlex.quote(folder)
    note(f"made {name}; next: sesame hub run --hub {name}")


def _check_free(folder: str) -> None:
    """A hub takes its folder for itself (0700); one that holds other things is left as it is."""
    if not folder.strip():
        raise Misconfigured("must name a folder", field="FOLDER")
    path = Path(folder)
    if path.is_dir() and not (path / "hub.toml").exists() and any(path.iterdir()):
        raise Misconfigured("is not empty", field=folder, mend="name a new folder")


@hub.command()
@at_hub
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 picks one.")
@click.pass_context
def run(ctx: click.Context, hub_path: Path, host: str, port: int) -> None:
    """Serve the hub over HTTP until interrupted."""
    with hub_at(hub_path):
        pass  # a clear error now, before a server is half started
    from sesame_sdk.hub.server import serve

    serve(
        hub_path,
        host=host,
        port=port,
        rules=registry(ctx).rules,
        ready=lambda url: note(f"hub ready at {url}"),
    )


@hub.command()
@at_hub
def rebuild(hub_path: Path) -> None:
    """Make the table of signals again from the ledger of envelopes."""
    with hub_at(hub_path) as opened:
        count = opened.rebuild()
    note(f"made the table of signals again: {count:,} signal(s)")
