"""``sesame partners`` at a hub, and ``sesame registrations``, with which a partner joins it."""

from pathlib import Path
from typing import Any, BinaryIO

import click

from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import (
    config_option,
    hub_option,
    json_option,
    open_client,
    open_hub,
    parse_timestamp,
    utc_now,
)
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.text import terminal_text

MAX_JWKS_BYTES = 1 << 20


@click.group()
def partners() -> None:
    """Add, list and limit partners; revoke keys."""


@partners.command()
@hub_option()
@click.argument("issuer")
@click.option(
    "--jwks",
    metavar="FILE",
    type=click.File("rb"),
    help="The partner's public keys, as printed by: sesame keys show.",
)
@click.option("--jwks-url", metavar="URL", help="Where the partner publishes them; fetched again and again.")
@click.option("--yes", is_flag=True, help="Do not ask about an issuer that looks like another one.")
def add(hub_dir: Path, issuer: str, jwks: BinaryIO | None, jwks_url: str | None, yes: bool) -> None:
    """Admit the partner ISSUER with its public keys.

    It may send nothing until it registers a plugin. With --jwks-url, the set at the URL decides from then on
    which keys are valid. An ISSUER that looks like another one is asked about.
    """
    if (jwks is None) == (jwks_url is None):
        raise click.UsageError("Use one of --jwks and --jwks-url.")
    keys = _read_keys(jwks) if jwks else ()
    count = len(keys)
    with open_hub(hub_dir) as hub:
        issuer = normalize_issuer(issuer)
        similar = ", ".join(hub.find_lookalikes(issuer))
        question = f"{terminal_text(issuer)} looks like {similar}. Is it another partner, letter by letter?"
        if similar and not (yes or click.confirm(question, err=True)):
            print_note("nothing changed")
            return
        if jwks_url is not None:
            count = hub.add_partner_by_url(issuer, jwks_url, allow_lookalike=True)
        else:
            hub.add_partner(issuer, keys, allow_lookalike=True)
    print_note(f"admitted {issuer} with {count} key(s); next, the partner: sesame registrations add")


def _read_keys(jwks: BinaryIO) -> tuple[dict[str, Any], ...]:
    from sesame_sdk.signing.keys import read_jwk_set

    try:
        return read_jwk_set(jwks.read(MAX_JWKS_BYTES))
    except InvalidInputError as error:
        hint = error.hint or "a single key is not a set; use: sesame keys show"
        raise InvalidInputError(
            f"is not a set of public keys: {error.message}", field=jwks.name, hint=hint
        ) from error


@partners.command(name="refresh-keys")
@hub_option()
@click.argument("issuer")
def refresh_keys(hub_dir: Path, issuer: str) -> None:
    """Fetch the keys of the partner ISSUER from its URL now."""
    with open_hub(hub_dir) as hub:
        count = hub.key_sets.refresh(normalize_issuer(issuer))
    print_note(f"{count} key(s) of {terminal_text(issuer)} changed")


@partners.command(name="list")
@hub_option()
@json_option
def list_partners(hub_dir: Path, as_json: bool) -> None:
    """List partners with their keys and registrations."""
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "issuer": partner.issuer,
                "keys": partner.kids,
                "jwks_url": partner.jwks_url,
                "plugins": partner.plugins,
                "kinds": partner.kinds,
                "purposes": partner.purposes,
            }
            for partner in hub.list_partners()
        ]
    print_rows(rows, as_json=as_json, empty="no partners; add one with: sesame partners add")


@partners.command()
@hub_option()
@click.argument("issuer")
@click.option("--rate", type=click.IntRange(min=1), help="Signals per second.")
@click.option("--burst", type=click.IntRange(min=1), help="Signals at once, after a quiet time.")
@click.option("--unlimited", is_flag=True, help="No limit.")
@click.option("--default", is_flag=True, help="The hub's settings partner_rate and partner_burst.")
@json_option
def limit(
    hub_dir: Path,
    issuer: str,
    rate: int | None,
    burst: int | None,
    unlimited: bool,
    default: bool,
    as_json: bool,
) -> None:
    """Show or set the rate limit of the partner ISSUER.

    A signal sent and a score read cost one each. Requests over the limit get 429 with Retry-After; the
    partner's client waits, and nothing is lost.
    """
    custom = rate is not None or burst is not None
    if custom + unlimited + default > 1:
        raise click.UsageError("Use only one of --rate/--burst, --unlimited and --default.")
    from sesame_sdk.hub.partners.rate_limit import Limit

    with open_hub(hub_dir) as hub:
        current = hub.partner_limit(issuer)
        if unlimited:
            hub.set_partner_limit(issuer, Limit(0, current.burst))
        elif default:
            hub.set_partner_limit(issuer, None)
        elif custom:
            hub.set_partner_limit(issuer, Limit(rate or current.rate, burst or current.burst))
        current = hub.partner_limit(issuer)
    row = {"issuer": issuer, "rate": current.rate or None, "burst": current.burst if current.rate else None}
    print_rows([row], as_json=as_json)


@partners.command(name="revoke-key")
@hub_option()
@click.argument("kid")
@click.option("--since", "text", metavar="TIME", help="RFC 3339 time of the compromise; default: now.")
@click.option("--dry-run", is_flag=True, help="Show the impact, and change nothing.")
@json_option
def revoke_key(hub_dir: Path, kid: str, text: str | None, dry_run: bool, as_json: bool) -> None:
    """Revoke the key with the thumbprint KID.

    Signals that the hub received under it since TIME stop counting at once. The time of receipt decides, not
    the time in a message, since a thief can write any. Signals that another key of the partner sent too are
    kept. The keys that it announced since TIME are revoked too. Put -- before a KID that begins with a dash.
    """
    since = parse_timestamp(text, field="--since") if text else utc_now()
    with open_hub(hub_dir) as hub:
        impact = hub.preview_key_revocation(kid, since) if dry_run else hub.revoke_key(kid, since)
    if as_json:
        print_json(impact)
    else:
        counts = {
            "messages under this key": impact.envelopes,
            "signals that no longer count": impact.signals,
            "people with such signals": impact.people,
            "signals that another key sent too": impact.retained,
            "registrations no longer in force": impact.registrations,
            "signals under other keys dropped meanwhile": impact.dropped,
            "keys that it announced since": len(impact.announced),
        }
        print_rows([{"impact": name, "count": count} for name, count in counts.items()])
    action = "dry run, nothing changed: would revoke" if dry_run else "revoked"
    print_note(f"{action} {kid} of {impact.issuer} since {since:%Y-%m-%d %H:%M:%S} UTC")
    if impact.dropped:
        print_note("signals were dropped because of a registration under this key: ask for them again")


@click.group()
def registrations() -> None:
    """Register plugins with a hub."""


@registrations.command(name="add")
@config_option()
@click.argument("plugin_names", nargs=-1, required=True, metavar="PLUGIN...")
@json_option
@click.pass_context
def add_registrations(
    ctx: click.Context, config_dir: Path, plugin_names: tuple[str, ...], as_json: bool
) -> None:
    """Send signed registrations of each PLUGIN.

    A registration lists the plugin's kinds and purposes. The hub's guard checks them, and a refusal is shown
    like one of: sesame policy check.
    """
    plugins = registry(ctx)
    manifests = [plugins.manifest(name) for name in plugin_names]
    with open_client(config_dir) as client:
        for manifest in manifests:
            client.register(manifest)
            print_note(f"registered {manifest.name} {manifest.version} ({manifest.digest})")
    if as_json:
        print_json(
            [
                {"name": manifest.name, "version": manifest.version, "digest": manifest.digest}
                for manifest in manifests
            ]
        )
