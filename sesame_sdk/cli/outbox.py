"""``sesame outbox``: what waits, what the hub refused, and another try."""

from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, note, progress, show
from sesame_sdk.cli.options import as_partner, client_of
from sesame_sdk.errors import Retryable


@click.group()
def outbox() -> None:
    """Look at what waits to be sent, and send dead letters again."""


@outbox.command(name="list")
@as_partner
@as_json
def list_dead(home: Path, as_json: bool) -> None:
    """List the dead letters: envelopes that the hub refused for good, and why."""
    with client_of(home) as client:
        rows = [{"jti": letter.jti, "reason": letter.reason} for letter in client.dead_letters()]
    show(rows, as_json=as_json, empty="no dead letters")


@outbox.command()
@as_partner
def deliver(home: Path) -> None:
    """Send what waits."""
    with client_of(home) as client, progress("signals delivered") as advance:
        delivery = client.deliver(progress=advance)
    note(f"sent {delivery.sent}, refused {delivery.dead}, still waiting {delivery.pending}")
    if delivery.pending:
        raise Retryable(f"{delivery.pending} envelope(s) still wait", mend="is the hub up? try again later")


@outbox.command()
@as_partner
def redrive(home: Path) -> None:
    """Put every dead letter back among what waits, once its cause is mended."""
    with client_of(home) as client:
        count = client.redrive()
    note(f"{count} envelope(s) wait again; next: sesame outbox deliver")
