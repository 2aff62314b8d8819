"""``sesame rank``: ranks candidates from a file with scores from the hub or a score store."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from sesame_baihe.consumer import CONTEXT, PURPOSE, Matchmaking
from sesame_baihe.request import SCORE_RANGE, SCORE_WEIGHT, RankingRequest
from sesame_baihe.result import RankingResult
from sesame_sdk import config_option, json_option

if TYPE_CHECKING:
    from sesame_baihe.score_blend import ReciprocalMean
    from sesame_sdk import Client, Score

#: Scores in one request; as many as a hub returns.
BATCH_SIZE = 10_000


@click.command(context_settings={"show_default": True})
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option()
@click.option("--weight", default=SCORE_WEIGHT, help="Share of the score in the blend, 0 to 0.5.")
@click.option(
    "--score-range", nargs=2, type=float, default=SCORE_RANGE, help="Lowest and highest score of the policy."
)
@click.option("--top", type=click.IntRange(min=1), help="Number of profiles to show; all by default.")
@click.option(
    "--viewer", default="", show_default=False, help="The member who sees the ranking; it breaks ties only."
)
@click.option(
    "--mean",
    type=click.Choice(("harmonic", "geometric")),
    default="harmonic",
    help="Mean of both sides' relevance, if FILE has reciprocal_relevance.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read scores from this score store instead of the hub; see: sesame store follow.",
)
@json_option
def rank(
    file: Path,
    config_dir: Path,
    weight: float,
    score_range: tuple[float, float],
    top: int | None,
    viewer: str,
    mean: "ReciprocalMean",
    store: Path | None,
    as_json: bool,
) -> None:
    """Rank the candidates in FILE for one member.

    FILE is CSV or JSON lines with the fields profile and relevance (0 to 1), and reciprocal_relevance
    (0 to 1) if both sides' relevance counts. A candidate without a score, or without consent to show it,
    is treated as average. The order without the score is shown too.
    """
    from sesame_baihe.candidate_file import read_candidates
    from sesame_baihe.ranking import rank_request
    from sesame_baihe.table_view import print_ranking
    from sesame_sdk import Client, PartnerConfig, ScoreStore, print_json

    candidates = read_candidates(file)
    partner = PartnerConfig.load(config_dir)
    names = {partner.pseudonymizer.pseudonym(candidate.name): candidate.name for candidate in candidates}
    reciprocal = (candidate.reciprocal_relevance for candidate in candidates)
    request = RankingRequest(
        tuple(names),
        tuple(candidate.relevance for candidate in candidates),
        weight,
        score_range,
        top,
        viewer=viewer,
        reciprocal_relevance=tuple(value for value in reciprocal if value is not None) or None,
        mean=mean,
    )
    if store is None:
        with Client.from_config(partner) as client:
            result = Matchmaking().use(request, _read_scores(client, request.profiles))
    else:
        hub, reader = partner.hub, partner.issuer
        with ScoreStore(store, hub=hub, reader=reader, purpose=PURPOSE, context=CONTEXT) as source:
            result = rank_request(request, source)
    if as_json:
        print_json(_as_data(result, names))
    else:
        print_ranking(result, names)


def _read_scores(client: "Client", subjects: Sequence[str]) -> "dict[str, Score | None]":
    from rich.console import Console
    from rich.progress import track

    scores: dict[str, Score | None] = {}
    left = iter(subjects)
    starts = range(0, len(subjects), BATCH_SIZE)
    for _ in track(starts, "reading scores", console=Console(stderr=True), transient=True):
        scores |= client.scores(list(islice(left, BATCH_SIZE)), purpose=PURPOSE, context=CONTEXT)
    return scores


def _as_data(result: RankingResult, names: dict[str, str]) -> dict[str, object]:
    return {
        "order": [
            {**asdict(ranked), "profile": names[ranked.profile], "description": ranked.describe()}
            for ranked in result.profiles
        ],
        "order_without_score": [names[profile] for profile in result.order_without_score],
        "parameters": {**asdict(result.parameters), "description": result.parameters.describe()},
    }
