"""``sesame keys``: a partner's keys and pseudonyms, and the hub's keys that it trusts."""

import shlex
from datetime import timedelta
from pathlib import Path

import click

from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.options import DIRECTORY, config_option, json_option, open_client, overlap_option
from sesame_sdk.text import terminal_text


@click.group()
def keys() -> None:
    """Create and show keys; trust a hub's new keys."""


@keys.command()
@click.argument("directory", metavar="DIR", type=DIRECTORY)
@click.option("--issuer", required=True, metavar="URL", help="The URL that identifies the partner.")
@click.option("--hub-url", required=True, metavar="URL", help="The hub's base URL.")
def new(directory: Path, issuer: str, hub_url: str) -> None:
    """Create DIR with a signing key and a pseudonym secret.

    Back DIR up: without the secret, signals that were sent before get new ids, and count twice if they are
    sent again.
    """
    from sesame_sdk.partner.config import PartnerConfig

    partner = PartnerConfig.create(directory, issuer=issuer, hub=hub_url)
    name = shlex.quote(str(directory))
    print_note(f"created {name} with key {partner.signer.kid}")
    for given, used in ((issuer, partner.issuer), (hub_url, partner.hub)):
        if given != used:
            print_note(f"{terminal_text(given)} is spelt {used}")
    print_note(f"next: sesame keys show --config {name} > partner.jwks, and send it to the hub's operator")


@keys.command(name="show")
@config_option()
def show_keys(config_dir: Path) -> None:
    """Print the public keys as a JWK Set (RFC 7517)."""
    from sesame_sdk.partner.config import PartnerConfig
    from sesame_sdk.signing.keys import jwk_set

    print_json(jwk_set([PartnerConfig.load(config_dir).signer.public_jwk]))


@keys.command()
@config_option()
@overlap_option("How long the hub still accepts what the present key signed.")
@click.option("--revoked", is_flag=True, help="The present key was revoked: announce nothing.")
def rotate(config_dir: Path, overlap_days: int, revoked: bool) -> None:
    """Replace the signing key; announce the new one to the hub.

    The present key signs the announcement. The secret for pseudonyms and signal ids stays as it is. If the
    hub is away, run this again. With --revoked, send the new key to the hub's operator: see sesame keys show.
    """
    with open_client(config_dir) as client:
        kid = client.replace_key() if revoked else client.rotate_key(timedelta(days=overlap_days))
    print_note(f"signing with {kid} now")
    if revoked:
        name = shlex.quote(str(config_dir))
        print_note(
            f"next: sesame keys show --config {name} > partner.jwks, and send it to the hub's operator"
        )
    else:
        print_note(f"the hub accepts what the previous key signed for {overlap_days} more day(s)")


@keys.command()
@config_option()
@click.argument("natural_ids", nargs=-1, required=True, metavar="ID...")
@json_option
def pseudonym(config_dir: Path, natural_ids: tuple[str, ...], as_json: bool) -> None:
    """Print the pseudonyms of people by the partner's own IDs."""
    from sesame_sdk.partner.config import PartnerConfig

    pseudonymizer = PartnerConfig.load(config_dir).pseudonymizer
    rows = [
        {"id": natural_id, "pseudonym": pseudonymizer.pseudonym(natural_id)} for natural_id in natural_ids
    ]
    print_rows(rows, as_json=as_json)


@keys.command()
@config_option()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def trust(config_dir: Path, yes: bool) -> None:
    """Trust the keys that the hub publishes now.

    They replace the keys that were pinned on first use.
    """
    question = "Has the hub's operator confirmed, through another channel, that its keys changed?"
    if not (yes or click.confirm(question, err=True)):
        print_note("nothing changed; ask the operator first")
        return
    with open_client(config_dir) as client:
        client.repin()
        print_note(f"now trusting the {client.check_hub()} key(s) that the hub publishes")
