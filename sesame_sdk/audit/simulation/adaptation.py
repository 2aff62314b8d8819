"""Simulates how people change their free choices for points: the input of CNF-2.

After Hardt et al. 2016, Strategic Classification: people who know a rule adapt to it. Each person has three
free choices of four options. The options have no names: none is an opinion or a taste, none is ever scored,
and the guard refuses a policy that weighs such a thing. A choice can still gain points by a leak: it
correlates with what is rewarded. The population states how strongly; not at all, by default.

    points(option) = change of the person's points, if each rewarded kind's rate were (1 + leak * lean) times
                     what it is, within its cap; lean is -1, -1/3, 1/3, 1 for the four options
    share(option)  = exp(rationality * points / range), over the sum for all four

The second line is the logit of quantal response (McKelvey and Palfrey 1995). People without a score do not
adapt.
"""

from typing import Final

import numpy as np
from attrs import frozen

from sesame_sdk.audit.arrays import Numbers
from sesame_sdk.audit.simulation.simulate import SimulationResult

OPTIONS: Final = ("option 1", "option 2", "option 3", "option 4")
#: Topic by the name of its leak.
TOPICS: Final = {
    "writing": "what to write about",
    "goods": "where goods come from",
    "meeting": "whom to meet",
}
_LEANS: Final = np.linspace(-1.0, 1.0, len(OPTIONS))


@frozen
class FreeChoice:
    """One free choice: the share of people who choose each option, before and after they adapt."""

    topic: str
    options: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


def adapt_choices(result: SimulationResult) -> tuple[FreeChoice, ...]:
    """Compute each free choice before and after people know what the policy rewards."""
    before = (1 / len(OPTIONS),) * len(OPTIONS)
    leak = result.population.leak
    return tuple(
        FreeChoice(topic, OPTIONS, before, tuple(_shares(result, getattr(leak, name)).tolist()))
        for name, topic in TOPICS.items()
    )


def _shares(result: SimulationResult, leak: float) -> Numbers:
    """(C,) shares of all people after they adapt."""
    policy, scores = result.policies[0], result.scores[0]
    gains = np.stack([_points_gained(result, leak * lean) for lean in _LEANS])
    odds = gains * result.population.rationality / (policy.high - policy.low)
    shares = np.exp(odds - odds.max(axis=0))
    shares /= shares.sum(axis=0)
    shares[:, ~scores.has_score] = 1 / len(OPTIONS)
    return np.asarray(shares.mean(axis=1))


def _points_gained(result: SimulationResult, increase: float) -> Numbers:
    """(N,) points gained if every rewarded kind came more often by the share `increase`."""
    policy, scores = result.policies[0], result.scores[0]
    caps = np.array([kind.cap for kind in policy.weightings])
    rewarded = np.maximum(scores.parts / 100, 0.0)
    change = (np.minimum(rewarded * (1 + increase), caps) - rewarded).sum(axis=1)
    return np.asarray(np.clip(scores.points + change, policy.low, policy.high) - scores.points)
