"""From what was played to the noun that a report shows: spreads, curve, a typical score, rewards.

Rules:
    * a spread, a median and a reward speak of people who have a score
    * a ranking shows everybody; whoever has no score stands at the neutral place, which is the policy's base
    * equals in a ranking share the attention of their places
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sesame_sdk.audit.metrics.arrays import Codes
from sesame_sdk.audit.metrics.exposure import attention_by_score, exposure_curve
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.report.model import Choices, Curve, Reward, Simulation, Spread
from sesame_sdk.audit.simulation.adaptation import adapt
from sesame_sdk.audit.simulation.behaviour import AS_OF
from sesame_sdk.audit.simulation.simulate import Scored, SimulationResult
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.explain import scores

BINS = 24


def simulated(
    played: SimulationResult, measured: tuple[Measurement, ...], choices: tuple[Choices, ...]
) -> Simulation:
    """Everything that a report tells of the simulated people.

    Raises:
        InvalidInputError: none of them has a score.
    """
    scored, population = played.scored[0], played.population
    if not scored.has.any():
        hint = "play more people, or a greater adoption"
        raise InvalidInputError("nobody came to a score", field="population", hint=hint)
    return Simulation(
        people=population.people,
        scored=int(scored.has.sum()),
        seed=population.seed,
        days=population.days,
        spread=_spread(played),
        curve=_curve(played),
        typical=_typical(scored, played.policies[0]),
        rewards=_rewards(scored, played.policies[0]),
        choices=choices,
        measured=measured,
    )


def choices(played: SimulationResult) -> tuple[Choices, ...]:
    """Free choices before and after people adapt."""
    return adapt(played)


def members(played: SimulationResult) -> dict[str, Codes]:
    """Places of the people of each group that has any, in the order of the groups."""
    found = {
        name: np.flatnonzero(played.people.group == at) for at, name in enumerate(played.population.names)
    }
    return {name: who for name, who in found.items() if who.size}


def _spread(played: SimulationResult) -> Spread:
    policy, scored = played.policies[0], played.scored[0]
    edges = np.linspace(policy.low, policy.high, BINS + 1)
    shares, medians = {}, {}
    for name, who in members(played).items():
        points = scored.points[who[scored.has[who]]]
        if points.size:
            shares[name] = _floats(np.histogram(points, edges)[0] / points.size)
            medians[name] = float(np.median(points))
    return Spread(_floats(edges), shares, medians)


def _curve(played: SimulationResult) -> Curve:
    group, people = played.people.group, np.bincount(played.people.group)
    curve = exposure_curve(attention_by_score(played.scored[0].points), group)
    total = curve.gathered * people[:, None]
    # Nobody has entered before the last place that the first equals hold.
    seen = total.sum(axis=0)
    shares = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
    return Curve(
        ranks=tuple(int(rank) for rank, some in zip(curve.places, seen, strict=True) if some),
        shares={
            name: _floats(line[seen > 0])
            for name, line, size in zip(played.population.names, shares, people, strict=False)
            if size
        },
        people={
            name: float(size / group.size)
            for name, size in zip(played.population.names, people, strict=False)
            if size
        },
    )


def _typical(scored: Scored, policy: Policy) -> Score:
    """Of whoever stands in the middle; of equals, the first."""
    who = np.flatnonzero(scored.has)
    ordered = who[np.argsort(scored.hundredths[who], kind="stable")]
    middle = int(ordered[(ordered.size - 1) // 2])
    parts = scored.parts[middle]
    rows = [
        (0, "", int(scored.hundredths[middle])),
        *(
            (0, each.kind.name, int(part))
            for each, part in zip(policy.weightings, parts, strict=True)
            if part
        ),
    ]
    return scores(rows, policy, AS_OF)[0]


def _rewards(scored: Scored, policy: Policy) -> tuple[Reward, ...]:
    parts = scored.parts[scored.has] / 100
    found = [
        Reward(
            kind=each.kind.name,
            reason=each.kind.reason,
            mean=float(column.mean()),
            least=min(float(column.min()), 0.0),
            most=max(float(column.max()), 0.0),
            reached=float((column != 0).mean()),
        )
        for each, column in zip(policy.weightings, parts.T, strict=True)
    ]
    return tuple(sorted(found, key=lambda reward: (-reward.mean, reward.kind)))


def _floats(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
