"""Builds the report's summary of a simulation, and its comparison of a new policy with an old one.

Rules:
    * distributions, medians and rewards cover people who have a score
    * a ranking covers all people; people without a score rank at the policy's base
    * equal scores in a ranking share the attention of their ranks
    * rises, falls and bands cover people who have a score under both policies; people with a score under one
      only are counted as gained or lost
    * behaviour is generated from the new policy's kinds, so that the policies differ only in their weights
"""

from collections.abc import Iterable

import numpy as np

from sesame_sdk.audit.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.metrics.exposure import attention_by_score, cumulative_exposure
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.stability import measure_stability
from sesame_sdk.audit.report.model import (
    ExposureByRank,
    GroupChange,
    KindReward,
    PolicyChange,
    ScoreDistribution,
    SimulationSummary,
)
from sesame_sdk.audit.simulation.behaviour import AS_OF
from sesame_sdk.audit.simulation.simulate import FreeChoice, PolicyScores, SimulationResult
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring.explain import build_scores

BINS = 24
#: Odd, so that people whose score stays are in the middle bin.
CHANGE_BINS = 21


def summarize_simulation(
    result: SimulationResult, metrics: tuple[Measurement, ...], choices: tuple[FreeChoice, ...]
) -> SimulationSummary:
    """Summarize the scores of the simulated people; raise InvalidInputError if none of them has a score."""
    policy, scores, population = result.policies[0], result.scores[0], result.population
    if not scores.has_score.any():
        hint = "simulate more people, or a greater adoption"
        raise InvalidInputError("no simulated person has a score", field="population", hint=hint)
    return SimulationSummary(
        people=population.people,
        scored=int(scores.has_score.sum()),
        seed=population.seed,
        days=population.days,
        distribution=_distribution(result),
        exposure=_exposure(result),
        typical_score=_typical_score(scores, policy),
        rewards=_rewards(scores, policy),
        choices=choices,
        metrics=metrics,
    )


def _group_members(result: SimulationResult) -> dict[str, Codes]:
    """Indices of the members of each group that has any, in the order of the groups."""
    names = result.population.group_names
    members = {name: np.flatnonzero(result.people.group == at) for at, name in enumerate(names)}
    return {name: people for name, people in members.items() if people.size}


def _distribution(result: SimulationResult) -> ScoreDistribution:
    policy, scores = result.policies[0], result.scores[0]
    edges = np.linspace(policy.low, policy.high, BINS + 1)
    shares, medians = {}, {}
    for name, people in _group_members(result).items():
        points = scores.points[people[scores.has_score[people]]]
        if points.size:
            shares[name] = _floats(np.histogram(points, edges)[0] / points.size)
            medians[name] = float(np.median(points))
    return ScoreDistribution(_floats(edges), shares, medians)


def _exposure(result: SimulationResult) -> ExposureByRank:
    group, people = result.people.group, np.bincount(result.people.group)
    curve = cumulative_exposure(attention_by_score(result.scores[0].points), group)
    total = curve.cumulative * people[:, None]
    # Before the last rank of the first equal scores, no attention is counted.
    attention = total.sum(axis=0)
    counted = attention > 0
    names = result.population.group_names
    attention_by_group = zip(names, total[:, counted] / attention[counted], people, strict=False)
    return ExposureByRank(
        ranks=tuple(curve.ranks[counted].tolist()),
        shares={name: _floats(shares) for name, shares, size in attention_by_group if size},
        people={name: float(size / group.size) for name, size in zip(names, people, strict=False) if size},
    )


def _typical_score(scores: PolicyScores, policy: Policy) -> Score:
    """The score of the median person; of equals, the first."""
    people = np.flatnonzero(scores.has_score)
    ordered = people[np.argsort(scores.hundredths[people], kind="stable")]
    median = int(ordered[(ordered.size - 1) // 2])
    rows = [(0, "", int(scores.hundredths[median]))]
    parts = zip(policy.weightings, scores.parts[median], strict=True)
    rows += [(0, kind.kind.name, int(part)) for kind, part in parts if part]
    return build_scores(rows, policy, AS_OF)[0]


def _rewards(scores: PolicyScores, policy: Policy) -> tuple[KindReward, ...]:
    parts = scores.parts[scores.has_score] / 100
    rewards = [
        KindReward(
            kind=kind.kind.name,
            reason=kind.kind.reason,
            mean_points=float(column.mean()),
            min_points=min(float(column.min()), 0.0),
            max_points=max(float(column.max()), 0.0),
            share_affected=float((column != 0).mean()),
        )
        for kind, column in zip(policy.weightings, parts.T, strict=True)
    ]
    return tuple(sorted(rewards, key=lambda reward: (-reward.mean_points, reward.kind)))


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def measure_policy_stability(result: SimulationResult) -> Measurement:
    """Measure PSI-1 of the new policy's scores against the old one's."""
    new, old = (scores.points[scores.has_score] for scores in result.scores[:2])
    if not new.size or not old.size:
        reason, hint = "no simulated person has a score", "simulate more people"
        raise InvalidInputError(reason, field="baseline", hint=hint)
    return measure_stability(old, new)


def compare_policies(result: SimulationResult, psi: Measurement) -> PolicyChange:
    """Compute the change from the second policy of the result, the old one, to the first."""
    (new, old), (after, before) = result.policies[:2], result.scores[:2]
    both = after.has_score & before.has_score
    gained = (after.hundredths - before.hundredths) / 100
    groups = {"all people": np.arange(both.size), **_group_members(result)}
    edges, shares = _histogram(gained[both])
    return PolicyChange(
        old_policy=old,
        groups={name: _group_change(gained[people[both[people]]]) for name, people in groups.items()},
        edges=edges,
        shares=shares,
        bands_before=tuple(band.name for band in old.bands),
        bands_after=tuple(band.name for band in new.bands),
        band_transitions=_transitions(_bands(old, before, both), _bands(new, after, both), old, new),
        gained_score=int((after.has_score & ~before.has_score).sum()),
        lost_score=int((before.has_score & ~after.has_score).sum()),
        psi=psi,
    )


def _group_change(gained: Numbers) -> GroupChange:
    if not gained.size:
        return GroupChange(0, 0.0, 0.0, 0.0, 0.0)
    return GroupChange(
        people=gained.size,
        share_rising=float((gained > 0).mean()),
        share_falling=float((gained < 0).mean()),
        mean_change=float(gained.mean()),
        largest_fall=min(float(gained.min()), 0.0),
    )


def _histogram(gained: Numbers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    limit = max(float(np.abs(gained).max(initial=0.0)), 1.0)
    counts, edges = np.histogram(gained, np.linspace(-limit, limit, CHANGE_BINS + 1))
    return tuple(edges.tolist()), tuple((counts / max(gained.size, 1)).tolist())


def _bands(policy: Policy, scores: PolicyScores, both: Flags) -> Codes:
    starts = [band.start for band in policy.bands]
    return np.asarray(np.searchsorted(starts, scores.points[both], side="right") - 1)


def _transitions(before: Codes, after: Codes, old: Policy, new: Policy) -> tuple[tuple[float, ...], ...]:
    shape = len(old.bands), len(new.bands)
    cells = np.bincount(before * shape[1] + after, minlength=shape[0] * shape[1]).reshape(shape)
    people = np.maximum(cells.sum(axis=1, keepdims=True), 1)
    return tuple(tuple(row) for row in (cells / people).tolist())
