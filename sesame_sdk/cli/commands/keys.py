"""``sesame keys``: a partner's keys, the hub's that it believes, and its names for people."""

import shlex
from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import as_partner, client_of, load_home


@click.group()
def keys() -> None:
    """Make and show a partner's keys, and trust a hub's new ones."""


@keys.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--issuer", required=True, metavar="URL", help="Who you are: a URL of yours.")
@click.option("--hub", required=True, metavar="URL", help="The hub that you talk to.")
def new(folder: Path, issuer: str, hub: str) -> None:
    """Make FOLDER with a signing key, a secret for pseudonyms, and an empty outbox.

    Back it up: with the secret lost, what you sent before can no longer be recognised as sent.
    """
    from sesame_sdk.partner.config import PartnerConfig

    made = PartnerConfig.create(folder, issuer=issuer, hub=hub)
    name = shlex.quote(str(folder))
    note(f"made {name}; key {made.signer.kid}")
    note(f"next: sesame keys show --as {name} > partner.jwks, and give that file to the hub's operator")


@keys.command(name="show")
@as_partner
def show_keys(home: Path) -> None:
    """Print the public keys as a JWK Set (RFC 7517): what a hub's operator needs of you."""
    from sesame_sdk.signing.keys import jwk_set

    emit(jwk_set([load_home(home).signer.public_jwk]))


@keys.command()
@as_partner
@click.argument("natural_ids", nargs=-1, required=True, metavar="ID...")
@as_json
def pseudonym(home: Path, natural_ids: tuple[str, ...], as_json: bool) -> None:
    """Print under which pseudonym you speak of the person that you know as ID."""
    identity = load_home(home).identity
    rows = [{"id": each, "pseudonym": identity.pseudonym(each)} for each in natural_ids]
    show(rows, as_json=as_json)


@keys.command()
@as_partner
@click.option("--yes", is_flag=True, help="Do not ask.")
def repin(home: Path, yes: bool) -> None:
    """Believe the keys that the hub publishes now, in place of those seen first."""
    question = "Did the hub's operator tell you, by a way that you trust, that its keys changed?"
    if not (yes or click.confirm(question, err=True)):
        note("nothing was changed; ask the operator first")
        return
    with client_of(home) as client:
        client.repin()
        note(f"the hub is now known by the {client.check_hub()} key(s) that it publishes")
