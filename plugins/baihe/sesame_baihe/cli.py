"""``sesame rank``: candidates from a file, scores from the hub, both orders on stdout."""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from sesame_baihe.consumer import CONTEXT, PURPOSE, SCORE_RANGE, SCORE_WEIGHT, Candidates, Matchmaking
from sesame_baihe.result import Ranked

if TYPE_CHECKING:
    from sesame_baihe.candidate_file import Profile
    from sesame_baihe.score_blend import Mean
    from sesame_sdk import Client, PartnerConfig, Score

#: Scores asked for in one request; as many as a hub answers.
BATCH = 10_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--config",
    "home",
    required=True,
    envvar="SESAME_CONFIG",
    type=click.Path(path_type=Path),
    help="The partner's folder, made by: sesame keys new.  [env: SESAME_CONFIG]",
)
@click.option(
    "--weight", default=SCORE_WEIGHT, show_default=True, help="Share of the score in the blend, 0 to 0.5."
)
@click.option("--score-range", nargs=2, type=float, default=SCORE_RANGE, show_default=True, help="Of scores.")
@click.option("--top", type=click.IntRange(min=1), help="How many of the best to show; all by default.")
@click.option("--viewer", default="", help="Who looks: decides among equals, and nothing else.")
@click.option(
    "--mean",
    type=click.Choice(("harmonic", "geometric")),
    default="harmonic",
    show_default=True,
    help="Of both sides' interest, where FILE has in_return.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read this store of scores, kept by sesame store follow, not the hub.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")
def rank(
    file: Path,
    home: Path,
    weight: float,
    score_range: tuple[float, float],
    top: int | None,
    viewer: str,
    mean: "Mean",
    store: Path | None,
    as_json: bool,
) -> None:
    """Rank the candidates in FILE for one member.

    FILE is CSV or JSON lines with profile and relevance (0 to 1), and in_return (0 to 1) where both sides'
    interest counts. Whoever has no score, or did not agree
    to show it, is treated as average. The order without the score is shown beside it.
    """
    from sesame_baihe import candidate_file, table_view
    from sesame_sdk import PartnerConfig

    found = candidate_file.read(file)
    partner = PartnerConfig.load(home)
    names = {partner.identity.pseudonym(one.name): one.name for one in found}
    request = Candidates(
        tuple(names),
        tuple(one.relevance for one in found),
        weight,
        score_range,
        top,
        member=viewer,
        in_return=_in_return(found),
        mean=mean,
    )
    ranked = _by_asking(partner, request) if store is None else _by_book(partner, request, store)
    if as_json:
        click.echo(json.dumps(_as_data(ranked, names), indent=2, ensure_ascii=False))
    else:
        table_view.show(ranked, names)


def _in_return(found: "Sequence[Profile]") -> tuple[float, ...] | None:
    back = tuple(one.in_return for one in found if one.in_return is not None)
    return back or None


def _by_asking(partner: "PartnerConfig", request: Candidates) -> Ranked:
    from sesame_sdk import Client

    consumer = Matchmaking()
    with Client.from_config(partner) as client:
        return consumer.use(request, _read_scores(client, consumer.subjects(request)))


def _by_book(partner: "PartnerConfig", request: Candidates, path: Path) -> Ranked:
    from sesame_baihe.ranking import rank_request
    from sesame_sdk import ScoreStore

    with ScoreStore(path, hub=partner.hub, reader=partner.issuer, purpose=PURPOSE, context=CONTEXT) as book:
        return rank_request(request, book)


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
        "order": [
            {**asdict(place), "profile": names[place.profile], "words": place.words()}
            for place in ranked.places
        ],
        "order_without_score": [names[profile] for profile in ranked.order_without_score],
        "parameters": {**asdict(ranked.parameters), "words": ranked.parameters.words()},
    }
