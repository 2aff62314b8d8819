"""``sesame hub``: set up a hub and run it."""

from datetime import UTC, datetime
from pathlib import Path

import click

from sesame_sdk.cli.console import note
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import at_hub, hub_at


@click.group()
def hub() -> None:
    """Set up and run a hub."""


@hub.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--issuer", required=True, metavar="URL", help="The hub's base URL, as partners reach it.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Compute every score as of this day instead of today: for replaying an old feed.",
)
def init(folder: Path, issuer: str, as_of: datetime | None) -> None:
    """Make FOLDER with the hub's key, its settings and an empty database."""
    from sesame_sdk.hub.settings import create_hub

    create_hub(folder, issuer=issuer, as_of=as_of.replace(tzinfo=UTC).date() if as_of else None)
    note(f"made {folder}; next: sesame hub run --hub {folder}")


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
