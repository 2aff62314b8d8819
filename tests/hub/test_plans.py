"""How the database goes about the questions that must stay quick however much the ledger holds."""

from contextlib import nullcontext

import pytest
from sqlalchemy import Connection, Select, text

from sesame_sdk.hub import counting, parties
from sesame_sdk.hub.database import open_engine, product_of, reading
from sesame_sdk.hub.hub import Hub
from tests.hub.stage import NOON
from tests.postgresql import Server

_MANY_SIGNALS = """
    INSERT INTO signals (person, partner, id, kind, value, occurred_at, envelope)
    SELECT n % 1000, 1, decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 1.0, 0, 0 FROM generate_series(1, 20000) n
"""


@pytest.fixture
def database() -> str:
    """Plans are told by each product in words of its own; these are SQLite's."""
    return "sqlite:///hub.sqlite"


def _plan(connection: Connection, statement: Select[*tuple[object, ...]] | str) -> list[str]:
    said = (
        statement
        if isinstance(statement, str)
        else str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    )
    return [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {said}"))]


@pytest.mark.usefixtures("shop")
def test_a_read_looks_only_at_the_rows_of_those_asked(hub: Hub) -> None:
    """No step walks through all signals, grants or pseudonyms."""
    engine = open_engine(hub.settings.database_url)
    with reading(engine) as connection:
        counting.count(connection, {1: ["retail"]}, NOON)
        counted = _plan(connection, "SELECT * FROM counted")
        permitted = _plan(connection, counting._permissions(NOON))
    engine.dispose()
    large = ("signals", "grants", "grant_kinds", "pseudonyms", "envelopes")
    assert counted[0] == "SCAN permitted"
    assert permitted[0] == "SCAN asked"
    assert not [step for step in counted + permitted if step in {f"SCAN {table}" for table in large}]


def test_what_a_revoked_key_signed_is_found_by_an_index(hub: Hub) -> None:
    """Envelopes are large: looking for those of a key does not read them."""
    engine = open_engine(hub.settings.database_url)
    with reading(engine) as connection:
        steps = _plan(connection, parties.void_envelopes())
    engine.dispose()
    assert any("envelopes USING COVERING INDEX envelopes_by_key" in step for step in steps)


@pytest.mark.parametrize("few", [True, False], ids=["few", "as the planner likes"])
def test_postgresql_reads_the_signals_of_those_asked_alone(
    postgresql: Server, empty_ledger: str, few: bool
) -> None:
    """It does when it is told so, also where it would rather read all of them."""
    name = postgresql.create(empty_ledger)
    engine = open_engine(postgresql.url(name))
    with reading(engine) as connection:
        connection.execute(text(_MANY_SIGNALS))
        counting.count(connection, {1: ["retail"]}, NOON)
        with product_of(engine).few(connection) if few else nullcontext():
            steps = list(connection.scalars(text("EXPLAIN SELECT * FROM counted")))
    engine.dispose()
    postgresql.drop(name)
    assert any("Index Scan using signals_pkey" in step for step in steps) is few, steps
    assert any("Seq Scan on signals" in step for step in steps) is not few, steps
