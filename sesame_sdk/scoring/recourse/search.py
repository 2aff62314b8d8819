"""What would have to change for the next band: the cheapest plan that the person can act on, or time.

Rules:
    * only what the person can do by themselves (see `options`); if that does not reach the band, no plan
    * the cheapest plan is the one of least effort, with the fewest kinds for that effort. It is exact where
      no option needs steps of more than one unit, and otherwise within a step of each of its kinds
    * besides it, at most `MAX_PLANS` - 1 plans of a single kind, so that people can choose
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sesame_sdk.model.explanation import NextBand, PartnerUnits, RecoursePlan, Step
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.hypothetical import CountedSignal, sum_by_partner
from sesame_sdk.scoring.recourse.options import Option, Senders, is_actionable, is_new, list_options
from sesame_sdk.scoring.recourse.waiting_time import find_waiting_time
from sesame_sdk.scoring.scorecard import to_hundredths

MAX_PLANS = 4
#: Partial plans that are kept at a time. No policy that people can understand comes near it.
_MAX_PARTIAL_PLANS = 1_000

#: Cost of a partial plan: effort, number of kinds, and the step of each option so far, 0 for none.
_Cost = tuple[float, int, tuple[int, ...]]
_Choice = Sequence[tuple[Option, int]]


def find_next_band(
    signals: Sequence[CountedSignal],
    score: Score,
    policy: Policy,
    as_of: date,
    senders: Mapping[str, Senders] | None = None,
) -> NextBand | None:
    """The next band and the plans to reach it; None in the highest band.

    Args:
        signals: the person's signals that count.
        score: the score that they make, with its contributions.
        policy: how the score is made.
        as_of: the day.
        senders: for each kind, who can send it. By default those that did, and one other for each kind.
    """
    band = next((band for band in policy.bands if band.start > score.points), None)
    if band is None:
        return None
    reached = to_hundredths(score.base) + sum(part.hundredths for part in score.contributions if part.kind)
    missing = to_hundredths(band.start) - reached
    able = _previous_senders(signals, policy) if senders is None else senders
    options = list_options(policy, sum_by_partner(signals, policy, as_of), able)
    return NextBand(
        name=band.name,
        start=band.start,
        missing_points=missing / 100,
        plans=_plans(options, missing),
        waiting=find_waiting_time(policy, as_of, signals, to_hundredths(band.start)),
    )


def find_cheapest(efforts: Sequence[Sequence[tuple[int, float]]], missing: int) -> tuple[int, ...] | None:
    """The step of each option, counted from 1, that together reach `missing` with the least effort.

    Args:
        efforts: for each option its steps: hundredths and effort, both rising.
        missing: hundredths to reach.

    Returns:
        A number for each option, 0 where it is not used; None if all of them together do not reach it.
    """
    front: dict[int, _Cost] = {0: (0.0, 0, ())}
    single = (effort for steps in efforts for added, effort in steps if added >= missing)
    max_effort = min(single, default=math.inf)
    for steps in efforts:
        front = _prune(_extend(front, steps, missing, max_effort))
    return front[missing][2] if missing in front else None


def _extend(
    front: Mapping[int, _Cost], steps: Sequence[tuple[int, float]], missing: int, max_effort: float
) -> dict[int, _Cost]:
    """Every partial plan with every step of one more option, the cheapest for each sum."""
    extended: dict[int, _Cost] = {}
    for sum_before, (effort_before, kinds, picks) in front.items():
        for pick, (added, effort) in enumerate([(0, 0.0), *steps]):
            reached = min(sum_before + added, missing)
            cost = (round(effort_before + effort, 9), kinds + (pick > 0), (*picks, pick))
            if cost[0] > max_effort:
                break
            if reached not in extended or cost < extended[reached]:
                extended[reached] = cost
            if reached == missing:
                break
    return extended


def _prune(partial: Mapping[int, _Cost]) -> dict[int, _Cost]:
    """Without partial plans that cost no less than one that reaches further."""
    kept: dict[int, _Cost] = {}
    least: tuple[float, int] = (math.inf, 0)
    for reached in sorted(partial, reverse=True):
        if partial[reached][:2] < least:
            kept[reached] = partial[reached]
            least = partial[reached][:2]
    every = -(-len(kept) // _MAX_PARTIAL_PLANS)
    return {reached: cost for at, (reached, cost) in enumerate(kept.items()) if at % every == 0}


def _plans(options: Sequence[Option], missing: int) -> tuple[RecoursePlan, ...]:
    """The cheapest plan, then those of a single kind, by effort."""
    steps = [option.steps(missing) for option in options]
    picks = find_cheapest([[(step.hundredths, step.effort) for step in these] for these in steps], missing)
    if picks is None:
        return ()
    choice = [
        (option, these[pick - 1].units)
        for option, these, pick in zip(options, steps, picks, strict=True)
        if pick
    ]
    last = [(option, these[-1]) for option, these in zip(options, steps, strict=True) if these]
    single = [(option, step) for option, step in last if step.hundredths >= missing]
    others = [[(option, step.units)] for option, step in sorted(single, key=lambda pair: pair[1].effort)]
    choices = [choice, *[other for other in others if other != choice][: MAX_PLANS - 1]]
    return tuple(_plan(each, missing) for each in choices)


def _plan(choice: _Choice, missing: int) -> RecoursePlan:
    """The plan of these units, less the units that it does not need."""
    spare = sum(option.hundredths(units) for option, units in choice) - missing
    steps = []
    for option, units in sorted(choice, key=lambda pair: -(pair[0].weighting.effort or 0.0)):
        added = option.hundredths(units)
        needed = option.units_for(added - spare)
        spare -= added - option.hundredths(needed)
        if needed:
            steps.append(_step(option, needed))
    return RecoursePlan(tuple(sorted(steps, key=lambda step: -step.hundredths)))


def _step(option: Option, units: int) -> Step:
    kind, step = option.weighting.kind, option.step(units)
    places = option.places(units).items()
    return Step(
        kind=kind.name,
        reason=kind.reason,
        unit=kind.unit,
        units=units,
        partners=tuple(PartnerUnits("" if is_new(partner) else partner, count) for partner, count in places),
        hundredths=step.hundredths,
        effort=step.effort,
    )


def _previous_senders(signals: Iterable[CountedSignal], policy: Policy) -> dict[str, Senders]:
    partners: dict[str, set[str]] = {
        weighting.kind.name: set() for weighting in policy.weightings if is_actionable(weighting)
    }
    for signal in signals:
        partners.get(signal.kind, set()).add(signal.partner)
    return {kind: Senders(tuple(sorted(names)), further=1) for kind, names in partners.items()}
