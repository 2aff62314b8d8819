"""Scoring everybody anew: ten million signals of a million people, exported from a hub on PostgreSQL.

DuckDB over the exported file, which lies in the order of people, beside DuckDB's own sum by person, partner
and kind of the same file. PostgreSQL then scores everybody by the same text, and every hundredth must agree.
"""

import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import psycopg
from attrs import evolve

from benchmarks import fixture_hub
from benchmarks.scaling_plot import Scaling
from benchmarks.table import BenchmarkResult, fastest
from sesame_sdk import Manifest, Policy, SignalKind, Weighting
from sesame_sdk.hub.database.engine import dialect_of, open_engine, read_transaction
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.scoring import eligible_signals
from sesame_sdk.hub.settings import create_hub, load_settings
from sesame_sdk.model.codec import manifest_digest, policy_digest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.scoring.engines import bind_parquet
from sesame_sdk.scoring.scorecard import SCORE_SQL
from sesame_sdk.signing.jwt import sign_event
from sesame_sdk.signing.keys import SigningKey

SIGNALS, PARTNERS = 10_000_000, 3
_HUB = "https://hub.example"
_BARE_SUM = "SELECT subject, partner, kind, SUM(value) AS value FROM counted GROUP BY subject, partner, kind"
_NAMES = {
    "retail.order.completed": (0.5, "order_kept"),
    "retail.order.collected": (1.5, "order_collected"),
    "retail.payment.on-time": (0.2, "payment_on_time"),
    "retail.deposit.returned": (2.0, "deposit_returned"),
    "retail.payment.missed": (-0.4, "payment_missed"),
}
#: People, what they agreed to, and what they did, by statements of the database: a client would take an hour.
#: The key is made once all signals are there, in any order, as they come: with it, they take eight minutes.
_FILL = """
INSERT INTO people (id, person) SELECT g, 'p' || g FROM generate_series(1, {people}) g;
INSERT INTO pseudonyms (id, partner, subject, person)
    SELECT ({people}::bigint * (p - 1)) + g, p, 's' || g, g
    FROM generate_series(1, {people}) g CROSS JOIN generate_series(1, {partners}) p;
INSERT INTO grants (id, pseudonym, direction, given_at, adult, digest)
    SELECT id, id, 'send', 0, true, 'd' || id FROM pseudonyms;
INSERT INTO grant_kinds (grant_id, kind) SELECT g.id, k.id FROM grants g CROSS JOIN kinds k;
SELECT setseed(0.5);
ALTER TABLE signals DROP CONSTRAINT signals_pkey;
INSERT INTO signals (person, partner, key, kind, value, occurred_at, envelope, id_time)
    SELECT 1 + floor(random() * {people})::bigint, 1 + floor(random() * {partners})::bigint,
           decode(lpad(to_hex(g), 20, '0'), 'hex'), k.id,
           round((random() * 100)::numeric, 2) * CASE WHEN k.name LIKE '%missed' THEN -1 ELSE 1 END,
           {now} - (random() * 6e13)::bigint, 0, 0
    FROM generate_series(1, {signals}) g
    JOIN (SELECT id, name, row_number() OVER (ORDER BY id) AS n FROM kinds) k ON k.n = 1 + (g % 5);
ALTER TABLE signals ADD CONSTRAINT signals_pkey PRIMARY KEY (person, partner, key);
ANALYZE;
"""


def rows(signals: int = SIGNALS) -> list[BenchmarkResult]:
    """Two rows: the one that is limited, and what the export takes beside it."""
    with TemporaryDirectory() as folder, fixture_hub.new_database("postgresql") as url:
        path = _hub(Path(folder), url, signals)
        file = Path(folder) / "retail.parquet"
        now = datetime.now(UTC)
        with Hub.open(path) as hub:
            began = time.perf_counter()
            many = hub.export_signals(file, "retail")
            exporting = time.perf_counter() - began
        assert many == signals, many
        points, (ours, limit) = _growth(file, now, signals)
        _compare(path, file, now)
    name = f"rescore {signals // 10:,} people from {signals:,} signals, exported in the order of people"
    scaling = Scaling("rescoring everybody", "signals", "s", points)
    return [
        BenchmarkResult(
            name, ours, limit, "DuckDB summing by person, partner and kind", "s", 2.5, "lower", scaling
        ),
        BenchmarkResult("export of the same", exporting, limit, "the same sum", "s", 60.0, "lower"),
    ]


def _hub(folder: Path, url: str, signals: int) -> Path:
    path = create_hub(folder / "hub", issuer=_HUB, database=url).path
    with Hub.open(path) as hub:
        for number in range(PARTNERS):
            issuer, key = f"https://shop{number}.example", SigningKey.generate()
            hub.add_partner(issuer, [key.public_jwk])
            manifest = Manifest(f"shop{number}", "1.0", "1.0", _kinds())
            manifest = evolve(manifest, digest=manifest_digest(manifest))
            claims = {"issuer": issuer, "audience": _HUB, "now": datetime.now(UTC)}
            hub.receive(sign_event(EventType.REGISTRATION, manifest, key, **claims))
        hub.set_policy(_policy())
    now = int(datetime.now(UTC).timestamp() * 1e6)
    values = {"people": signals // 10, "partners": PARTNERS, "signals": signals, "now": now}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _FILL.format(**values).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    return path


def _growth(
    file: Path, now: datetime, signals: int
) -> tuple[tuple[tuple[float, float], ...], tuple[float, float]]:
    """Ours with an eighth of the people, a quarter, half, all; and ours and the limit with all, in turns."""
    points: list[tuple[float, float]] = []
    with duckdb.connect() as connection:
        for part in (8, 4, 2, 1):
            some = file.with_name(f"part{part}.parquet")
            most = signals // 10 // part
            people = connection.read_parquet(str(file)).filter(f"subject <= {most}")
            people.write_parquet(str(some))
            bind_parquet(connection, some, _policy(), now.date())
            points.append((signals // part, fastest(partial(_keep, connection, SCORE_SQL), times=3)))
        turns = [(_seconds(connection, SCORE_SQL), _seconds(connection, _BARE_SUM)) for _ in range(4)]
    ours, limit = (min(seconds) for seconds in zip(*turns, strict=True))
    return tuple(points), (ours, limit)


def _compare(path: Path, file: Path, now: datetime) -> None:
    """PostgreSQL's own scores of everybody beside those of DuckDB."""
    engine = open_engine(load_settings(path).database_url)
    try:
        with read_transaction(engine) as connection:
            eligible_signals.select_eligible_of_all(connection, "retail", now)
            theirs = sorted(dialect_of(engine).score(connection, _policy(), now.date(), reasons=True))
    finally:
        engine.dispose()
    with duckdb.connect() as batch:
        bind_parquet(batch, file, _policy(), now.date())
        ours = sorted((who, kind, int(parts)) for who, kind, parts in batch.execute(SCORE_SQL).fetchall())
    assert ours == theirs, "PostgreSQL and DuckDB differ"


def _keep(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {query}")


def _seconds(connection: duckdb.DuckDBPyConnection, query: str) -> float:
    return fastest(partial(_keep, connection, query), times=1)


def _kinds() -> tuple[SignalKind, ...]:
    return tuple(SignalKind(name, observation) for name, (_, observation) in _NAMES.items())


def _policy() -> Policy:
    weightings = tuple(
        Weighting(
            kind=kind,
            weight=_NAMES[kind.name][0],
            floor=-80.0 if kind.entry.lowers else 0.0,
            cap=0.0 if kind.entry.lowers else 120.0,
            partner_cap=60.0,
            half_life_days=180.0,
            expires_days=3000.0,
        )
        for kind in _kinds()
    )
    made = evolve(fixture_hub.policy(), name="rescoring", base=550.0, weightings=weightings)
    return evolve(made, digest=policy_digest(made))


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else SIGNALS):
        print(f"{row.name}: {row.ours:.2f} s, {row.ratio:.2f} times {row.baseline} ({row.limit:.2f} s)")
