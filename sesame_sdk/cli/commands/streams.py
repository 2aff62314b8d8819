"""``sesame streams``: the readers' score streams, at the hub."""

from pathlib import Path

import click

from sesame_sdk.cli.console import print_note, print_rows
from sesame_sdk.cli.options import hub_option, json_option, open_hub


@click.group()
def streams() -> None:
    """List score streams; redrive dead letters."""


@streams.command(name="list")
@hub_option()
@json_option
def list_streams(hub_dir: Path, as_json: bool) -> None:
    """List streams with their pending and dead-lettered messages.

    Log lines name a stream by its number.
    """
    with open_hub(hub_dir) as hub:
        rows = [
            {
                "number": stream["number"],
                "stream": stream["stream_id"],
                "reader": stream["aud"],
                "context": stream["context"],
                "status": stream["status"],
                "pending": stream["waiting"],
                "dead_lettered": stream["dead"],
                "dead_letter_codes": sorted(
                    {message.code for message in hub.streams.list_dead_letters(stream["stream_id"])}
                ),
            }
            for stream in hub.streams.list_streams()
        ]
    print_rows(rows, as_json=as_json, empty="no streams")


@streams.command()
@hub_option()
@click.argument("stream")
def redrive(hub_dir: Path, stream: str) -> None:
    """Send the contents of STREAM's dead letters again."""
    with open_hub(hub_dir) as hub:
        count = hub.streams.redrive(stream)
    print_note(f"requeued {count} dead-lettered messages")
