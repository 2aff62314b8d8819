"""What a new policy does to whom, against an old one: the same people, doing the same things.

Rules:
    * rises, falls and bands speak of people who have a score under both
    * whoever has a score under one only is counted as gained or lost, never as risen or fallen
    * what people do is taken as the new policy sees it; so the weights differ, and nobody's conduct does
"""

import numpy as np

from sesame_sdk.audit.metrics.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.metrics.stability import measure_stability
from sesame_sdk.audit.report.build import members
from sesame_sdk.audit.report.model import Change, Moved
from sesame_sdk.audit.simulation.simulate import Scored, SimulationResult
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.policy import Policy

#: Odd, so that people whose score stays are in the middle one.
BINS = 21
EVERYBODY = "everybody"


def stability(played: SimulationResult) -> Measurement:
    """PSI-1 of the new policy's scores against the old one's.

    Raises:
        InvalidInputError: nobody has a score under one of them.
    """
    new, old = (scored.points[scored.has] for scored in played.scored[:2])
    if not new.size or not old.size:
        raise InvalidInputError("nobody came to a score", field="against", hint="play more people")
    return measure_stability(old, new)


def compared(played: SimulationResult, psi: Measurement) -> Change:
    """The change from the second of the policies to the first.

    Args:
        played: the new policy first, the old one second.
        psi: of `stability`.
    """
    (new, old), (after, before) = played.policies[:2], played.scored[:2]
    both = after.has & before.has
    gained = (after.hundredths - before.hundredths) / 100
    groups = {EVERYBODY: np.arange(both.size), **members(played)}
    edges, shares = _histogram(gained[both])
    return Change(
        old=old,
        groups={name: _moved(gained[who[both[who]]]) for name, who in groups.items()},
        edges=edges,
        shares=shares,
        bands_before=tuple(band.name for band in old.bands),
        bands_after=tuple(band.name for band in new.bands),
        crossings=_crossings(_bands(old, before, both), _bands(new, after, both), old, new),
        gained=int((after.has & ~before.has).sum()),
        lost=int((before.has & ~after.has).sum()),
        psi=psi,
    )


def _moved(gained: Numbers) -> Moved:
    if not gained.size:
        return Moved(0, 0.0, 0.0, 0.0, 0.0)
    return Moved(
        people=gained.size,
        rise=float((gained > 0).mean()),
        fall=float((gained < 0).mean()),
        mean=float(gained.mean()),
        worst=min(float(gained.min()), 0.0),
    )


def _histogram(gained: Numbers) -> tuple[tuple[float, ...], tuple[float, ...]]:
    most = max(float(np.abs(gained).max(initial=0.0)), 1.0)
    counts, edges = np.histogram(gained, np.linspace(-most, most, BINS + 1))
    return tuple(edges.tolist()), tuple((counts / max(gained.size, 1)).tolist())


def _bands(policy: Policy, scored: Scored, both: Flags) -> Codes:
    starts = [band.start for band in policy.bands]
    return np.asarray(np.searchsorted(starts, scored.points[both], side="right") - 1)


def _crossings(before: Codes, after: Codes, old: Policy, new: Policy) -> tuple[tuple[float, ...], ...]:
    shape = len(old.bands), len(new.bands)
    cells = np.bincount(before * shape[1] + after, minlength=shape[0] * shape[1]).reshape(shape)
    people = np.maximum(cells.sum(axis=1, keepdims=True), 1)
    return tuple(tuple(line) for line in (cells / people).tolist())
