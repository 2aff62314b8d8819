"""Scores by the one SQL text, in a SQLite that lives as long as the question."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring import engines
from sesame_sdk.scoring.explain import scores
from sesame_sdk.testing.memory.kept import Telling

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TABLE = "CREATE TABLE counted (subject TEXT, partner TEXT, kind TEXT, value REAL, occurred_at INTEGER)"


def score_of(counting: Iterable[Telling], policy: Policy, as_of: date) -> Score | None:
    """One person's score, without its reasons; None if nothing counts.

    Args:
        counting: what the person's partners say that counts now.
        policy: how the score is made.
        as_of: the day.
    """
    rows = [
        (
            "",
            telling.arrival.issuer,
            telling.signal.kind,
            float(telling.signal.value),
            (telling.signal.occurred_at - _EPOCH) // _MICROSECOND,
        )
        for telling in counting
    ]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(_TABLE)
        connection.executemany("INSERT INTO counted VALUES (?, ?, ?, ?, ?)", rows)
        found = scores(engines.score_in_sqlite(connection, policy, as_of), policy, as_of, reasons=False)
    return found.get("")
