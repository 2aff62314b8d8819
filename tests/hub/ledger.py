"""Looking into a hub's database from outside, whichever it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from sesame_sdk.hub.database.engine import open_engine, read_transaction
from sesame_sdk.hub.database.tables import metadata
from sesame_sdk.hub.settings import load_settings


@contextmanager
def looking(path: Path) -> Iterator[Connection]:
    """The ledger of the hub in a folder, as another process sees it."""
    engine = open_engine(load_settings(path).database_url)
    try:
        with read_transaction(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def rows(path: Path, table: Table) -> list[tuple[Any, ...]]:
    """All rows of a table, in the order of its key."""
    with looking(path) as connection:
        rows = connection.execute(select(table).order_by(*table.primary_key))
        return [tuple(row) for row in rows]


def count(path: Path, table: Table) -> int:
    """How many rows a table has."""
    with looking(path) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def change(path: Path, statement: str) -> None:
    """Change the database behind the hub's back."""
    engine = open_engine(load_settings(path).database_url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {table.name: rows(path, table) for table in metadata.sorted_tables}


def ledger_bytes(path: Path) -> bytes:
    """Every byte that the hub has on disk; where a server has them, all that is in its tables."""
    files = sorted(path.glob("hub.sqlite*"))
    if files:
        return b"".join(file.read_bytes() for file in files)
    cells = (cell for rows in dump(path).values() for row in rows for cell in row)
    return b"\0".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)
