"""The interface of a database dialect: what SQLite and PostgreSQL do differently for a hub."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from enum import IntEnum
from typing import IO, Any, Protocol

from attrs import field, frozen
from sqlalchemy import URL, Column, Connection, Dialect, Engine, Select, Table
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.schema import CreateTable

from sesame_sdk.errors import RetryableError
from sesame_sdk.model.policy import Policy

#: A row of `signals`: person, partner, key, kind, value, occurred_at, envelope, id_time.
SignalRow = tuple[int, int, bytes, int, float, int, int, int]
#: Person, kind, hundredths; kind '' is the bounded total.
ScorePart = tuple[int, str, int]
#: Errors of the database and not of the statement: no connection, a full disk, a lock timeout. A retry may
#: succeed.
FAILURES = (OperationalError, InterfaceError, InternalError, NoConnection)


@contextmanager
def translate_driver_errors(driver_error: type[Exception]) -> Iterator[None]:
    """Raise errors of a driver that is called directly as SQLAlchemy's errors."""
    try:
        yield
    except driver_error as error:
        raise DBAPIError.instance(None, None, error, driver_error, hide_parameters=True) from error


class LockScope(IntEnum):
    """What other transactions may not write meanwhile. Each scope includes those before it."""

    #: No changes of grants, keys, registrations and policies; other workers may ingest envelopes.
    SHARED = 0
    #: The same, and no other transaction on streams.
    STREAMS = 1
    #: No other transaction writes.
    EXCLUSIVE = 2


class ConcurrentWriteError(RetryableError):
    """Another worker stored the same signal just now, from an envelope with a higher id; try again.

    What stands of a signal follows from the order of the envelopes in the ledger, which is that of their ids:
    so they must be stored in this order.
    """


@frozen
class JsonFunctions:
    """A dialect's names of the JSON functions that every dialect has."""

    #: A table of the elements of an array, as text.
    elements: str
    #: An array of the arguments.
    array: str
    #: An array of all rows.
    collect: str


@frozen(eq=False)
class TemporaryRelations:
    """Temporary tables and views over them, the same as long as a process lives."""

    tables: tuple[Table, ...]
    views: Mapping[str, Select[*tuple[Any, ...]]]
    _statements: dict[str, tuple[str, ...]] = field(factory=dict, init=False)

    def create_statements(self, dialect: Dialect, view: str) -> tuple[str, ...]:
        """The statements that create them, built once for each dialect. `view` is the SQL before a name."""
        if dialect.name not in self._statements:
            tables = [
                CreateTable(table, if_not_exists=True).compile(dialect=dialect) for table in self.tables
            ]
            views = [
                f"{view} {name} AS {query.compile(dialect=dialect, compile_kwargs={'literal_binds': True})}"
                for name, query in self.views.items()
            ]
            self._statements[dialect.name] = (*map(str, tables), *views)
        return self._statements[dialect.name]

    def delete_statements(self) -> Iterator[str]:
        """The statements that empty the tables."""
        return (f"DELETE FROM {table.name}" for table in self.tables)  # noqa: S608 - names of our own


class SignalTable(Protocol):
    """The table of signals, written for whole envelopes at a time."""

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        """Insert rows of signals that the table does not have, one of each. Returns how many."""

    def find_rows(self, connection: Connection, rows: Sequence[SignalRow]) -> list[SignalRow | None]:
        """The row that the table has for the signal of each of these."""

    def check_order(self, connection: Connection, rows: Sequence[SignalRow]) -> None:
        """Pass if no later envelope than theirs has a further disclosure of the signals of these rows.

        Raises:
            ConcurrentWriteError: one has.
        """


class LeaderLock(Protocol):
    """The lock of the process that rescores and pushes streams. It ends with the process."""

    def is_held(self) -> bool:
        """Whether the lock is still held."""

    def release(self) -> None:
        """Let another process become the leader."""


class DatabaseDialect(Protocol):
    """What the hub needs of a database."""

    json: JsonFunctions
    #: Whether several transactions may write at the same time.
    concurrent_writes: bool

    def open(self, url: URL) -> Engine:
        """An engine, configured for a hub."""

    def write_connection(self, engine: Engine) -> Connection:
        """A connection for transactions that write; each must begin with `lock`."""

    def read_transaction(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the database; its rows in temporary tables end with it."""

    def lock(self, connection: Connection, scope: LockScope) -> None:
        """Lock what a transaction that writes needs, at its begin."""

    def acquire_leader_lock(self, engine: Engine) -> LeaderLock | None:
        """Become the one process that rescores and pushes streams; None if another process is."""

    def ensure_in_transaction(self, connection: Connection) -> None:
        """Pass if the transaction can still be committed.

        Raises:
            RetryableError: the database rolled it back, as SQLite does when the disk is full; a commit would
                succeed and keep nothing.
        """

    def reserve_ids(self, connection: Connection, column: Column[int], count: int) -> Sequence[int]:
        """Ids for `column`, ascending, that no row has and no other transaction gets."""

    def fetch_rows(
        self, connection: Connection, query: Select[*tuple[Any, ...]], parameters: Mapping[str, object]
    ) -> list[Sequence[Any]]:
        """All rows of a small result of numbers and text, fast, for a query that is built once."""

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect's own Insert, with on_conflict_do_update
        """An INSERT with an ON CONFLICT clause."""

    def signal_table(self, engine: Engine, table: Table, further: Table) -> SignalTable:
        """The table of signals; `further` has what other envelopes said of them."""

    def prepare(self, connection: Connection, relations: TemporaryRelations) -> None:
        """Create the temporary tables and views if they are missing, and empty the tables."""

    def analyze(self, connection: Connection, table: Table) -> None:
        """Tell the planner that a temporary table has become large."""

    def prefer_indexes(self, connection: Connection) -> AbstractContextManager[None]:
        """Let the planner use indexes within it, since few rows are needed."""

    def write_csv(self, connection: Connection, query: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
        """Stream rows of numbers and identifiers to a CSV file."""

    def score(
        self, connection: Connection, policy: Policy, as_of: date, *, reasons: bool
    ) -> Iterable[ScorePart]:
        """Score everyone in ``counted`` with the one SQL text; without `reasons`, totals only."""
