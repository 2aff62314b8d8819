"""What a database product has to be able to do for a hub."""

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

#: A signal as its table has it: person, partner, id, kind, value, occurred_at, envelope.
SignalRow = tuple[int, int, bytes, int, float, int, int]
#: (person, kind, hundredths); kind '' is the bounded total.
ScorePart = tuple[int, str, int]
#: The database failed, and not what it was asked: it is away, its disk is full, a lock was not to be had. The
#: same may succeed later.
FAILURES = (OperationalError, InterfaceError, InternalError, NoConnection)


@contextmanager
def translate_driver_errors(driver_error: type[Exception]) -> Iterator[None]:
    """Raise errors of a driver that we speak to ourselves as SQLAlchemy does those that pass through it."""
    try:
        yield
    except driver_error as error:
        raise DBAPIError.instance(None, None, error, driver_error, hide_parameters=True) from error


class LockScope(IntEnum):
    """What a transaction that writes keeps others from. Each keeps them from what the ones before do."""

    #: Consents, keys, registrations and policies stand still; others may take in envelopes too.
    SHARED = 0
    #: The same, and nobody else works on streams.
    STREAMS = 1
    #: Nobody else writes.
    EXCLUSIVE = 2


class ConcurrentWriteError(RetryableError):
    """Another worker kept the same signal just now, under a later number. Done again, ours is the later one.

    When the ledger is replayed the first of two envelopes with one signal has it, so the first that was kept
    must be the one with the lower number.
    """


@frozen
class JsonFunctions:
    """How a product calls JSON functions that exist in every one.

    Attributes:
        elements: a table of the elements of an array, as text.
        array: an array of its arguments.
        collect: an array of all rows.
    """

    elements: str
    array: str
    collect: str


@frozen(eq=False)
class TemporaryRelations:
    """Temporary tables, and views that are made of them. They are the same for as long as a process lives.

    Attributes:
        tables: what they are.
        views: by name.
    """

    tables: tuple[Table, ...]
    views: Mapping[str, Select[*tuple[Any, ...]]]
    _making: dict[str, tuple[str, ...]] = field(factory=dict, init=False)

    def create_statements(self, dialect: Dialect, view: str) -> tuple[str, ...]:
        """The statements that make them.

        Args:
            dialect: of the product; they are made once for each.
            view: the words before the name of a view.
        """
        if dialect.name not in self._making:
            tables = [
                CreateTable(table, if_not_exists=True).compile(dialect=dialect) for table in self.tables
            ]
            views = [
                f"{view} {name} AS {chosen.compile(dialect=dialect, compile_kwargs={'literal_binds': True})}"
                for name, chosen in self.views.items()
            ]
            self._making[dialect.name] = (*map(str, tables), *views)
        return self._making[dialect.name]

    def delete_statements(self) -> Iterator[str]:
        """The statements that empty the tables."""
        return (f"DELETE FROM {table.name}" for table in self.tables)  # noqa: S608 - names of our own


class SignalTable(Protocol):
    """The table of signals, for whole envelopes at a time."""

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        """Add what is not there yet, or stands by a void envelope. How many that were.

        Of equal keys the first counts.
        """
        ...

    def find_origins(self, connection: Connection, rows: Sequence[SignalRow]) -> list[tuple[int, str | None]]:
        """For each row, once inserted, the envelope that it stands by, and its key if it is in the ledger."""
        ...


class LeaderLock(Protocol):
    """Being the one that looks after streams. It ends with the process, however that ends."""

    def is_held(self) -> bool:
        """Whether it still is."""
        ...

    def release(self) -> None:
        """Let another be it."""
        ...


class DatabaseDialect(Protocol):
    """One product."""

    json: JsonFunctions
    #: Whether several transactions may write at the same time.
    concurrent_writes: bool

    def open(self, url: URL) -> Engine:
        """An engine that is tuned for a ledger."""
        ...

    def write_connection(self, engine: Engine) -> Connection:
        """A connection for transactions that write."""
        ...

    def read_transaction(self, engine: Engine) -> AbstractContextManager[Connection]:
        """See `database.reading`."""
        ...

    def lock(self, connection: Connection, hold: LockScope) -> None:
        """Begin a transaction that writes by keeping others from what would disturb it."""
        ...

    def acquire_leader_lock(self, engine: Engine) -> "LeaderLock | None":
        """Become the one process that looks after the ledger's streams, unless another is."""
        ...

    def ensure_in_transaction(self, connection: Connection) -> None:
        """See `database.ensure_in_transaction`."""
        ...

    def reserve_ids(self, connection: Connection, column: Column[int], many: int) -> Sequence[int]:
        """Numbers that no row has or will have, in ascending order."""
        ...

    def fetch_rows(
        self, connection: Connection, chosen: Select[*tuple[Any, ...]], parameters: Mapping[str, object]
    ) -> list[Sequence[Any]]:
        """See `database.fetched`."""
        ...

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect's own Insert, with on_conflict_do_update
        """An INSERT that can say what to do about a row that is there already."""
        ...

    def signal_table(self, engine: Engine, table: Table, envelopes: Table, void: Select[int]) -> SignalTable:
        """The table of signals; `void` gives the envelopes that do not count."""
        ...

    def prepare(self, connection: Connection, relations: TemporaryRelations) -> None:
        """See that temporary tables are there, and empty, and that the views of them are there."""
        ...

    def analyze(self, connection: Connection, table: Table) -> None:
        """Let the planner know that a temporary table has become large."""
        ...

    def prefer_indexes(self, connection: Connection) -> AbstractContextManager[None]:
        """Within it, few rows are asked for, whatever the planner thinks."""
        ...

    def write_csv(self, connection: Connection, chosen: Select[*tuple[Any, ...]], file: IO[bytes]) -> None:
        """Write rows of numbers and plain words, of any number, without holding them."""
        ...

    def score(
        self, connection: Connection, policy: Policy, as_of: date, *, reasons: bool
    ) -> Iterable[ScorePart]:
        """Score everybody in ``counted``, by the one SQL text; without `reasons` the totals alone."""
        ...
