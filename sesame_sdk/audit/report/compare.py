"""Compares a new policy with an old one: the same people, with the same behaviour.

Rules:
    * rises, falls and bands cover people who have a score under both policies
    * people with a score under one policy only are counted as gained or lost, never as risen or fallen
    * behaviour is generated from the new policy's kinds, so that the policies differ only in their weights
"""

import numpy as np

from sesame_sdk.audit.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.stability import measure_stability
from sesame_sdk.audit.report.build import group_members
from sesame_sdk.audit.report.model import GroupChange, PolicyChange
from sesame_sdk.audit.simulation.simulate import PolicyScores, SimulationResult
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Policy

#: Odd, so that people whose score stays are in the middle bin.
BINS = 21
ALL_PEOPLE = "all people"


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
    groups = {ALL_PEOPLE: np.arange(both.size), **group_members(result)}
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
    counts, edges = np.histogram(gained, np.linspace(-limit, limit, BINS + 1))
    return tuple(edges.tolist()), tuple((counts / max(gained.size, 1)).tolist())


def _bands(policy: Policy, scores: PolicyScores, both: Flags) -> Codes:
    starts = [band.start for band in policy.bands]
    return np.asarray(np.searchsorted(starts, scores.points[both], side="right") - 1)


def _transitions(before: Codes, after: Codes, old: Policy, new: Policy) -> tuple[tuple[float, ...], ...]:
    shape = len(old.bands), len(new.bands)
    cells = np.bincount(before * shape[1] + after, minlength=shape[0] * shape[1]).reshape(shape)
    people = np.maximum(cells.sum(axis=1, keepdims=True), 1)
    return tuple(tuple(row) for row in (cells / people).tolist())
