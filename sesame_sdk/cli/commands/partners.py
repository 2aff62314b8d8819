"""``sesame partners`` and ``sesame register``: both ends of joining a hub."""

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import as_partner, at_hub, client_of, hub_at, moment, now
from sesame_sdk.errors import InvalidInputError

if TYPE_CHECKING:
    from sesame_sdk.hub.partners.key_revocation import RevocationImpact


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
    except InvalidInputError as error:
        hint = error.hint or "a single key does not do; wrap it: sesame keys show"
        raise InvalidInputError(
            f"is no set of public keys: {error.message}", field=jwks.name, hint=hint
        ) from error
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
@click.option("--rate", type=click.IntRange(min=1), help="Signals a second.")
@click.option("--burst", type=click.IntRange(min=1), help="Signals at once, after a quiet time.")
@click.option("--none", "unlimited", is_flag=True, help="As much as the hub can take.")
@click.option("--usual", is_flag=True, help="What hub.toml says: partner_rate and partner_burst.")
@as_json
def limit(
    hub_path: Path,
    issuer: str,
    rate: int | None,
    burst: int | None,
    unlimited: bool,
    usual: bool,
    as_json: bool,
) -> None:
    """Show or set how much the partner ISSUER may send and read.

    A signal sent and a score read cost one each. Who asks for more is answered 429 and when to come back,
    and its client waits: nothing is lost.
    """
    if (rate is not None or burst is not None) + unlimited + usual > 1:
        raise click.UsageError("--rate and --burst, --none and --usual do not go together")
    from sesame_sdk.hub.partners.rate_limit import Limit

    with hub_at(hub_path) as hub:
        now_in_force = hub.limit_of(issuer)
        if unlimited:
            hub.limit_partner(issuer, Limit(0, now_in_force.burst))
        elif usual:
            hub.limit_partner(issuer, None)
        elif rate is not None or burst is not None:
            hub.limit_partner(issuer, Limit(rate or now_in_force.rate, burst or now_in_force.burst))
        found = hub.limit_of(issuer)
    row = {"issuer": issuer, "a_second": found.rate or None, "at_once": found.burst if found.rate else None}
    show([row], as_json=as_json)


@partners.command(name="revoke-key")
@at_hub
@click.argument("kid")
@click.option(
    "--since", "text", metavar="TIME", help="Since when it is not to be trusted (RFC 3339); now if not said."
)
@click.option("--dry-run", is_flag=True, help="Show what would fall, and change nothing.")
@as_json
def revoke_key(hub_path: Path, kid: str, text: str | None, dry_run: bool, as_json: bool) -> None:
    """Refuse the key KID, a thumbprint. What the hub received under it since TIME stops counting at once.

    When the hub received a message decides, not when the message says that it was signed: a thief writes any
    date. What another key of the partner's sent too stays. Put -- before a KID that begins with a dash.
    """
    since = moment(text, field="--since") if text else now()
    with hub_at(hub_path) as hub:
        found = hub.would_fall(kid, since) if dry_run else hub.let_fall(kid, since)
    if as_json:
        emit(found)
    else:
        _show_fallen(found)
    when = f"{since:%Y-%m-%d %H:%M:%S} UTC"
    if dry_run:
        note(f"nothing was changed; this is what would fall with {kid} of {found.issuer} since {when}")
    else:
        note(f"revoked {kid} of {found.issuer} since {when}")
    if found.dropped:
        note("a registration under this key hid kinds from the others: have the partner send those again")


def _show_fallen(found: "RevocationImpact") -> None:
    rows = [
        {"what": "messages under this key", "how_many": found.envelopes},
        {"what": "signals that count no more", "how_many": found.signals},
        {"what": "people whose signals those are", "how_many": found.people},
        {"what": "signals that stand by another key", "how_many": found.standing},
        {"what": "registrations no longer in force", "how_many": found.registrations},
        {"what": "signals under other keys dropped meanwhile", "how_many": found.dropped},
    ]
    show(rows, as_json=False)


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
