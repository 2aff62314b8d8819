"""How the database goes about the questions that must stay quick however much the ledger holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Select, text

from sesame_sdk.hub.database.engine import open_engine, read_transaction
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.scoring import eligible_signals, scores
from sesame_sdk.hub.settings import create_hub
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import NOON, ORDER, Partner, policy, weighting
from tests.postgresql import Server

_MANY_SIGNALS = """
    INSERT INTO signals (person, partner, key, kind, value, occurred_at, envelope, id_time)
    SELECT n % 1000, 1, decode(lpad(to_hex(n), 20, '0'), 'hex'), 1, 1.0, 0, 0, 0
    FROM generate_series(1, 20000) n
"""


@pytest.fixture
def database() -> str:
    """Each product describes plans in its own format; these are SQLite's."""
    return "sqlite:///hub.sqlite"


def _plan(connection: Connection, statement: Select[*tuple[object, ...]] | str) -> list[str]:
    plan = (
        statement
        if isinstance(statement, str)
        else str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    )
    return [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {plan}"))]


@pytest.mark.usefixtures("shop")
def test_a_read_looks_only_at_the_rows_of_those_asked(hub: Hub) -> None:
    """No step walks through all signals, grants or pseudonyms."""
    engine = open_engine(hub.settings.database_url)
    with read_transaction(engine) as connection:
        eligible_signals.select_eligible(connection, {1: ["retail"]}, NOON)
        counted = _plan(connection, "SELECT * FROM counted")
        permitted = _plan(connection, eligible_signals._permissions().params(now=to_micros(NOON)))
    engine.dispose()
    large = ("signals", "grants", "grant_kinds", "pseudonyms", "envelopes")
    assert counted[0] == "SCAN permitted"
    assert permitted[0] == "SCAN asked"
    assert not [step for step in counted + permitted if step in {f"SCAN {table}" for table in large}]


def test_what_a_revoked_key_signed_is_found_by_an_index(hub: Hub) -> None:
    """Envelopes are large: looking for those of a key does not read them."""
    engine = open_engine(hub.settings.database_url)
    with read_transaction(engine) as connection:
        steps = _plan(connection, keys.void_envelopes())
    engine.dispose()
    assert any("envelopes USING COVERING INDEX envelopes_by_key" in step for step in steps)


@pytest.fixture
def crowded(postgresql: Server, empty_ledger: str, tmp_path: Path) -> Iterator[Connection]:
    """A ledger on PostgreSQL in which ada agreed, and signals few enough to be read through in no time."""
    name = postgresql.create(empty_ledger)
    path = create_hub(tmp_path / "crowded", issuer="https://hub.example", database=postgresql.url(name)).path
    with Hub.open(path, clock=lambda: NOON) as hub:
        shop = Partner.join("https://shop.example", hub, lambda: NOON, ORDERS)
        hub.add_grants(shop.grants("ada", ORDER))
    engine = open_engine(postgresql.url(name))
    with read_transaction(engine) as connection:
        connection.execute(text(_MANY_SIGNALS))
        yield connection
    engine.dispose()
    postgresql.drop(name)


def _read_through(connection: Connection) -> int:
    """How often all signals were read in this transaction."""
    asked = text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'signals'")
    return int(connection.scalar(asked) or 0)


def test_left_to_itself_postgresql_reads_all_signals(crowded: Connection) -> None:
    """So what the next two tests forbid does happen."""
    eligible_signals.select_eligible(crowded, {1: ["retail"]}, NOON)
    assert len(crowded.execute(text("SELECT * FROM counted")).all()) == 20
    assert _read_through(crowded) == 1


def test_a_score_reads_the_signals_of_those_asked_alone(crowded: Connection) -> None:
    """On PostgreSQL too, whatever its planner thinks."""
    (score,) = scores.compute_scores(
        crowded, {1: ["retail"]}, policy(weighting(ORDERS)), NOON.date(), NOON, reasons=False
    ).values()
    assert score.points == 580.0  # twenty orders, and what one partner may add
    assert _read_through(crowded) == 0


def test_an_explanation_reads_the_signals_of_its_person_alone(crowded: Connection) -> None:
    """The same where each signal is looked at."""
    eligible_signals.select_eligible(crowded, {1: ["retail"]}, NOON)
    assert len(eligible_signals.list_eligible(crowded)) == 20
    assert _read_through(crowded) == 0
