"""``sesame social``: judge posts, decide what a moderator must decide, train the model."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_social.moderation_queue import RETENTION, ModerationQueue, SuspectedPost
from sesame_social.pipeline import classify_batch, enqueue, read_batches, read_posts, summarize
from sesame_social.table import print_table

if TYPE_CHECKING:
    from sesame_social.classifier import PostKind

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
at_queue = click.option(
    "--queue",
    "path",
    required=True,
    envvar="SESAME_SOCIAL_QUEUE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The moderators' queue, ending in .queue.  [env: SESAME_SOCIAL_QUEUE]",
)
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")
by_option = click.option(
    "--moderator", "by", required=True, help="Who decides. The name is kept, and never sent."
)
_days = click.option(
    "--retention-days",
    "keep_days",
    default=RETENTION.days,
    show_default=True,
    type=click.IntRange(1, 365),
    help="How long a text waits.",
)


@click.group()
def social() -> None:
    """Judge posts of people who opted in, on this machine."""


@social.command()
@click.argument("file", type=_FILE)
@click.option(
    "--queue", "path", type=click.Path(path_type=Path, dir_okay=False), help="Put what is found here."
)
@click.option("--model", "model_file", type=_FILE, help="Another model than the one that is shipped.")
@click.option(
    "--kind",
    type=click.Choice(["any", "comment", "message"]),
    default="any",
    show_default=True,
    help="What all of them are: comments under what others made, messages to somebody, or not known.",
)
@_days
@as_json_option
def classify(
    file: Path, path: Path | None, model_file: Path | None, kind: "PostKind", keep_days: int, *, as_json: bool
) -> None:
    """Say which posts of FILE (JSON lines: post, author, text, at) are helpful, and which are suspected.

    Nothing is sent. With --queue, suspected posts wait there for a moderator, and helpful ones are noted
    without their text. Spam is told better if --kind says what the posts are.
    """
    from sesame_social.classifier.model import SHIPPED_MODEL, load_model

    model = load_model(model_file or SHIPPED_MODEL)
    kept: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for batch in read_batches(read_posts(file), kept):
        found = classify_batch(batch, model, kind)
        rows += found
        if path is not None:
            with ModerationQueue(path, retention=timedelta(days=keep_days)) as queue:
                enqueue(batch, found, queue)
    print_table(rows, as_json=as_json, empty="no posts")
    click.echo(summarize(rows), err=True)
    for reason, times in sorted(kept.items()):
        click.echo(f"kept back: {times} x {reason}", err=True)


@social.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--output",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("social.npz"),
    show_default=True,
)
@click.option("--seed", type=int, help="Of everything that is drawn.")
@click.option(
    "--folds",
    "cross",
    type=click.IntRange(2, 20),
    help="Write no model; train on all but one of so many parts of the data, and say how figures spread.",
)
@as_json_option
def train(data: Path, out: Path, seed: int | None, cross: int | None, *, as_json: bool) -> None:
    """Train the model on the public sets in a folder, and say how good it is on what was held out."""
    try:
        from sesame_social.training import evaluation
        from sesame_social.training.train import SEED
        from sesame_social.training.train import train_model as learn
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{error.name} is not installed", field="train", hint="pip install 'sesame-social[train]'"
        ) from error
    from sesame_social.classifier.model import load_model, save_model

    def say(what: str) -> None:
        click.echo(what, err=True)

    seed = SEED if seed is None else seed
    if cross:
        print_table(
            evaluation.cross_validate(data, cross, seed=seed, progress=say),
            as_json=as_json,
            empty="no figures",
        )
        return
    model = learn(data, seed=seed, progress=say)
    digest = save_model(model, out)
    print_table(
        evaluation.as_rows(evaluation.evaluate_model(load_model(out), data)),
        as_json=as_json,
        empty="no figures",
    )
    click.echo(f"{out}: SHA-256 {digest}", err=True)


@social.group("queue")
def queue_group() -> None:
    """What waits for a moderator."""


@queue_group.command("list")
@at_queue
@click.option(
    "--state", type=click.Choice(["open", "confirmed", "dismissed"]), default="open", show_default=True
)
@as_json_option
def list_(path: Path, state: str, *, as_json: bool) -> None:
    """Posts by state, the surest first, without their texts."""
    with _opened(path) as queue:
        rows = [_row(item) for item in queue.list_posts(state)]
    print_table(rows, as_json=as_json, empty=f"nothing is {state}")


@queue_group.command("show")
@click.argument("post")
@at_queue
@as_json_option
def show_(post: str, path: Path, *, as_json: bool) -> None:
    """One post with its text."""
    with _opened(path) as queue:
        item = queue.get_post(post)
    print_table([{**_row(item), "text": item.text}], as_json=as_json, empty="")


@queue_group.command()
@click.argument("post")
@by_option
@at_queue
def confirm(post: str, by: str, path: Path) -> None:
    """Say that a post is abuse of the site. Its text is deleted; `sesame post` may send that it was."""
    _decide(path, post, by, confirmed=True)


@queue_group.command()
@click.argument("post")
@by_option
@at_queue
def dismiss(post: str, by: str, path: Path) -> None:
    """Say that a post is none of the sort. Its text is deleted, and nothing is ever sent of it."""
    _decide(path, post, by, confirmed=False)


@queue_group.command()
@by_option
@at_queue
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535))
def serve(by: str, path: Path, port: int) -> None:
    """The queue as a page on 127.0.0.1, until Ctrl-C."""
    from sesame_social.review_page import ReviewServer

    _opened(path).close()
    with ReviewServer(path, by, port=port) as server:
        click.echo(f"{server.address} (stop with Ctrl-C)", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _opened(path: Path) -> ModerationQueue:
    # A misspelt name must not make an empty queue in which nothing is open.
    if not path.is_file():
        raise InvalidInputError(
            "there is no such queue", field=path.name, hint="sesame social classify makes it"
        )
    queue = ModerationQueue(path)
    queue.delete_expired(now=datetime.now(UTC))
    return queue


def _decide(path: Path, post: str, by: str, *, confirmed: bool) -> None:
    with _opened(path) as queue:
        queue.decide(post, confirmed=confirmed, moderator=by, now=datetime.now(UTC))
    click.echo("confirmed" if confirmed else "dismissed", err=True)


def _row(item: SuspectedPost) -> dict[str, Any]:
    at = item.decided_at
    return {
        "post": item.post,
        "author": item.author,
        "found": item.labels,
        "chance": item.probability,
        "state": item.state,
        "decided_at": at.isoformat() if at else None,
        "decided_by": item.decided_by,
    }
