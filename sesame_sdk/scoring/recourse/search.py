"""What would have to change for the next band: the cheapest plan that the person can act on, or time.

More of a kind is an option only if the person can act on it, at partners that can send it. The caps, less the
sums of the scoring SQL, limit what units add: both are whole micropoints, so the result is that of the SQL.
Units are placed first where they count in full, then where a partner's headroom is less than one unit.

The cheapest plan is the one of least effort, with the fewest kinds for that effort. It is exact where no
option needs steps of more than one unit, and otherwise within a step of each of its kinds. Besides it there
are at most `MAX_PLANS` - 1 plans of a single kind, so that people can choose.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from attrs import frozen

from sesame_sdk.model.explanation import NextBand, PartnerUnits, RecoursePlan, Step
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.engines import CountedSignal, sum_by_partner
from sesame_sdk.scoring.policy_text import is_money
from sesame_sdk.scoring.recourse.waiting_time import find_waiting_time
from sesame_sdk.scoring.scorecard import MICROPOINTS, MICROPOINTS_PER_HUNDREDTH, to_hundredths

#: Steps of one option that a search compares; where units are more, a step is a round number of them.
MAX_STEPS = 60
#: More signals, or more money, than anybody would be advised to add.
MAX_UNITS, MAX_MONEY = 1_000, 1_000_000
#: Partners new to the person in one option.
MAX_NEW_PARTNERS = 3
#: Prefix of the name of a partner that is new to the person; no issuer begins with it.
_NEW = "\0"
MAX_PLANS = 4
#: Partial plans that are kept at a time. No policy that people can understand comes near it.
_MAX_PARTIAL_PLANS = 1_000

#: Cost of a partial plan: effort, number of kinds, and the step of each option so far, 0 for none.
_Cost = tuple[float, int, tuple[int, ...]]


@frozen
class Senders:
    """Who can send a kind for a person: issuers that may now, and how many `further` that they do not use."""

    partners: tuple[str, ...] = ()
    further: int = 0


class OptionStep(NamedTuple):
    """A number of units and what they come to."""

    units: int
    hundredths: int
    effort: float


@frozen
class Option:
    """One kind of which a person can do more, by `unit` micropoints each.

    `sums` are micropoints of each partner's signals today, uncapped; `blocks` say at which partner to add how
    many units, in the order in which they add most.
    """

    weighting: Weighting
    unit: int
    sums: Mapping[str, int]
    blocks: tuple[tuple[str, int], ...]

    def places(self, units: int) -> dict[str, int]:
        """How many of the units to add at each partner."""
        places: dict[str, int] = {}
        for partner, size in self.blocks:
            if taken := min(units, size):
                places[partner] = places.get(partner, 0) + taken
                units -= taken
        return places

    def hundredths(self, units: int) -> int:
        """Hundredths of a point that the units add."""
        return self._part(self.places(units)) - self._part({})

    def units_for(self, wanted: int) -> int:
        """The fewest units that add `wanted` hundredths, or as many as there is headroom for."""
        limit = MAX_MONEY if is_money(self.weighting.kind.unit) else MAX_UNITS
        capacity = min(sum(size for _, size in self.blocks), limit)
        return bisect_left(range(capacity), min(wanted, self.hundredths(capacity)), key=self.hundredths)

    def step(self, units: int) -> OptionStep:
        """What a number of units comes to."""
        effort = round((self.weighting.effort or 0.0) * units, 9)
        return OptionStep(units, self.hundredths(units), effort)

    def steps(self, wanted: int) -> list[OptionStep]:
        """Up to `MAX_STEPS` steps towards `wanted` hundredths, each adding more than the one before."""
        enough = self.units_for(wanted)
        size = next(size for size in _round_numbers() if size * MAX_STEPS >= enough)
        rising: list[OptionStep] = []
        for units in range(size, enough + size, size):
            step = self.step(min(units, enough))
            if step.hundredths > (rising[-1].hundredths if rising else 0):
                rising.append(step)
        return rising

    def _part(self, places: Mapping[str, int]) -> int:
        limit = to_hundredths(self.weighting.partner_cap) * MICROPOINTS_PER_HUNDREDTH
        partners = {**self.sums, **places}
        sums = (self.sums.get(each, 0) + places.get(each, 0) * self.unit for each in partners)
        total = sum(max(-limit, min(limit, micropoints)) for micropoints in sums)
        floor = to_hundredths(self.weighting.floor) * MICROPOINTS_PER_HUNDREDTH
        cap = to_hundredths(self.weighting.cap) * MICROPOINTS_PER_HUNDREDTH
        bounded = max(floor, min(cap, total))
        return (bounded + MICROPOINTS_PER_HUNDREDTH // 2) // MICROPOINTS_PER_HUNDREDTH


def list_options(
    policy: Policy, sums: Mapping[str, Mapping[str, int]], senders: Mapping[str, Senders]
) -> list[Option]:
    """The options of a person; `sums` are those of `engines.sum_by_partner`, `senders` are by kind."""
    options = []
    for weighting in filter(is_actionable, policy.weightings):
        kind = weighting.kind.name
        unit = math.floor(weighting.weight * MICROPOINTS + 0.500001)  # as the scoring SQL rounds it
        of_kind = sums.get(kind, {})
        if unit > 0:
            blocks = _blocks(weighting, unit, of_kind, _partners(senders.get(kind, Senders()), of_kind))
            options.append(Option(weighting, unit, of_kind, blocks))
    return options


def is_actionable(weighting: Weighting) -> bool:
    """Whether a person can raise their score by more of this kind, and only raise it, with effort."""
    raises = weighting.weight > 0 and weighting.cap > 0 and not weighting.can_lower
    return raises and weighting.effort is not None


def is_new(partner: str) -> bool:
    """Whether this stands for a partner that the person does not use yet."""
    return partner.startswith(_NEW)


def _partners(senders: Senders, sums: Mapping[str, int]) -> tuple[str, ...]:
    """Known and new partners, without those whose signals take points so far, if there are others."""
    new = [f"{_NEW}{number}" for number in range(min(senders.further, MAX_NEW_PARTNERS))]
    partners = [*sorted(set(senders.partners)), *new]
    return tuple(partner for partner in partners if sums.get(partner, 0) >= 0) or tuple(partners)


def _blocks(
    weighting: Weighting, unit: int, sums: Mapping[str, int], partners: Iterable[str]
) -> tuple[tuple[str, int], ...]:
    limit = to_hundredths(weighting.partner_cap) * MICROPOINTS_PER_HUNDREDTH
    headroom = {partner: max(limit - sums.get(partner, 0), 0) for partner in partners}
    full = {partner: space // unit for partner, space in headroom.items()}
    rest = {partner: space % unit for partner, space in headroom.items()}
    return (
        *((partner, full[partner]) for partner in sorted(full, key=lambda each: (is_new(each), -full[each]))),
        *((partner, 1) for partner in sorted(rest, key=lambda each: -rest[each]) if rest[partner]),
    )


def _round_numbers() -> Iterable[int]:
    return (figure * 10**zeros for zeros in range(7) for figure in (1, 2, 5))


def find_next_band(
    signals: Sequence[CountedSignal],
    score: Score,
    policy: Policy,
    as_of: date,
    senders: Mapping[str, Senders] | None = None,
) -> NextBand | None:
    """The next band and the plans to reach it; None in the highest band.

    `score` is what the signals make, with its contributions. `senders` says by kind who can send it: by
    default those that did, and one other.
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
    """The steps that together reach `missing` hundredths with the least effort; None if all do not.

    `efforts` has for each option its steps: hundredths and effort, both rising. The result has the step of
    each option, counted from 1; 0 where it is not used.
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
    chosen = zip(options, steps, picks, strict=True)
    choice = [(option, these[pick - 1].units) for option, these, pick in chosen if pick]
    last = [(option, these[-1]) for option, these in zip(options, steps, strict=True) if these]
    single = [(option, step) for option, step in last if step.hundredths >= missing]
    others = [[(option, step.units)] for option, step in sorted(single, key=lambda pair: pair[1].effort)]
    choices = [choice, *[other for other in others if other != choice][: MAX_PLANS - 1]]
    return tuple(_plan(each, missing) for each in choices)


def _plan(choice: Sequence[tuple[Option, int]], missing: int) -> RecoursePlan:
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
    actionable = filter(is_actionable, policy.weightings)
    partners: dict[str, set[str]] = {weighting.kind.name: set() for weighting in actionable}
    for signal in signals:
        partners.get(signal.kind, set()).add(signal.partner)
    return {kind: Senders(tuple(sorted(names)), further=1) for kind, names in partners.items()}
