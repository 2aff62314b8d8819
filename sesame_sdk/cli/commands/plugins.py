"""``sesame plugins``: what is installed, and whether it is active."""

import click

from sesame_sdk.cli.console import print_rows
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import json_option


@click.command()
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List installed plugins and their state."""
    rows = [
        {
            "name": info.name,
            "version": info.version,
            "api": info.api,
            "kinds": tuple(kind.name for kind in info.kinds),
            "purposes": tuple(consumer.purpose for consumer in info.consumers),
            "state": str(info.state),
            "reason": info.reason or None,
        }
        for info in registry(ctx).infos
    ]
    print_rows(rows, as_json=as_json, empty="no plugins installed; try: pip install sesame-retail")
