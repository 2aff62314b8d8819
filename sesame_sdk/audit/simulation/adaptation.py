"""How people would change their free choices for points: what CNF-2 measures.

After Hardt et al. 2016, Strategic Classification: whoever knows a rule answers to it. Each person has
three free choices of four options. The options are nameless and alike: none is an opinion or a taste,
none is ever scored, and no policy that weighs such a thing passes the guard. What could still press people
is a leak: that a choice goes along with more or less of what is rewarded. How much of it leaks, the
population says; nothing, by default.

    points(option) = change of the person's points, were each rewarded kind's rate (1 + leak * lean) times
                     what it is, within its cap; lean is -1, -1/3, 1/3, 1 for the four options
    share(option)  = exp(rationality * points / range), over the sum for all four

The second line is the logit of quantal response (McKelvey and Palfrey 1995). Whoever has no score has
nothing to answer to.
"""

from typing import Final

import numpy as np

from sesame_sdk.audit.metrics.arrays import Numbers
from sesame_sdk.audit.report.model import Choices
from sesame_sdk.audit.simulation.simulate import SimulationResult

OPTIONS: Final = ("option 1", "option 2", "option 3", "option 4")
#: Topic by the name of its leak.
TOPICS: Final = {
    "writing": "what to write about",
    "goods": "where goods come from",
    "meeting": "whom to meet",
}
_LEANS: Final = np.linspace(-1.0, 1.0, len(OPTIONS))


def adapt(played: SimulationResult) -> tuple[Choices, ...]:
    """Each free choice before and after people know what the policy rewards."""
    even = tuple(float(share) for share in np.full(len(OPTIONS), 1 / len(OPTIONS)))
    leak = played.population.leak
    return tuple(
        Choices(topic, OPTIONS, even, tuple(float(share) for share in _after(played, getattr(leak, name))))
        for name, topic in TOPICS.items()
    )


def _after(played: SimulationResult, leak: float) -> Numbers:
    """(C,) shares of all people."""
    policy, scored = played.policies[0], played.scored[0]
    span = policy.high - policy.low
    odds = np.stack([_gain(played, leak * lean) for lean in _LEANS]) * played.population.rationality / span
    shares = np.exp(odds - odds.max(axis=0))
    shares /= shares.sum(axis=0)
    shares[:, ~scored.has] = 1 / len(OPTIONS)
    return np.asarray(shares.mean(axis=1))


def _gain(played: SimulationResult, more: float) -> Numbers:
    """(N,) points gained, were everything rewarded done so much more."""
    policy, scored = played.policies[0], played.scored[0]
    caps = np.array([weighting.cap for weighting in policy.weightings])
    rewarded = np.maximum(scored.parts / 100, 0.0)
    change = (np.minimum(rewarded * (1 + more), caps) - rewarded).sum(axis=1)
    return np.asarray(np.clip(scored.points + change, policy.low, policy.high) - scored.points)
