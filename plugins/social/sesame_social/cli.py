"""``sesame social``: classifies posts, reviews suspected ones, serves and trains the model."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict

from sesame_sdk import ConfigurationError, InvalidInputError, json_option
from sesame_social.moderation_queue import RETENTION, ModerationQueue, SuspectedPost
from sesame_social.pipeline import classify_batch, enqueue, read_batches, read_posts, summarize

if TYPE_CHECKING:
    from sesame_social.classifier import PostKind
    from sesame_social.training.shift import Division

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIRECTORY = click.Path(path_type=Path, exists=True, file_okay=False)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
queue_option = click.option(
    "--queue",
    "path",
    required=True,
    envvar="SESAME_SOCIAL_QUEUE",
    type=_NEW_FILE,
    help="The moderators' queue, ending in .queue.  [env: SESAME_SOCIAL_QUEUE]",
)
moderator_option = click.option(
    "--moderator", required=True, help="Name of the moderator. It is kept in the queue, and never sent."
)


@click.group(context_settings={"show_default": True})
def social() -> None:
    """Classify posts of members who opted in, on this machine."""


@social.command()
@click.argument("file", type=_FILE)
@click.option("--queue", "path", type=_NEW_FILE, help="Add suspected and helpful posts to this queue.")
@click.option("--model", "model_file", type=_FILE, help="Use this model instead of the one in the package.")
@click.option(
    "--kind",
    type=click.Choice(["any", "comment", "message"]),
    default="any",
    help="What the posts are: comments below other people's content, messages to a person, or unknown.",
)
@click.option(
    "--retention-days",
    default=RETENTION.days,
    type=click.IntRange(1, 365),
    help="How long a text is kept in the queue.",
)
@json_option
def classify(
    file: Path,
    path: Path | None,
    model_file: Path | None,
    kind: "PostKind",
    retention_days: int,
    *,
    as_json: bool,
) -> None:
    """Classify the posts of FILE as helpful or suspected.

    FILE has JSON lines with post, author, text and at. This command sends nothing. With --queue,
    suspected posts wait there for a moderator, and helpful ones are recorded without their text. --kind
    improves the detection of spam.
    """
    from sesame_social.classifier.model import SHIPPED_MODEL, load_model

    model = load_model(model_file or SHIPPED_MODEL)
    skipped: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    for batch in read_batches(read_posts(file), skipped):
        batch_rows = classify_batch(batch, model, kind)
        rows += batch_rows
        if path is not None:
            with ModerationQueue(path, retention=timedelta(days=retention_days)) as queue:
                enqueue(batch, batch_rows, queue)
    print_table(rows, as_json=as_json, empty="no posts")
    click.echo(summarize(rows), err=True)
    for reason, count in sorted(skipped.items()):
        click.echo(f"skipped: {count} x {reason}", err=True)


@social.command()
@click.option(
    "--data",
    required=True,
    type=_DIRECTORY,
    help="Directory of the public data sets.",
)
@click.option("--output", type=_NEW_FILE, default=Path("social.npz"), help="File of the model.")
@click.option("--labels", type=_FILE, help="Learn from this file of the moderators' page as well.")
@click.option("--seed", type=int, help="Seed of all random draws.")
@click.option(
    "--folds",
    type=click.IntRange(2, 20),
    help="Cross-validate over this number of folds, and write no model.",
)
@click.option(
    "--leave-out",
    type=click.Choice(["template", "function", "topic", "source"]),
    help="Measure abuse on templates, functions, topics or sources that were left out, beside a plain model.",
)
@json_option
def train(
    data: Path,
    output: Path,
    labels: Path | None,
    seed: int | None,
    folds: int | None,
    leave_out: "Division | None",
    *,
    as_json: bool,
) -> None:
    """Train and evaluate a model on the public data sets.

    With --labels it learns from the decisions of your moderators too. A decision weighs as much as ten posts
    of the data sets.
    """
    if labels and (folds or leave_out):
        hint = "leave out --folds and --leave-out"
        raise InvalidInputError("is for training a model only", field="labels", hint=hint)
    try:
        from sesame_social.training import evaluation
        from sesame_social.training.shift import measure_shift
        from sesame_social.training.train import SEED, train_model
    except ModuleNotFoundError as error:
        hint = "pip install 'sesame-social[train]'"
        raise ConfigurationError(f"{error.name} is not installed", field="train", hint=hint) from error
    from sesame_social.classifier.model import load_model, save_model

    seed, progress = SEED if seed is None else seed, partial(click.echo, err=True)
    if folds:
        rows = evaluation.cross_validate(data, folds, seed=seed, progress=progress)
        print_table(rows, as_json=as_json, empty="no results")
        return
    if leave_out:
        results = measure_shift(data, leave_out, seed=seed, progress=progress)
        print_table([asdict(row) for row in results], as_json=as_json, empty="no results")
        return
    digest = save_model(train_model(data, labels=labels, seed=seed, progress=progress), output)
    rows = [asdict(row) for row in evaluation.evaluate_model(load_model(output), data)]
    print_table(rows, as_json=as_json, empty="no results")
    click.echo(f"{output}: SHA-256 {digest}", err=True)


@social.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", default=8790, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one."
)
@click.option("--host-name", "hosts", multiple=True, help="A host name that requests may use; repeatable.")
@click.option("--rate", default=100.0, type=click.FloatRange(min=0.1), help="Most requests a second.")
@click.option("--labels", type=_NEW_FILE, help="Keep suggested scores in this file, with their texts.")
@click.option("--quantiles", type=_FILE, help="Map scores with this file; see: sesame social fit-quantiles.")
@click.option("--model", "model_file", type=_FILE, help="Use this model instead of the one in the package.")
def serve(
    host: str,
    port: int,
    hosts: tuple[str, ...],
    rate: float,
    labels: Path | None,
    quantiles: Path | None,
    model_file: Path | None,
) -> None:
    """Answer requests of the Perspective API, until Ctrl-C.

    Set SESAME_SOCIAL_KEY to an API key that requests must carry; other addresses than loopback need it.
    """
    try:
        from sesame_social.serve.app import load_app
        from sesame_social.server import run
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    key = os.environ.get("SESAME_SOCIAL_KEY")
    app = load_app(host, hosts, key=key, rate=rate, labels=labels, quantiles=quantiles, model_file=model_file)
    run(app, host, port, lambda address: click.echo(f"{address} (stop with Ctrl-C)", err=True))


@social.command("fit-quantiles")
@click.argument("file", type=_FILE)
@click.option("--output", type=_NEW_FILE, default=Path("quantiles.json"), help="File of the map.")
@click.option("--model", "model_file", type=_FILE, help="Use this model instead of the one in the package.")
def fit_quantiles(file: Path, output: Path, model_file: Path | None) -> None:
    """Fit a map from our scores to those of another API.

    FILE has JSON lines with text, and scores by attribute: {"text": "...", "scores": {"TOXICITY": 0.71}}.
    """
    import msgspec

    from sesame_social.classifier.model import SHIPPED_MODEL, load_model
    from sesame_social.labelled_posts import read_labelled_posts
    from sesame_social.serve.quantile_map import fit_quantile_map

    fitted = fit_quantile_map(read_labelled_posts(file), load_model(model_file or SHIPPED_MODEL))
    output.write_bytes(msgspec.json.encode(fitted))
    click.echo(f"{output}: {', '.join(fitted)}", err=True)


@social.group("queue")
def queue_group() -> None:
    """Review suspected posts."""


@queue_group.command("list")
@queue_option
@click.option(
    "--state",
    type=click.Choice(["open", "confirmed", "dismissed"]),
    default="open",
    help="State of the posts.",
)
@json_option
def list_(path: Path, state: str, *, as_json: bool) -> None:
    """List posts by state, the most probable first."""
    with _open_queue(path) as queue:
        rows = [_as_row(post) for post in queue.list_posts(state)]
    print_table(rows, as_json=as_json, empty=f"no {state} posts")


@queue_group.command()
@click.argument("post")
@queue_option
@json_option
def show(post: str, path: Path, *, as_json: bool) -> None:
    """Show a post with its text."""
    with _open_queue(path) as queue:
        suspected = queue.get_post(post)
    print_table([{**_as_row(suspected), "text": suspected.text}], as_json=as_json, empty="")


@queue_group.command()
@click.argument("post")
@moderator_option
@queue_option
def confirm(post: str, moderator: str, path: Path) -> None:
    """Confirm that a post is spam or abuse.

    Its text is deleted; `sesame post` may send that the abuse was confirmed.
    """
    _decide(path, post, moderator, confirmed=True)


@queue_group.command()
@click.argument("post")
@moderator_option
@queue_option
def dismiss(post: str, moderator: str, path: Path) -> None:
    """Dismiss a post: it is neither spam nor abuse.

    Its text is deleted, and nothing is sent.
    """
    _decide(path, post, moderator, confirmed=False)


@queue_group.command("serve")
@click.option(
    "--moderator",
    "moderators",
    multiple=True,
    required=True,
    help="Name of a moderator, who gets a one-time link; repeatable.",
)
@queue_option
@click.option(
    "--port", default=8765, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one."
)
@click.option("--labels", type=_NEW_FILE, help="Keep decided posts in this file, with their texts.")
@click.option("--model", "model_file", type=_FILE, help="Use this model instead of the one in the package.")
def serve_queue(
    moderators: tuple[str, ...], path: Path, port: int, labels: Path | None, model_file: Path | None
) -> None:
    """Serve the queue as a web page on 127.0.0.1, until Ctrl-C.

    Each moderator signs in with a link that works once, and decides under that name.
    """
    try:
        from sesame_social.review.app import create_review_app
        from sesame_social.server import run
    except ModuleNotFoundError as error:
        raise _missing_extra(error) from error
    from sesame_social.classifier.model import SHIPPED_MODEL, load_model
    from sesame_social.labelled_posts import LabelledPosts

    _open_queue(path).close()
    addresses: list[str] = []

    def announce(moderator: str, link: str) -> None:
        click.echo(f"{moderator}: {addresses[0]}{link}", err=True)

    def on_ready(address: str) -> None:
        addresses.append(address)
        page.announce_links()
        click.echo("each link works once; stop with Ctrl-C", err=True)

    model = load_model(model_file or SHIPPED_MODEL)
    app, page = create_review_app(
        path, moderators, model, announce, labels=LabelledPosts(labels) if labels else None
    )
    run(app, "127.0.0.1", port, on_ready)


def _missing_extra(error: ModuleNotFoundError) -> ConfigurationError:
    hint = "pip install 'sesame-social[serve]'"
    return ConfigurationError(f"{error.name} is not installed", field="serve", hint=hint)


def _open_queue(path: Path) -> ModerationQueue:
    if not path.is_file():  # a misspelled name must not create an empty queue
        hint = "sesame social classify creates it"
        raise InvalidInputError("there is no such queue", field=path.name, hint=hint)
    queue = ModerationQueue(path)
    queue.delete_expired(now=datetime.now(UTC))
    return queue


def _decide(path: Path, post: str, moderator: str, *, confirmed: bool) -> None:
    with _open_queue(path) as queue:
        queue.decide(post, confirmed=confirmed, moderator=moderator, now=datetime.now(UTC))
    click.echo("confirmed" if confirmed else "dismissed", err=True)


def _as_row(post: SuspectedPost) -> dict[str, Any]:
    row = asdict(post, filter=lambda field, _: field.name != "text")
    return {**row, "decided_at": post.decided_at.isoformat() if post.decided_at else None}


def print_table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows; probabilities and metrics have three decimals in a table."""
    from sesame_sdk import print_rows

    if not as_json:
        rows = [
            {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in row.items()}
            for row in rows
        ]
    print_rows(rows, as_json=as_json, empty=empty)
