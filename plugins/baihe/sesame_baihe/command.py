"""``sesame rank``: candidates from a file, scores from the hub, both orders on stdout."""

import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from sesame_baihe import profiles
from sesame_baihe.consumer import CONTEXT, PURPOSE, SCORE_RANGE, SCORE_WEIGHT, Candidates, Matchmaking, Ranked

if TYPE_CHECKING:
    from sesame_sdk import Client, Score

#: Scores asked for in one request; as many as a hub answers.
BATCH = 10_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--as",
    "home",
    required=True,
    envvar="SESAME_HOME",
    type=click.Path(path_type=Path),
    help="The partner's folder, made by: sesame keys new.  [env: SESAME_HOME]",
)
@click.option(
    "--weight", default=SCORE_WEIGHT, show_default=True, help="Share of the score in the blend, 0 to 0.5."
)
@click.option(
    "--range", "score_range", nargs=2, type=float, default=SCORE_RANGE, show_default=True, help="Of scores."
)
@click.option("--top", type=click.IntRange(min=1), help="How many of the best to show; all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")
def rank(
    file: Path, home: Path, weight: float, score_range: tuple[float, float], top: int | None, as_json: bool
) -> None:
    """Rank the candidates in FILE for one member.

    FILE is CSV or JSON lines with profile and relevance (0 to 1). Whoever has no score, or did not agree
    to show it, is treated as average. The order without the score is shown beside it.
    """
    from sesame_sdk import Client, Home

    found = profiles.read(file)
    partner = Home.load(home)
    names = {partner.identity.pseudonym(one.name): one.name for one in found}
    request = Candidates(tuple(names), tuple(one.relevance for one in found), weight, score_range, top)
    consumer = Matchmaking()
    with Client.at(partner) as client:
        scores = _read_scores(client, consumer.subjects(request))
    ranked = consumer.use(request, scores)
    if as_json:
        click.echo(json.dumps(_as_data(ranked, names), indent=2, ensure_ascii=False))
    else:
        _print(ranked, names)


def _read_scores(client: "Client", subjects: Sequence[str]) -> "dict[str, Score | None]":
    from rich.console import Console
    from rich.progress import track

    found: dict[str, Score | None] = {}
    left = iter(subjects)
    starts = range(0, len(subjects), BATCH)
    for _ in track(starts, "reading scores", console=Console(stderr=True), transient=True):
        found |= client.scores(list(islice(left, BATCH)), purpose=PURPOSE, context=CONTEXT)
    return found


def _as_data(ranked: Ranked, names: dict[str, str]) -> dict[str, object]:
    return {
        "order": [{**asdict(place), "profile": names[place.profile]} for place in ranked.places],
        "order_without_score": [names[profile] for profile in ranked.order_without_score],
        "parameters": asdict(ranked.parameters),
    }


def _print(ranked: Ranked, names: dict[str, str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("place", "profile", "relevance", "score", "blended", "without the score"):
        table.add_column(name, justify="left" if name in ("profile", "without the score") else "right")
    without = ranked.order_without_score
    for number, (place, other) in enumerate(zip(ranked.places, without, strict=True), start=1):
        score = "none" if place.score is None else f"{place.score:.2f}"
        cells = (names[place.profile], f"{place.relevance:.3f}", score, f"{place.blended:.4f}", names[other])
        table.add_row(str(number), *cells)
    width = None if sys.stdout.isatty() else 200  # a pipe to grep or less should get whole lines
    console = Console(highlight=False, markup=False, width=width)
    console.print(table)
    console.print(_parameters(ranked))


def _parameters(ranked: Ranked) -> str:
    used = ranked.parameters
    low, high = used.score_range
    if used.neutral is None:
        return "No score is known: relevance alone decides."
    return (
        f"blended = {1 - used.score_weight:.2f} relevance + {used.score_weight:.2f} score, "
        f"scores from {low:g} to {high:g} as 0 to 1. "
        f"{used.without_score} of {used.candidates} have no score and take the mean, {used.neutral:.4f}."
    )
