"""Simulates policies: people act, the score's one SQL text scores them on DuckDB, and they adapt for points.

People are drawn, scored and forgotten block by block; only a few numbers of each are kept. Scores are whole
hundredths, so neither blocks nor threads can change one.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_sdk.audit.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation import behaviour
from sesame_sdk.audit.simulation.behaviour import AS_OF, Habit, SignalColumns
from sesame_sdk.audit.simulation.people import People, draw_blocks
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import bind_columns
from sesame_sdk.scoring.scorecard import SCORE_SQL, to_microseconds

if TYPE_CHECKING:
    import duckdb

#: Called with the number of people done and of all people.
Progress = Callable[[int, int], None]

#: A number for each kind instead of its name; -1 is the bounded total.
_SCORES = f"""
SELECT s.subject, CAST(COALESCE(p.place, -1) AS INTEGER) AS place, CAST(s.hundredths AS BIGINT) AS hundredths
FROM ({SCORE_SQL}) s LEFT JOIN policy p ON p.kind = s.kind
"""  # noqa: S608 - the text is a constant

OPTIONS: Final = ("option 1", "option 2", "option 3", "option 4")
#: Topic by the name of its leak.
TOPICS: Final = {
    "writing": "what to write about",
    "goods": "where goods come from",
    "meeting": "whom to meet",
}
_LEANS: Final = np.linspace(-1.0, 1.0, len(OPTIONS))


@frozen(eq=False)
class PolicyScores:
    """All people's scores under one policy; without one, people have its base, and are never low."""

    has_score: Flags  # (N,)
    hundredths: Codes  # (N,) of a point
    parts: NDArray[np.int32]  # (N, K) hundredths that each of the policy's kinds added or took

    @property
    def points(self) -> Numbers:
        """(N,) points; the policy's base without a score."""
        return np.asarray(self.hundredths / 100)


@frozen(eq=False)
class SimulationResult:
    """People and their scores."""

    population: Population
    people: People
    policies: tuple[Policy, ...]  # the audited one first
    scores: tuple[PolicyScores, ...]  # under each policy
    halves: tuple[PolicyScores, PolicyScores]  # under the audited one, by each half of the time alone
    falls: dict[str, Numbers]  # for each lowering kind of the audited one, the sizes of its lowering values


@frozen
class FreeChoice:
    """One free choice: the share of people who choose each option, before and after they adapt."""

    topic: str
    options: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


def simulate(
    population: Population,
    policies: Sequence[Policy],
    *,
    progress: Progress | None = None,
    threads: int | None = None,
) -> SimulationResult:
    """Score the same people under every policy."""
    habits = behaviour.collect_habits(*policies)
    drawn: list[People] = []
    rounds: list[tuple[PolicyScores, ...]] = []
    falls: list[dict[str, Numbers]] = []
    with _connect(threads) as connection:
        for block, people in draw_blocks(population):
            signals = behaviour.generate_signals(population, block, people, habits)
            scorer = _Scorer(connection, habits, people)
            rounds.append(tuple(scorer.score_all(population, policies, signals)))
            falls.append(_lowering_values(signals, habits, policies[0]))
            drawn.append(people)
            if progress:
                progress(people.first + people.size, population.people)
    *scores, early, late = (
        PolicyScores(*_concatenate(blocks, "has_score", "hundredths", "parts"))
        for blocks in zip(*rounds, strict=True)
    )
    return SimulationResult(
        population,
        People(0, *_concatenate(drawn, "group", "income", "engagement", "reliability")),
        tuple(policies),
        tuple(scores),
        (early, late),
        {kind: np.concatenate([block[kind] for block in falls]) for kind in falls[0]},
    )


@frozen(eq=False)
class _Scorer:
    """Scores one block."""

    connection: "duckdb.DuckDBPyConnection"
    habits: tuple[Habit, ...]
    people: People

    def score_all(
        self, population: Population, policies: Sequence[Policy], signals: SignalColumns
    ) -> Iterator[PolicyScores]:
        """Score under each policy; then under the first by each half of the time."""
        for policy in policies:
            yield self.score(policy, signals, AS_OF)
        half = behaviour.midpoint(population)
        early = signals.occurred_at < to_microseconds(half)
        # Membership is reported from its beginning, and goes on counting in the second half.
        lasting = np.array([habit.is_tenure for habit in self.habits])[signals.kind]
        yield self.score(policies[0], signals.select(early), half)
        yield self.score(policies[0], signals.select(~early | lasting), AS_OF)

    def score(self, policy: Policy, signals: SignalColumns, as_of: date) -> PolicyScores:
        """Score under `policy`, at the start of a day."""
        kinds = [habit.kind for habit in self.habits]
        bind_columns(self.connection, signals.as_dict(), kinds, policy, as_of)
        rows = self.connection.execute(_SCORES).fetchnumpy()
        person, place, hundredths = (
            np.asarray(rows[name], np.int64) for name in ("subject", "place", "hundredths")
        )
        person -= self.people.first
        is_total = place < 0
        has_score = np.zeros(self.people.size, np.bool_)
        has_score[person[is_total]] = True
        points = np.full(self.people.size, round(policy.base * 100), np.int64)
        points[person[is_total]] = hundredths[is_total]
        parts = np.zeros((self.people.size, len(policy.weightings)), np.int32)
        parts[person[~is_total], place[~is_total]] = hundredths[~is_total]
        return PolicyScores(has_score, points, parts)


def _lowering_values(signals: SignalColumns, habits: tuple[Habit, ...], policy: Policy) -> dict[str, Numbers]:
    lowering = {kind.kind.name for kind in policy.weightings if kind.can_lower}
    return {
        habit.kind: signals.value[signals.kind == number]
        for number, habit in enumerate(habits)
        if habit.kind in lowering
    }


def _concatenate(parts: Sequence[object], *names: str) -> Iterator[Any]:
    return (np.concatenate([getattr(part, name) for part in parts]) for name in names)


def _connect(threads: int | None) -> "duckdb.DuckDBPyConnection":
    try:
        import duckdb
    except ImportError as error:
        hint = "pip install sesame-sdk[audit]"
        raise ConfigurationError("DuckDB is not installed", field="audit", hint=hint) from error
    return duckdb.connect(config={"threads": threads} if threads else {})


def adapt_choices(result: SimulationResult) -> tuple[FreeChoice, ...]:
    """Compute each free choice before and after people know what the policy rewards: the input of CNF-2.

    After Hardt et al. 2016, Strategic Classification: people who know a rule adapt to it. Each person has
    three free choices of four options without names: none is an opinion or a taste, none is ever scored, and
    the guard refuses a policy that weighs such a thing. A choice can still gain points by a leak: it
    correlates with what is rewarded, as strongly as the population states; not at all, by default.

        points(option) = change of the person's points, if each rewarded kind's rate were (1 + leak * lean)
                         times what it is, within its cap; lean is -1, -1/3, 1/3, 1 for the four options
        share(option)  = exp(rationality * points / range), over the sum for all four

    The second line is the logit of quantal response (McKelvey and Palfrey 1995). People without a score do
    not adapt.
    """
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
