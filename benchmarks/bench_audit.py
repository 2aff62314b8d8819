"""A whole audit of 100,000 simulated people over a year, beside its limit and beside scoring them bare."""

import sys
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np

from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk.audit.audit import audit
from sesame_sdk.audit.simulation import behaviour
from sesame_sdk.audit.simulation.behaviour import AS_OF
from sesame_sdk.audit.simulation.people import draw_blocks
from sesame_sdk.audit.simulation.population import Population
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.engines import bind_columns
from sesame_sdk.scoring.policy_file import load_policy
from sesame_sdk.scoring.scorecard import SCORE_SQL

PEOPLE = 100_000
#: Seconds that somebody at a terminal waits without wondering, on two cores.
LIMIT = 30.0
POLICY = Path(__file__).parents[1] / "examples" / "policies" / "retail.toml"


def rows(people: int = PEOPLE) -> list[BenchmarkResult]:
    """The audit against the clock, and against the bare scoring that is in it three times."""
    policy, population = load_policy(POLICY), Population(people=people)
    ours = fastest(lambda: audit(policy, population), times=3)
    signals, bare = _bare(policy, population)
    name = f"audit {people:,} people over {population.days} days, every metric"
    scored = f"DuckDB scoring the same {signals:,} signals once, already there"
    return [
        BenchmarkResult(name, ours, LIMIT, "a limit of our own, on two cores", "s", 1.0, "lower"),
        BenchmarkResult(name, ours, bare, scored, "s", 10.0, "lower"),
    ]


def _bare(policy: Policy, population: Population) -> tuple[int, float]:
    """How many signals the audit makes, and the seconds that scoring them takes and nothing else."""
    habits = behaviour.collect_habits(policy)
    made = [
        behaviour.generate_signals(population, block, people, habits).as_dict()
        for block, people in draw_blocks(population)
    ]
    columns = {name: np.concatenate([each[name] for each in made]) for name in made[0]}
    with duckdb.connect() as connection:
        bind_columns(connection, columns, [habit.kind for habit in habits], policy, AS_OF)
        kept = f"CREATE OR REPLACE TEMP TABLE kept AS {SCORE_SQL}"
        return columns["subject"].size, fastest(lambda: connection.execute(kept), times=3)


if __name__ == "__main__":
    start = perf_counter()
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE):
        print(f"{row.name}: {row.ours:.2f} s, {row.ratio:.2f} times {row.baseline} ({row.limit:.2f} s)")
    print(f"{perf_counter() - start:.1f} s in all")
