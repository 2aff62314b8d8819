"""``sesame hub streams``: who is told of changes, and how far behind each is."""

from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, note, show
from sesame_sdk.cli.options import at_hub, hub_at


@click.command()
@at_hub
@click.option("--redrive", metavar="STREAM", help="Send what STREAM's dead letters carried once more.")
@as_json
def streams(hub_path: Path, redrive: str | None, as_json: bool) -> None:
    """List the readers' streams: what each is owed, and its dead letters with the readers' reasons.

    The number is the one that log lines name a stream by.
    """
    with hub_at(hub_path) as hub:
        if redrive is not None:
            note(f"owed once more: what {hub.feed.redrive(redrive)} dead letter(s) carried")
        found = hub.feed.listed()
        rows = [
            {
                "number": stream["number"],
                "stream": stream["stream_id"],
                "reader": stream["aud"],
                "context": stream["context"],
                "status": stream["status"],
                "owed": stream["waiting"],
                "dead": stream["dead"],
                "why dead": sorted({letter.reason for letter in hub.feed.dead_letters(stream["stream_id"])}),
            }
            for stream in found
        ]
    show(rows, as_json=as_json, empty="no stream: no reader wants to be told")
