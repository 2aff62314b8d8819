"""What would have to change for the next band: the cheapest way upwards that the person can act on, or time.

Rules:
    * every point is the one SQL text's: what is tried is a hypothetical person, many in one run
    * only what the person can do by themselves (see `rungs`); if nothing of that reaches it, no way
    * the cheapest way is the one of least effort, of as few kinds as that takes. It is exact where no
      ladder needs rungs of more than one unit, and otherwise within a rung of each of its kinds
    * beside it, at most, `MOST_WAYS` - 1 ways of a single kind, so that people can choose
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from sesame_sdk.model.explanation import Outlook, Place, Step, Way
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.hypothetical import Held, Trial
from sesame_sdk.scoring.recourse import options
from sesame_sdk.scoring.recourse.steps import Option, OptionStep, Senders, can_climb, is_new
from sesame_sdk.scoring.recourse.waiting_time import wait
from sesame_sdk.scoring.scorecard import hundredths

MOST_WAYS = 4
#: Half-made ways that are kept at a time. No policy that people could understand comes near it.
_MOST_FRONT = 1_000

_Climbs = Sequence[tuple[Option, list[OptionStep]]]
#: What a half-made way takes: effort, kinds, and the rung of each ladder so far, 0 for its foot.
_Cost = tuple[float, int, tuple[int, ...]]


def outlook(
    trial: Trial, held: Sequence[Held], score: Score, senders: Mapping[str, Senders] | None = None
) -> Outlook | None:
    """The next band and what leads there; None in the highest.

    Args:
        trial: of the policy and the day.
        held: the person's signals that count.
        score: what they come to, with its contributions.
        senders: for each kind, who can send it. None means whoever did, and one other for each kind.
    """
    band = next((band for band in trial.policy.bands if band.start > score.points), None)
    if band is None:
        return None
    parts = {part.kind: part.hundredths for part in score.contributions if part.kind}
    missing = hundredths(band.start) - hundredths(score.base) - sum(parts.values())
    able = _whoever_did(held, trial.policy) if senders is None else senders
    climbs = options.ladders(trial, trial.standing(held), parts, able, missing)
    return Outlook(
        band=band.name,
        start=band.start,
        missing=missing / 100,
        ways=_ways(trial, climbs, missing),
        waiting=wait(trial.policy, trial.as_of, held, hundredths(band.start)),
    )


def cheapest(efforts: Sequence[Sequence[tuple[int, float]]], missing: int) -> tuple[int, ...] | None:
    """Of each ladder the rung, counted from 1, that together come to `missing` for the least effort.

    Args:
        efforts: for each ladder its rungs: what they add, and what they take; both rising.
        missing: what is wanted.

    Returns:
        A number for each ladder, 0 where it is not used; None if all of them together do not reach it.
    """
    front: dict[int, _Cost] = {0: (0.0, 0, ())}
    most = min((effort for rungs in efforts for added, effort in rungs if added >= missing), default=None)
    for rungs in efforts:
        front = _thinned(_one_more(front, rungs, missing, most))
    return front[missing][2] if missing in front else None


def _one_more(
    front: Mapping[int, _Cost], rungs: Sequence[tuple[int, float]], missing: int, most: float | None
) -> dict[int, _Cost]:
    merged: dict[int, _Cost] = {}
    for sum_before, (before, kinds, picks) in front.items():
        for at, (added, effort) in enumerate([(0, 0.0), *rungs]):
            reached = min(sum_before + added, missing)
            cost = (round(before + effort, 9), kinds + (at > 0), (*picks, at))
            if most is not None and cost[0] > most:
                break
            if reached not in merged or cost < merged[reached]:
                merged[reached] = cost
            if reached == missing:
                break
    return merged


def _thinned(merged: Mapping[int, _Cost]) -> dict[int, _Cost]:
    """Without half-made ways that take no less than one that reaches further."""
    kept: dict[int, _Cost] = {}
    least: tuple[float, int] = (math.inf, 0)
    for reached in sorted(merged, reverse=True):
        if merged[reached][:2] < least:
            kept[reached] = merged[reached]
            least = merged[reached][:2]
    every = -(-len(kept) // _MOST_FRONT)
    return {reached: cost for at, (reached, cost) in enumerate(kept.items()) if at % every == 0}


def _ways(trial: Trial, climbs: _Climbs, missing: int) -> tuple[Way, ...]:
    """The cheapest way, then those of a single kind, by effort."""
    efforts = [[(rung.hundredths, rung.effort) for rung in rungs] for _, rungs in climbs]
    picks = cheapest(efforts, missing)
    if picks is None:
        return ()
    picked = [(ladder, rungs[at - 1]) for (ladder, rungs), at in zip(climbs, picks, strict=True) if at]
    alone = [
        (ladder, next(rung for rung in rungs if rung.hundredths >= missing))
        for ladder, rungs in climbs
        if rungs and rungs[-1].hundredths >= missing
    ]
    others = sorted((pair for pair in alone if [pair] != picked), key=lambda pair: pair[1].effort)
    return tuple(_way(trial, way, missing) for way in [picked, *([pair] for pair in others[: MOST_WAYS - 1])])


def _way(trial: Trial, picked: Sequence[tuple[Option, OptionStep]], missing: int) -> Way:
    """The way of these rungs, with every unit left out that it does not take."""
    by_effort = sorted(picked, key=lambda pair: -pair[1].effort / pair[1].units)
    spare = sum(rung.hundredths for _, rung in picked) - missing
    found = []
    for ladder, rung in by_effort:
        lower = options.least(trial, ladder, rung, rung.hundredths - spare)
        spare -= rung.hundredths - lower.hundredths
        found.append(_step(ladder, lower))
    return Way(tuple(sorted((step for step in found if step.units), key=lambda step: -step.hundredths)))


def _step(ladder: Option, rung: OptionStep) -> Step:
    kind = ladder.weighting.kind
    return Step(
        kind=kind.name,
        reason=kind.reason,
        unit=kind.unit,
        units=rung.units,
        places=tuple(Place("" if is_new(partner) else partner, units) for partner, units in rung.places),
        hundredths=rung.hundredths,
        effort=rung.effort,
    )


def _whoever_did(held: Iterable[Held], policy: Policy) -> dict[str, Senders]:
    partners: dict[str, set[str]] = {
        weighting.kind.name: set() for weighting in policy.weightings if can_climb(weighting)
    }
    for signal in held:
        partners.get(signal.kind, set()).add(signal.partner)
    return {kind: Senders(tuple(sorted(names)), further=1) for kind, names in partners.items()}
