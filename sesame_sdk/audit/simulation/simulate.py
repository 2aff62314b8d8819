"""Plays policies: simulated people act, and the score's one SQL text scores them on DuckDB.

People are drawn, scored and forgotten block by block; what is kept of them are a few numbers each.
Scores are whole hundredths, so neither blocks nor threads can change one.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_sdk.audit.metrics.arrays import Codes, Flags, Numbers
from sesame_sdk.audit.simulation import behaviour
from sesame_sdk.audit.simulation.behaviour import AS_OF, Habit, Signals
from sesame_sdk.audit.simulation.people import People, blocks
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import bind_columns
from sesame_sdk.scoring.scorecard import SCORE_SQL, microseconds

if TYPE_CHECKING:
    import duckdb

#: Called with how many people are done, and how many there are.
Progress = Callable[[int, int], None]

#: A number for each kind instead of its name; -1 is the bounded total.
_SCORES = f"""
SELECT s.subject, CAST(COALESCE(p.place, -1) AS INTEGER) AS place, CAST(s.hundredths AS BIGINT) AS hundredths
FROM ({SCORE_SQL}) s LEFT JOIN policy p ON p.kind = s.kind
"""  # noqa: S608 - the text is a constant


@frozen(eq=False)
class Scored:
    """Everybody's score under one policy.

    Attributes:
        has: (N,) whether the person has a score; one who has not is neutral, never low.
        hundredths: (N,) of a point; the policy's base where there is no score.
        parts: (N, K) hundredths that each of the policy's kinds added or took.
    """

    has: Flags
    hundredths: Codes
    parts: NDArray[np.int32]

    @property
    def points(self) -> Numbers:
        """(N,) with the neutral place, the policy's base, for whoever has no score."""
        return np.asarray(self.hundredths / 100)


@frozen(eq=False)
class SimulationResult:
    """What came of it.

    Attributes:
        population: the settings.
        people: all of them.
        policies: those that were played, the audited one first.
        scored: everybody's score under each.
        halves: under the audited one, by what each half of the time shows alone.
        falls: for each lowering kind of the audited one, the values that came, 0 or more.
    """

    population: Population
    people: People
    policies: tuple[Policy, ...]
    scored: tuple[Scored, ...]
    halves: tuple[Scored, Scored]
    falls: dict[str, Numbers]


def play(
    population: Population,
    policies: Sequence[Policy],
    *,
    progress: Progress | None = None,
    threads: int | None = None,
) -> SimulationResult:
    """Score the same people under every policy.

    Raises:
        ConfigurationError: the `audit` extra, which brings DuckDB, is not installed.
    """
    habits = behaviour.habits(*policies)
    drawn: list[People] = []
    rounds: list[tuple[Scored, ...]] = []
    falls: list[dict[str, Numbers]] = []
    with _connected(threads) as connection:
        for block, people in blocks(population):
            signals = behaviour.act(population, block, people, habits)
            scorer = _Scorer(connection, habits, people)
            rounds.append(tuple(scorer.rounds(population, policies, signals)))
            falls.append(_lowering(signals, habits, policies[0]))
            drawn.append(people)
            if progress:
                progress(people.first + people.size, population.people)
    *whole, early, late = (_joined_scores(parts) for parts in zip(*rounds, strict=True))
    return SimulationResult(
        population,
        _joined_people(drawn),
        tuple(policies),
        tuple(whole),
        (early, late),
        {kind: np.concatenate([block[kind] for block in falls]) for kind in falls[0]},
    )


@frozen(eq=False)
class _Scorer:
    """Scores one block."""

    connection: "duckdb.DuckDBPyConnection"
    habits: tuple[Habit, ...]
    people: People

    def rounds(
        self, population: Population, policies: Sequence[Policy], signals: Signals
    ) -> Iterator[Scored]:
        """Under each policy; then under the first by what each half of the time shows."""
        for policy in policies:
            yield self.scored(policy, signals, AS_OF)
        half = behaviour.middle(population)
        past = signals.occurred_at < microseconds(half)
        # Membership is told from its beginning, and goes on counting in the second half.
        lasting = np.array([habit.is_tenure for habit in self.habits])[signals.kind]
        yield self.scored(policies[0], signals.only(past), half)
        yield self.scored(policies[0], signals.only(~past | lasting), AS_OF)

    def scored(self, policy: Policy, signals: Signals, as_of: date) -> Scored:
        """Under `policy`, at the start of a day."""
        kinds = [habit.kind for habit in self.habits]
        bind_columns(self.connection, signals.columns(), kinds, policy, as_of)
        rows = self.connection.execute(_SCORES).fetchnumpy()
        who, place, hundredths = (
            np.asarray(rows[name], np.int64) for name in ("subject", "place", "hundredths")
        )
        who -= self.people.first
        totals = place < 0
        has = np.zeros(self.people.size, np.bool_)
        has[who[totals]] = True
        points = np.full(self.people.size, round(policy.base * 100), np.int64)
        points[who[totals]] = hundredths[totals]
        parts = np.zeros((self.people.size, len(policy.weightings)), np.int32)
        parts[who[~totals], place[~totals]] = hundredths[~totals]
        return Scored(has, points, parts)


def _lowering(signals: Signals, habits: tuple[Habit, ...], policy: Policy) -> dict[str, Numbers]:
    lowering = {one.kind.name for one in policy.weightings if one.can_lower}
    return {
        habit.kind: np.abs(signals.value[(signals.kind == number) & (signals.value * habit.sign < 0)])
        for number, habit in enumerate(habits)
        if habit.kind in lowering
    }


def _joined_scores(parts: Sequence[Scored]) -> Scored:
    return Scored(
        np.concatenate([part.has for part in parts]),
        np.concatenate([part.hundredths for part in parts]),
        np.concatenate([part.parts for part in parts]),
    )


def _joined_people(parts: Sequence[People]) -> People:
    names = ("group", "income", "engagement", "reliability")
    return People(0, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _connected(threads: int | None) -> "duckdb.DuckDBPyConnection":
    try:
        import duckdb
    except ImportError as error:
        hint = "pip install sesame-sdk[audit]"
        raise ConfigurationError("DuckDB is not installed", field="audit", hint=hint) from error
    return duckdb.connect(config={"threads": threads} if threads else {})
