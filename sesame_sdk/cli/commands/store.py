"""``sesame store``: a local store of scores, kept up to date by the hub's stream."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.options import OUTPUT_FILE, config_option, json_option, require_extra
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.partner.config import PartnerConfig

if TYPE_CHECKING:
    from sesame_sdk.partner.score_store.store import ScoreStore
    from sesame_sdk.partner.score_store.subscriber import StreamSubscriber

FILE_NAME = "scores.sqlite"
_Command = Callable[..., Any]


def _store_options(command: _Command) -> _Command:
    for option in (
        click.option(
            "--store", "file", metavar="FILE", type=OUTPUT_FILE, help=f"Default: {FILE_NAME} in --config."
        ),
        click.option("--context", required=True, help="The context of the scores."),
        click.option("--purpose", required=True, metavar="IRI", help="A registered purpose."),
        config_option(),
    ):
        command = option(command)
    return command


@click.group()
def store() -> None:
    """Keep a local store of scores up to date."""


@store.command()
@_store_options
@click.option("--once", is_flag=True, help="Read the pending updates and exit.")
def follow(config_dir: Path, purpose: str, context: str, file: Path | None, once: bool) -> None:
    """Apply the hub's updates to the store until interrupted.

    Ranking reads the store and never waits for the network. People who withdraw consent are removed within a
    second.
    """
    with require_extra("score-store"):
        from sesame_sdk.partner.score_store.subscriber import StreamSubscriber

    partner = PartnerConfig.load(config_dir)
    path = file or config_dir / FILE_NAME
    with closing(StreamSubscriber.from_config(partner, path, purpose=purpose, context=context)) as subscriber:
        print_note(f"following {partner.hub}; {subscriber.store.state.subject_count:,} subjects in the store")
        if once:
            _read_pending(subscriber)
        else:
            subscriber.run(Event(), on_error=print_note)
        print_note(f"{subscriber.store.state.subject_count:,} subjects in the store")


def _read_pending(subscriber: "StreamSubscriber") -> None:
    subscriber.ensure_stream()
    # A new stream may at first have nothing but a heartbeat; a known one has what changed.
    attempts = 2 if subscriber.store.state.last_message_at is None else 0
    while subscriber.poll(wait=attempts > 0 and not subscriber.store.state.subject_count):
        attempts -= 1


@store.command()
@_store_options
@json_option
def status(config_dir: Path, purpose: str, context: str, file: Path | None, as_json: bool) -> None:
    """Show subjects, the last update and the stream's status."""
    with closing(_open_store(config_dir, file, purpose, context)) as opened:
        state = opened.state
    row = {
        "subjects": state.subject_count,
        "updated_at": state.last_message_at,
        "stale": state.stale,
        "status": state.status,
    }
    if as_json:
        print_json(row)
        return
    _warn_if_stale(stale=state.stale)
    updated = f"{state.last_message_at:%Y-%m-%d %H:%M:%S}" if state.last_message_at else "never"
    print_rows([{**row, "updated_at": updated}])


@store.command(name="show")
@_store_options
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@json_option
def show_scores(
    config_dir: Path, purpose: str, context: str, file: Path | None, subjects: tuple[str, ...], as_json: bool
) -> None:
    """Show the stored scores of SUBJECTs."""
    from sesame_sdk.cli.commands.scores import score_row

    with closing(_open_store(config_dir, file, purpose, context)) as opened:
        stale, scores = opened.state.stale, opened.scores(subjects)
    _warn_if_stale(stale=stale)
    print_rows([score_row(subject, score) for subject, score in scores.items()], as_json=as_json)


def _warn_if_stale(*, stale: bool) -> None:
    if stale:
        print_note("stale: no update from the hub; scores are ignored")


def _open_store(config_dir: Path, file: Path | None, purpose: str, context: str) -> "ScoreStore":
    with require_extra("score-store"):
        from sesame_sdk.partner.score_store.store import ScoreStore

    partner, path = PartnerConfig.load(config_dir), file or config_dir / FILE_NAME
    if not path.exists():
        raise ConfigurationError(
            "does not exist", field=str(path), hint="create it with: sesame store follow"
        )
    return ScoreStore(path, hub=partner.hub, reader=partner.issuer, purpose=purpose, context=context)
