"""``sesame plugins``: what is installed, and what became of it."""

import click

from sesame_sdk.cli.console import as_json, show
from sesame_sdk.cli.main import registry


@click.command()
@as_json
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the installed plugins: name, version, kinds, purposes, state."""
    rows = [
        {
            "name": info.name,
            "version": info.version,
            "api": info.api,
            "kinds": tuple(kind.name for kind in info.kinds),
            "purposes": tuple(consumer.purpose for consumer in info.consumers),
            "state": str(info.state),
            "why": info.why or None,
        }
        for info in registry(ctx).infos
    ]
    show(rows, as_json=as_json, empty="no plugin is installed; try: pip install sesame-retail")
