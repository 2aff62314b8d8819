"""``sesame follow`` keeps a score book fresh; ``sesame book`` shows what is in it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk.cli.console import as_json, emit, note, show
from sesame_sdk.cli.options import as_partner, load_home
from sesame_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from sesame_sdk.partner.config import PartnerConfig
    from sesame_sdk.partner.score_store.store import ScoreStore
    from sesame_sdk.partner.score_store.subscriber import StreamSubscriber

BOOK = "book.sqlite"
_Decorated = Callable[..., Any]


def _of_what(command: _Decorated) -> _Decorated:
    """The options that say which book."""
    for option in (
        click.option(
            "--book", "path", type=click.Path(path_type=Path), help=f"Its file.  [{BOOK} in the folder]"
        ),
        click.option("--context", required=True, help="Whose policy makes the scores."),
        click.option(
            "--purpose", required=True, metavar="IRI", help="Why you read; one that you registered."
        ),
        as_partner,
    ):
        command = option(command)
    return command


@click.command()
@_of_what
@click.option("--once", is_flag=True, help="Take what there is, and end.")
def follow(home: Path, purpose: str, context: str, path: Path | None, once: bool) -> None:
    """Keep a score book fresh from the hub, until interrupted.

    Ranking reads the book and never waits for the network. Who takes the consent back is out of it
    within a second.
    """
    partner = load_home(home)
    with closing(_follower(partner, path or home / BOOK, purpose, context)) as follower:
        note(f"following {partner.hub}; {follower.book.state.people:,} people in the book")
        if once:
            follower.attach()
            # A stream that was just made may have nothing to say yet but that it is alive; one that is known
            # says what is new.
            patience = 2 if follower.book.state.heard_at is None else 0
            while follower.poll(wait=patience > 0 and not follower.book.state.people):
                patience -= 1
        else:
            follower.follow(Event(), told=note)
        note(f"{follower.book.state.people:,} people in the book")


@click.command()
@_of_what
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@as_json
def book(
    home: Path, purpose: str, context: str, path: Path | None, subjects: tuple[str, ...], as_json: bool
) -> None:
    """Show how a score book is, or the scores of SUBJECTs in it."""
    partner = load_home(home)
    with closing(_open(partner, path or home / BOOK, purpose, context)) as opened:
        state, scores = opened.state, opened.scores(subjects)
    if state.stale:
        note("stale: the hub was not heard for too long, so no score is used")
    if subjects:
        rows = [
            {
                "subject": subject,
                "points": found.points if found else None,
                "band": found.band if found else None,
                "as of": str(found.as_of) if found else None,
            }
            for subject, found in scores.items()
        ]
        show(rows, as_json=as_json)
    elif as_json:
        emit(state)
    else:
        heard = f"{state.heard_at:%Y-%m-%d %H:%M:%S}" if state.heard_at else "never"
        show([{"people": state.people, "heard": heard, "stale": state.stale}], as_json=False)


def _follower(home: "PartnerConfig", path: Path, purpose: str, context: str) -> "StreamSubscriber":
    try:
        from sesame_sdk.partner.score_store.subscriber import StreamSubscriber
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return StreamSubscriber.at(home, path, purpose=purpose, context=context)


def _open(home: "PartnerConfig", path: Path, purpose: str, context: str) -> "ScoreStore":
    try:
        from sesame_sdk.partner.score_store.store import ScoreStore
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    if not path.exists():
        raise ConfigurationError("is not there", field=str(path), hint="fill one with: sesame follow")
    return ScoreStore(path, hub=home.hub, reader=home.issuer, purpose=purpose, context=context)


def _missing(error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"{error.name} is not installed", field="book", hint="pip install 'sesame-sdk[score-store]'"
    )
