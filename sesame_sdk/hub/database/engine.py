"""The hub's database: engine, transactions and SQL helpers. SQLite and PostgreSQL differ in `dialects`."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import ref

from sqlalchemy import JSON, BigInteger, Connection, Engine, bindparam, cast, literal, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import Pool
from sqlalchemy.schema import Column, Table
from sqlalchemy.sql import ClauseElement, ColumnElement, FromClause, Join, TableValuedAlias
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.hub.database import migrations
from sesame_sdk.hub.database.dialects import postgresql, sqlite
from sesame_sdk.hub.database.dialects.base import DatabaseDialect, LockScope

_DIALECTS: dict[str, DatabaseDialect] = {"sqlite": sqlite.DIALECT, "postgresql": postgresql.DIALECT}


def open_engine(url: str) -> Engine:
    """An engine for the database at `url`. Tables are created if it is empty.

    Raises:
        ConfigurationError: the URL is invalid, the database cannot be opened, or its tables are of another
            version than this program's.
    """
    with _opened_engine(url) as engine:
        with read_transaction(engine) as connection:
            has_tables = migrations.check_version(connection)
        if not has_tables:
            _upgrade(engine)
        return engine


def migrate(url: str) -> str | None:
    """Migrate the tables at `url`. Returns the version that they had; None if there were none.

    Raises:
        ConfigurationError: as `open_engine`, but not for tables of an earlier version.
    """
    with _opened_engine(url) as engine:
        try:
            return _upgrade(engine)
        finally:
            engine.dispose()


@contextmanager
def open_current(url: str) -> Iterator[Engine | None]:
    """An engine for the database at `url`, closed at the end; None if its tables are of an earlier version.

    `ConfigurationError`: as `open_engine`. Creates no tables.
    """
    with _opened_engine(url) as engine:
        with read_transaction(engine) as connection:
            is_current = migrations.current_version(connection) == migrations.HEAD
        try:
            yield engine if is_current else None
        finally:
            engine.dispose()


@contextmanager
def _opened_engine(url: str) -> Iterator[Engine]:
    try:
        parsed = make_url(url)
        dialect = _DIALECTS.get(parsed.get_backend_name())
        if dialect is None:
            raise ConfigurationError(
                f"{parsed.get_backend_name()} is not supported",
                field="database",
                hint="use sqlite:///hub.sqlite or postgresql://user@host/name",
            )
        engine = dialect.open(parsed)
        _open_anew_in_children(engine)
        try:
            yield engine
        except BaseException:
            engine.dispose()
            raise
    except SQLAlchemyError as error:
        why = getattr(error, "orig", None) or type(error).__name__
        hint = "check that it exists, is writable, and belongs to a hub"
        raise ConfigurationError(
            f"cannot be opened: {why}", field=f"database {_without_password(url)}", hint=hint
        ) from error


#: The pools of a parent process. Their connections are the parent's, and are never closed here.
_inherited: list[Pool] = []


def _open_anew_in_children(engine: Engine) -> None:
    """Let a child of a fork open connections of its own: it would share its parent's, byte by byte."""
    reference = ref(engine)

    def forget() -> None:
        if (engine := reference()) is not None:
            _inherited.append(engine.pool)
            engine.dispose(close=False)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string()
    except ArgumentError:
        return "URL"


def _upgrade(engine: Engine) -> str | None:
    dialect = dialect_of(engine)
    with dialect.write_connection(engine) as connection, connection.begin():
        dialect.lock(connection, LockScope.EXCLUSIVE)
        return migrations.upgrade(connection)


def dialect_of(database: Engine | Connection) -> DatabaseDialect:
    """The dialect of a database."""
    return _DIALECTS[database.dialect.name]


def read_transaction(engine: Engine) -> AbstractContextManager[Connection]:
    """See `DatabaseDialect.read_transaction`."""
    return dialect_of(engine).read_transaction(engine)


def compile_sql(engine: Engine, statement: ClauseElement) -> str:
    """The SQL text of a statement, for `Connection.exec_driver_sql`.

    Rows then go to the driver unchanged: SQLAlchemy's preparation of a row costs more than SQLite's insert.
    """
    return str(statement.compile(engine))


class _Elements(FunctionElement[Any]):
    """A table of the elements of a JSON array, by the dialect's function."""

    inherit_cache = True


@compiles(_Elements)
def _compile_elements(elements: _Elements, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401
    name = _DIALECTS[compiler.dialect.name].json.elements
    return f"{name}({compiler.process(elements.clauses, **options)})"


def values_table(values: Iterable[int] | Iterable[str] | str) -> TableValuedAlias:
    """A table of one column, ``value``, with these values or those of the list parameter of this name.

    All go in one parameter. Numbers may come back as text: cast them.
    """
    parameter = bindparam(values, type_=JSON) if isinstance(values, str) else literal(list(values), JSON)
    return _Elements(parameter).table_valued("value")


def is_in(column: Column[Any], values: Iterable[int] | Iterable[str] | str) -> ColumnElement[bool]:
    """Whether a column holds one of the values; the database looks up each by its index.

    With a long list of literals PostgreSQL compares every row with every literal, until it has statistics.
    """
    value = values_table(values).c.value
    return column.in_(select(cast(value, BigInteger) if column.type.python_type is int else value))


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows with the same columns, or update those columns of rows whose key exists."""
    if rows:
        statement = dialect_of(connection).insert(table)
        update = {name: statement.excluded[name] for name in rows[0] if name not in table.primary_key}
        connection.execute(
            statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=update), rows
        )


class _OrderedJoin(Join):
    """An inner join whose left side is read first."""

    inherit_cache = True


def ordered_join(first: FromClause, *then: tuple[FromClause, ColumnElement[bool]]) -> FromClause:
    """Inner joins that SQLite must follow from left to right; each table comes with its condition.

    It has no statistics of temporary tables, and might begin by reading the largest table. On PostgreSQL this
    is a plain join: see `DatabaseDialect.prefer_indexes`.
    """
    for table, condition in then:
        first = _OrderedJoin(first, table, condition)
    return first


@compiles(_OrderedJoin, "sqlite")
def _cross_join(join: Join, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as the hook has it
    left, right = (compiler.process(side, **options | {"asfrom": True}) for side in (join.left, join.right))
    assert join.onclause is not None  # noqa: S101 - ordered_join gives one to each
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, **options)}"
