"""Hypothetical people in a SQLite of their own, scored by the one SQL text.

Rules:
    * whoever is tried is a subject of `counted` like any other: many in one run
    * what a partner's signals of a kind add up to stands in one row, so that trying a hundred things
      about somebody with a thousand signals does not take a hundred thousand rows. The sum is the
      text's own, in whole micropoints, and so the row is worth exactly as much
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from attrs import define, field

from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.scoring.engines import score_in_sqlite, sums_in_sqlite
from sesame_sdk.scoring.scorecard import MICROPOINTS, microseconds


class Held(NamedTuple):
    """A signal of one person that counts.

    Attributes:
        partner: the issuer of whoever sent it.
        kind: its kind.
        value: in the kind's unit.
        occurred_at: microseconds since 1970, UTC.
    """

    partner: str
    kind: str
    value: float
    occurred_at: int


@define
class Trial:
    """Tries what signals come to under one policy on one day.

    Attributes:
        policy: how the score is made.
        as_of: the day.
    """

    policy: Policy
    as_of: date
    _connection: sqlite3.Connection = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute(
            "CREATE TABLE counted (subject INTEGER, partner TEXT, kind TEXT, value REAL, occurred_at INTEGER)"
        )
        self._connection.execute("BEGIN")  # in memory, and never kept

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def today(self) -> int:
        """The start of the day, in microseconds since 1970."""
        return microseconds(self.as_of)

    def parts(self, people: Iterable[Iterable[Held]]) -> list[dict[str, int]]:
        """Hundredths by kind for each of `people`, the bounded total under ''; empty for no score."""
        found: list[dict[str, int]] = [{} for _ in range(self._fill(people))]
        for subject, kind, hundredths in score_in_sqlite(self._connection, self.policy, self.as_of):
            found[subject][kind] = hundredths
        return found

    def standing(self, held: Iterable[Held]) -> list[Held]:
        """Fewer signals, of today, that are worth exactly what `held` is: one a partner and kind."""
        self._fill([held])
        weights = {weighting.kind.name: weighting.weight for weighting in self.policy.weightings}
        return sorted(
            Held(partner, kind, _worth(micropoints, weights[kind]), self.today)
            for _, partner, kind, micropoints in self._sums()
        )

    def units(self, weightings: Sequence[Weighting]) -> dict[str, float]:
        """For each kind the value of a signal of today that is worth what a signal of value 1 is.

        That is 1, but where a weight has more than six decimals: a thousand signals are each rounded to
        a micropoint, and one of value 1,000 would not be worth exactly as much.
        """
        self._fill([[Held("", weighting.kind.name, 1.0, self.today) for weighting in weightings]])
        weights = {weighting.kind.name: weighting.weight for weighting in weightings}
        return {kind: _worth(micropoints, weights[kind]) for _, _, kind, micropoints in self._sums()}

    def _sums(self) -> list[tuple[int, str, str, float]]:
        return sums_in_sqlite(self._connection, self.policy, self.as_of)

    def _fill(self, people: Iterable[Iterable[Held]]) -> int:
        """Put `people` in the place of those before them; how many they are."""
        told = list(people)
        rows = ((subject, *signal) for subject, signals in enumerate(told) for signal in signals)
        self._connection.execute("DELETE FROM counted")
        self._connection.executemany("INSERT INTO counted VALUES (?, ?, ?, ?, ?)", rows)
        return len(told)


def _worth(micropoints: float, weight: float) -> float:
    """The value of a signal of today that is worth so many micropoints."""
    return micropoints / (weight * MICROPOINTS) if weight else 0.0
