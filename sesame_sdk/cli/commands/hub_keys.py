"""``sesame hub keys``: the keys that a hub signs with and publishes."""

from datetime import timedelta
from pathlib import Path

import click

from sesame_sdk.cli.console import print_note, print_rows
from sesame_sdk.cli.options import hub_option, json_option, overlap_option, parse_timestamp, utc_now
from sesame_sdk.errors import ConfigurationError


@click.group()
def keys() -> None:
    """List and replace the hub's own keys."""


@keys.command(name="list")
@hub_option()
@json_option
def list_keys(hub_dir: Path, as_json: bool) -> None:
    """List the keys that the hub publishes, oldest first."""
    from sesame_sdk.hub import own_keys
    from sesame_sdk.hub.settings import load_settings
    from sesame_sdk.signing.keys import ALWAYS, KeyFile

    settings = load_settings(hub_dir)
    present = KeyFile(settings.key_path).kid
    rows = [
        {
            "kid": key.kid,
            "signs": key.kid == present,
            "from": key.not_before if key.not_before > ALWAYS else None,
            "until": key.not_after,
            "revoked": key.revoked_at,
        }
        for key in own_keys.load_published(settings).keys
    ]
    print_rows(rows, as_json=as_json)


@keys.command()
@hub_option()
@overlap_option("How long partners still accept what the present key signed.")
@click.option("--revoked", is_flag=True, help="The present key was stolen: partners must not follow it.")
@click.option(
    "--since", "text", metavar="TIME", help="With --revoked: RFC 3339 time of the theft; default: now."
)
def rotate(hub_dir: Path, overlap_days: int, revoked: bool, text: str | None) -> None:
    """Replace the hub's signing key.

    The present key signs an announcement of the new one, which partners follow by themselves. The hub may be
    running; it signs with the new key at once. With --revoked nothing is announced: each partner has to
    confirm the new key with sesame keys trust.
    """
    from sesame_sdk.hub import own_keys
    from sesame_sdk.hub.settings import load_settings

    if text and not revoked:
        raise ConfigurationError("needs --revoked", field="--since")
    settings, now = load_settings(hub_dir), utc_now()
    if revoked:
        since = parse_timestamp(text, field="--since") if text else now
        kid = own_keys.replace_revoked(settings, since, now)
        print_note("next: tell each partner, over a trusted channel, to run: sesame keys trust")
    else:
        kid = own_keys.rotate(settings, timedelta(days=overlap_days), now)
    print_note(f"signing with {kid} now; back up signing.jwk and keys.jwks")
