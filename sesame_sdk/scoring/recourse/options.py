"""What more of a kind comes to, unit by unit, and at whom: a ladder a kind, tried by the one SQL text.

Rules:
    * a kind is climbed only if the person can (`rungs.can_climb`)
    * and only at partners that can send it: those who may for this person, or others who are there
    * units go first where all of them count, then where a partner's cap leaves room for a part of one
    * a ladder has `MOST_RUNGS` at most; where that is too few for single units, a rung is a round
      number of them, and `least` then finds the single unit
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from attrs import evolve

from sesame_sdk.model.policy import Weighting
from sesame_sdk.scoring.hypothetical import Held, Trial
from sesame_sdk.scoring.policy_text import is_money
from sesame_sdk.scoring.recourse.steps import NEW, Option, OptionStep, Senders, can_climb, is_new
from sesame_sdk.scoring.scorecard import MICROPOINTS

MOST_RUNGS = 60
#: More signals, or more money, than one would tell anybody to come by.
MOST_PIECES, MOST_MONEY = 1_000, 1_000_000
#: Partners new to the person that one way may need.
MOST_NEW = 3


def ladders(
    trial: Trial,
    standing: Sequence[Held],
    parts: Mapping[str, int],
    senders: Mapping[str, Senders],
    missing: int,
) -> list[tuple[Option, list[OptionStep]]]:
    """Every kind that can be climbed, with rungs that each add more than the one below.

    Args:
        trial: of the policy and the day.
        standing: what the person has, as `Trial.standing` says it.
        parts: hundredths by kind that this comes to.
        senders: for each kind, who can send it.
        missing: hundredths that are wanted; no ladder goes far beyond.
    """
    found = _footed(trial, standing, parts, senders, missing)
    rows = _turns(trial, found)
    wanted = [
        [Counter(row[:at]) for at in range(1, min(len(row), ladder.most) + 1)]
        for ladder, row in zip(found, rows, strict=True)
    ]
    tried = [_whole_rungs(ladder, places) for ladder, places in zip(found, wanted, strict=True)]
    return [(ladder, _rising(rungs)) for ladder, rungs in zip(found, climb(trial, found, tried), strict=True)]


def climb(
    trial: Trial, found: Sequence[Option], wanted: Sequence[Sequence[Mapping[str, int]]]
) -> list[list[OptionStep]]:
    """For each ladder, what each of the wanted numbers of units comes to; in one run."""
    people = [
        ladder.with_units(places, trial.today)
        for ladder, these in zip(found, wanted, strict=True)
        for places in these
    ]
    outcomes = iter(trial.parts(people))
    return [
        [ladder.rung(places, next(outcomes)) for places in these]
        for ladder, these in zip(found, wanted, strict=True)
    ]


def least(trial: Trial, ladder: Option, rung: OptionStep, wanted: int) -> OptionStep:
    """The rung with as many units taken off as still leaves `wanted` hundredths."""
    if ladder.step == 1:
        return rung  # the one below adds less, and was not chosen
    for partner, _ in reversed(rung.places):
        places = dict(rung.places)
        low, high = -1, places[partner]  # more than `low` are needed, `high` are enough
        while high - low > 1:
            tries = sorted({low + (high - low) * at // MOST_RUNGS for at in range(1, MOST_RUNGS)} - {low})
            found = climb(trial, [ladder], [[places | {partner: units} for units in tries]])[0]
            enough = [tried for tried in found if tried.hundredths >= wanted]
            short = [units for units, tried in zip(tries, found, strict=True) if tried.hundredths < wanted]
            low = max([low, *short])
            if enough:
                rung, high = enough[0], dict(enough[0].places)[partner]
    return evolve(rung, places=tuple((partner, units) for partner, units in rung.places if units))


def _footed(
    trial: Trial,
    standing: Sequence[Held],
    parts: Mapping[str, int],
    senders: Mapping[str, Senders],
    missing: int,
) -> list[Option]:
    chosen = [weighting for weighting in trial.policy.weightings if can_climb(weighting)]
    units = trial.units(chosen)
    found = []
    for weighting in chosen:
        kind = weighting.kind.name
        held = tuple(one for one in standing if one.kind == kind)
        partners = _partners(senders.get(kind, Senders()), held)
        if partners and units[kind] > 0:
            step, most = _steps(weighting, held, missing, len(partners))
            found.append(Option(weighting, units[kind], partners, held, parts.get(kind, 0), step, most))
    return found


def _partners(senders: Senders, held: Iterable[Held]) -> tuple[str, ...]:
    """Those who may, and new ones; nobody whose signals take points so far, if there is anybody else."""
    behind = {one.partner for one in held if one.value < 0}
    new = [f"{NEW}{number}" for number in range(min(senders.further, MOST_NEW))]
    everybody = [*sorted(set(senders.partners)), *new]
    return tuple(partner for partner in everybody if partner not in behind) or tuple(everybody)


def _steps(weighting: Weighting, held: Iterable[Held], missing: int, partners: int) -> tuple[int, int]:
    """Units a rung, and how many rungs are sure to be enough, or the most that one would tell anybody."""
    a_unit = weighting.weight * MICROPOINTS
    behind = -sum(min(one.value, 0.0) for one in held)
    enough = int(missing * (MICROPOINTS / 100) / a_unit + behind) + 1 + partners
    most = min(enough, MOST_MONEY if is_money(weighting.kind.unit) else MOST_PIECES)
    step = next(size for size in _round_numbers() if size * MOST_RUNGS >= most)
    return step, -(-most // step)


def _round_numbers() -> Iterable[int]:
    return (figure * 10**zeros for zeros in range(7) for figure in (1, 2, 5))


def _turns(trial: Trial, found: Sequence[Option]) -> list[list[str]]:
    """For each ladder, whose turn it is, rung by rung."""
    # New partners are alike, so one of them is tried for all.
    likes = [list(dict.fromkeys(map(_like, ladder.partners))) for ladder in found]
    wanted = [
        [{partner: at * ladder.step} for partner in names for at in range(1, ladder.most + 1)]
        for ladder, names in zip(found, likes, strict=True)
    ]
    turns = []
    for ladder, names, rungs in zip(found, likes, climb(trial, found, wanted), strict=True):
        alone = {
            name: [rung.hundredths for rung in rungs[at * ladder.most : (at + 1) * ladder.most]]
            for at, name in enumerate(names)
        }
        turns.append(_in_turn(ladder.partners, alone))
    return turns


def _like(partner: str) -> str:
    return f"{NEW}0" if is_new(partner) else partner


def _in_turn(partners: Iterable[str], alone: Mapping[str, Sequence[int]]) -> list[str]:
    """Partners that take whole rungs first, the roomiest before the others; then parts of rungs, by size."""
    whole: dict[str, int] = {}
    parts: list[tuple[int, str]] = []
    slope = max((sums[0] for sums in alone.values()), default=0)
    for partner in partners:
        sums = alone[_like(partner)]
        full = sums.index(max(sums)) + 1 if max(sums) > 0 else 0
        last = sums[full - 1] - (sums[full - 2] if full > 1 else 0) if full else 0
        is_part = full > 0 and last < slope - 1
        whole[partner] = full - is_part
        parts += [(last, partner)] if is_part else []
    roomiest = sorted(whole, key=lambda partner: (is_new(partner), -whole[partner]))
    by_size = sorted(parts, key=lambda part: -part[0])
    return [
        *chain.from_iterable([partner] * whole[partner] for partner in roomiest),
        *(p for _, p in by_size),
    ]


def _whole_rungs(ladder: Option, wanted: Iterable[Mapping[str, int]]) -> list[dict[str, int]]:
    return [{partner: rungs * ladder.step for partner, rungs in places.items()} for places in wanted]


def _rising(rungs: Iterable[OptionStep]) -> list[OptionStep]:
    kept: list[OptionStep] = []
    for rung in rungs:
        if rung.hundredths > (kept[-1].hundredths if kept else 0):
            kept.append(rung)
    return kept
