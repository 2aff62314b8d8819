"""``sesame partners`` and ``sesame register``: both ends of joining a hub."""

from pathlib import Path
from typing import BinaryIO

import click

from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import as_partner, at_hub, client_of, hub_at, moment, now
from sesame_sdk.errors import Rejected


@click.group()
def partners() -> None:
    """Admit partners, list them and revoke their keys (at the hub)."""


@partners.command()
@at_hub
@click.argument("issuer")
@click.option(
    "--jwks",
    required=True,
    type=click.File("rb"),
    help="The partner's public keys: what it printed with: sesame keys show.",
)
def add(hub_path: Path, issuer: str, jwks: BinaryIO) -> None:
    """Admit the partner ISSUER with its keys. It may send nothing until it registers a plugin."""
    from sesame_sdk.signing.keys import read_jwk_set

    try:
        keys = read_jwk_set(jwks.read(1 << 20))
    except Rejected as error:
        mend = error.mend or "a single key does not do; wrap it: sesame keys show"
        raise Rejected(f"is no set of public keys: {error.message}", field=jwks.name, mend=mend) from error
    with hub_at(hub_path) as hub:
        hub.add_partner(issuer, keys)
    note(f"admitted {issuer} with {len(keys)} key(s); next, on its side: sesame register")


@partners.command(name="list")
@at_hub
@as_json
def list_partners(hub_path: Path, as_json: bool) -> None:
    """List the partners, their keys and what they registered."""
    with hub_at(hub_path) as hub:
        rows = [
            {
                "issuer": partner.issuer,
                "keys": partner.kids,
                "plugins": partner.plugins,
                "kinds": partner.kinds,
                "purposes": partner.purposes,
            }
            for partner in hub.partners()
        ]
    show(rows, as_json=as_json, empty="no partner yet; admit one with: sesame partners add")


@partners.command()
@at_hub
@click.argument("issuer")
@click.argument("kid")
@click.option(
    "--at", metavar="MOMENT", help="Since when it is not to be trusted (RFC 3339); now if not said."
)
def revoke(hub_path: Path, issuer: str, kid: str, at: str | None) -> None:
    """Refuse ISSUER's key KID. What it signed and the hub received since stops counting at once.

    Put -- before a KID that begins with a dash.
    """
    since = moment(at, field="--at") if at else now()
    with hub_at(hub_path) as hub:
        hub.revoke_key(issuer, kid, since)
    note(f"revoked {kid} of {issuer} since {since:%Y-%m-%d %H:%M:%S} UTC")


@click.command()
@as_partner
@click.argument("plugin_names", nargs=-1, required=True, metavar="PLUGIN...")
@as_json
@click.pass_context
def register(ctx: click.Context, home: Path, plugin_names: tuple[str, ...], as_json: bool) -> None:
    """Join a hub with a plugin: send its signed registration.

    It says which kinds and purposes each PLUGIN has; the hub's guard judges them, and what it refuses is
    shown as by: sesame policy check.
    """
    plugins = registry(ctx)
    manifests = [plugins.manifest(name) for name in plugin_names]
    with client_of(home) as client:
        for manifest in manifests:
            client.register(manifest)
            note(f"registered {manifest.name} {manifest.version} ({manifest.digest})")
    if as_json:
        emit([{"name": one.name, "version": one.version, "digest": one.digest} for one in manifests])
