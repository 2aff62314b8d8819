"""Scores hypothetical people: signals in a SQLite database in memory, by the scoring SQL."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import NamedTuple

from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import score_in_sqlite, sum_by_partner_in_sqlite


class CountedSignal(NamedTuple):
    """A signal of one person that counts.

    Attributes:
        partner: the issuer of its sender.
        kind: its kind.
        value: in the kind's unit.
        occurred_at: microseconds since 1970, UTC.
    """

    partner: str
    kind: str
    value: float
    occurred_at: int


def score_by_kind(signals: Iterable[CountedSignal], policy: Policy, as_of: date) -> dict[str, int]:
    """Hundredths of a point by kind, the bounded total under ''; empty if there is no score."""
    with _counted(signals) as connection:
        return {kind: hundredths for _, kind, hundredths in score_in_sqlite(connection, policy, as_of)}


def sum_by_partner(
    signals: Iterable[CountedSignal], policy: Policy, as_of: date
) -> dict[str, dict[str, int]]:
    """Micropoints by kind and partner, before any cap."""
    sums: dict[str, dict[str, int]] = {}
    with _counted(signals) as connection:
        for _, partner, kind, micropoints in sum_by_partner_in_sqlite(connection, policy, as_of):
            sums.setdefault(kind, {})[partner] = int(micropoints)
    return sums


@contextmanager
def _counted(signals: Iterable[CountedSignal]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE counted (subject INTEGER, partner TEXT, kind TEXT, value REAL, occurred_at INTEGER)"
        )
        connection.execute("BEGIN")  # in memory, and never committed
        connection.executemany("INSERT INTO counted VALUES (0, ?, ?, ?, ?)", signals)
        yield connection
