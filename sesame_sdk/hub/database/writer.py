"""The one writer of a hub: a thread that commits what waits for it together.

Waiting for the disk is most of what a commit costs, and one commit can carry many envelopes. While
the disk works on one group, the next gathers. `Writer.run` and `Writer.run_task` return when their work is
on disk, or raise.

A group is first done as if nothing could go wrong: tasks of one kin in one go, and no savepoints, for
which SQLite would copy every page that it writes to. Where a piece fails, all is undone and done again
one by one, each in a savepoint of its own, so that only the one that fails is undone. Work may
therefore be begun twice, and must not count on being begun once.

What is urgent has a line of its own (see `waiting`) and groups of its own, and goes before a group that still
waits for the database's lock: it waits for what is being written, and not for all that came before it. No
group is overtaken twice.

Where the database itself fails (a full disk), it may undo the whole transaction, savepoints and all:
then everybody in the group is told to come back, whatever their own piece came to.
"""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Any, Generic, Self, TypeVar

from attrs import field, frozen
from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.exc import DBAPIError

from sesame_sdk.errors import RetryableError
from sesame_sdk.hub.database.dialects.base import FAILURES, LockScope
from sesame_sdk.hub.database.engine import dialect_of, ensure_in_transaction, write_connection
from sesame_sdk.hub.database.task_queue import TaskQueue
from sesame_sdk.hub.observability import metrics, tracing
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.settings import Settings

I = TypeVar("I")  # noqa: E741 - an item
T = TypeVar("T")
#: Seconds to wait for the next piece of a group: about what it takes to verify an envelope.
_GATHER_TIMEOUT = 0.01


@frozen
class Task(Generic[I, T]):
    """Work on one item, which costs less when it is done for several at once.

    Attributes:
        work: does it in a transaction, for one item or several; returns a result for each, in their order. A
            result that is an exception is raised to whoever waits for that item, and undoes nothing.
        item: ours.
        batch_key: tasks that are equal in this may be done at once; None for one that is done alone.
        lock: what must stand still meanwhile.
        on_commit: told the result once it is on disk; gives what whoever waits for it is given.
        urgent: whether somebody waits for it who should not wait for envelopes.
    """

    work: Callable[[Connection, Sequence[I]], Sequence[Any]]
    item: I
    batch_key: Hashable = None
    lock: LockScope = LockScope.EXCLUSIVE
    on_commit: Callable[[Any], T] = lambda result: result
    urgent: bool = False


@frozen(eq=False)
class _Job(Generic[T]):
    task: Task[Any, T]
    done: Future[T] = field(factory=Future)


@frozen
class _TaskResult:
    job: _Job[Any]
    result: object = None
    error: BaseException | None = None


class _TaskFailed(Exception):
    """Some piece of a group did; which one, and whether by itself, is seen when each is done alone."""


class Writer:
    """Writes to the ledger, one group at a time.

    Args:
        engine: of the ledger.
        max_queue: pieces of work that may wait; more are turned away.
        batch_size: pieces of work that share a commit at most.
    """

    def __init__(self, engine: Engine, *, max_queue: int, batch_size: int) -> None:
        self._engine = engine
        self._waiting = TaskQueue[_Job[Any]]()
        self._most = max_queue
        self._group = batch_size
        self._last = 0
        self._lock = Lock()
        self._closed = False
        self._thread = Thread(target=self._serve, name="sesame-hub-writer", daemon=True)
        self._thread.start()

    def run(
        self, work: Callable[[Connection], T], lock: LockScope = LockScope.EXCLUSIVE, *, urgent: bool = False
    ) -> T:
        """Do `work` in a transaction; returns what it returned, once that is on disk.

        Raises:
            RetryableError: too much is waiting, the hub is closing, or the database did not take it.
        """
        return self.run_task(Task(lambda connection, _: [work(connection)], None, lock=lock, urgent=urgent))

    def run_task(self, task: Task[Any, T]) -> T:
        """The same for a task, which may share its work with others of its kin.

        Raises:
            RetryableError: as `run` does.
        """
        return self.submit(task).result()

    def submit(self, task: Task[Any, T]) -> Future[T]:
        """The same without waiting: gives what will hold the result, or the error.

        Cancelled before its turn, the task is not done.

        Raises:
            RetryableError: too much is waiting, or the hub is closing.
        """
        job = _Job(task)
        with self._lock:
            if self._closed:
                raise RetryableError("the hub is closing", retry_after=5)
            if self.pending >= self._most:
                raise RetryableError("the hub is busy", hint="send again later", retry_after=1)
            self._waiting.put(job, urgent=task.urgent)
        metrics.WRITE_QUEUE_LENGTH.set(self.pending)
        return job.done

    @property
    def alive(self) -> bool:
        """Whether it still takes work."""
        return self._thread.is_alive() and not self._closed

    @property
    def pending(self) -> int:
        """Pieces of work that wait, about."""
        return len(self._waiting)

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._waiting.close()
        self._thread.join()

    def _serve(self) -> None:
        # One connection for good: the database keeps pages cached for each connection, and has to read
        # them anew after another one wrote.
        urgent = False
        with write_connection(self._engine) as connection:
            while (turn := self._waiting.next_turn(after_urgent=urgent)) is not None:
                urgent = turn
                jobs = self._gather(urgent=urgent)
                if jobs and (later := self._commit(connection, jobs, overtaken=urgent)):
                    self._commit(connection, later, overtaken=True)

    def _gather(self, *, urgent: bool) -> list[_Job[Any]]:
        """What waits in one line, and what else will be there in a moment."""
        jobs: list[_Job[Any]] = []
        while len(jobs) < self._group:
            # As many senders as came together last time are likely to come again, one verified
            # envelope after the other. A lone sender never waits.
            expected = not urgent and 0 < len(jobs) < self._last
            job = self._waiting.pop(urgent=urgent, timeout=_GATHER_TIMEOUT if expected else 0)
            if job is None:
                break
            if job.done.set_running_or_notify_cancel():
                jobs.append(job)
        self._last = self._last if urgent else len(jobs)
        metrics.WRITE_QUEUE_LENGTH.set(self.pending)
        return jobs

    def _commit(self, connection: Connection, jobs: list[_Job[Any]], *, overtaken: bool) -> list[_Job[Any]]:
        """Do every piece of work in one transaction, and tell each who waits how it went.

        Returns:
            Those that are still to be done, since something urgent came while they waited for the database's
            lock, and was done instead. None if they were `overtaken` before, or are urgent themselves.
        """
        hold = max(job.task.lock for job in jobs)
        doing, later = jobs, []
        try:
            with metrics.COMMIT_SECONDS.time():
                transaction = _begin(connection, hold)
                if not overtaken and (urgent := self._gather(urgent=True)):
                    doing, later = urgent, jobs
                metrics.TRANSACTION_BATCH_SIZE.observe(len(doing))
                with tracing.transaction_span(len(doing)):
                    outcomes = _outcomes(connection, transaction, doing, hold)
        except BaseException as error:  # noqa: BLE001 - nobody else writes: this thread must outlive all
            metrics.FAILED_TRANSACTIONS.inc()
            log.error("transaction_failed", batch_size=len(doing), error=error)
            # A commit that failed may leave its transaction open: begin the next on a new connection.
            connection.invalidate()
            for job in doing:
                job.done.set_exception(_retryable(error))
            return later
        for outcome in outcomes:
            if outcome.error is None:
                outcome.job.done.set_result(outcome.job.task.on_commit(outcome.result))
            else:
                outcome.job.done.set_exception(outcome.error)
        return later


def _outcomes(
    connection: Connection, transaction: Transaction, jobs: list[_Job[Any]], hold: LockScope
) -> list[_TaskResult]:
    try:
        return _within(transaction, connection, jobs, _at_once)
    except _TaskFailed:
        return _within(_begin(connection, hold), connection, jobs, _one_by_one)


def _within(
    transaction: Transaction,
    connection: Connection,
    jobs: list[_Job[Any]],
    do_all: Callable[[Connection, list[_Job[Any]]], list[_TaskResult]],
) -> list[_TaskResult]:
    with transaction:
        outcomes = do_all(connection, jobs)
        ensure_in_transaction(connection)
    return outcomes


def _begin(connection: Connection, hold: LockScope) -> Transaction:
    try:
        return _begin_once(connection, hold)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _begin_once(connection, hold)  # it had broken while nothing was asked of it


def _begin_once(connection: Connection, hold: LockScope) -> Transaction:
    transaction = connection.begin()
    try:
        dialect_of(connection.engine).lock(connection, hold)
    except BaseException:
        transaction.rollback()
        raise
    return transaction


def _at_once(connection: Connection, jobs: list[_Job[Any]]) -> list[_TaskResult]:
    """Do all, those of one kin in one go. Nobody was answered yet, so their order is ours to choose.

    Raises:
        DBAPIError: the database failed: one of `FAILURES`.
        _TaskFailed: anything else did.
    """
    kindred: dict[Hashable, list[_Job[Any]]] = {}
    for job in jobs:
        kindred.setdefault(id(job) if job.task.batch_key is None else job.task.batch_key, []).append(job)
    try:
        # Always in the same order, so that two workers never wait for each other's rows.
        ordered = sorted(kindred, key=lambda kin: (isinstance(kin, int), str(kin)))
        return [outcome for kin in ordered for outcome in _do(connection, kindred[kin])]
    except FAILURES:
        raise
    except BaseException as error:
        raise _TaskFailed from error


def _one_by_one(connection: Connection, jobs: list[_Job[Any]]) -> list[_TaskResult]:
    return [_attempt(connection, job) for job in jobs]


def _attempt(connection: Connection, job: _Job[Any]) -> _TaskResult:
    """Do one piece of work in its own savepoint.

    Raises:
        DBAPIError: the database failed, and with it the group: one of `FAILURES`.
    """
    try:
        with connection.begin_nested():
            return _do(connection, [job])[0]
    except FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for this piece alone
        return _TaskResult(job, error=error)
    except BaseException as error:  # noqa: BLE001 - a plugin's SystemExit must not end the writer
        return _TaskResult(job, error=_retryable(error))


def _do(connection: Connection, jobs: list[_Job[Any]]) -> list[_TaskResult]:
    results = jobs[0].task.work(connection, [job.task.item for job in jobs])
    return [
        _TaskResult(job, error=result) if isinstance(result, Exception) else _TaskResult(job, result)
        for job, result in zip(jobs, results, strict=True)
    ]


def _retryable(error: BaseException) -> RetryableError:
    failure = RetryableError("the ledger could not be written", retry_after=5)
    failure.__cause__ = error
    return failure


@frozen
class Writers:
    """The writers of one process.

    Attributes:
        ledger: envelopes, and whatever changes consents, keys, registrations and policies.
        reads: the log of reads, before each is answered.
        streams: messages to consumers.
    """

    ledger: Writer
    reads: Writer
    streams: Writer

    @classmethod
    def from_settings(cls, engine: Engine, settings: Settings) -> Self:
        """Begin to write to a ledger."""
        ledger, reads, streams = (
            Writer(engine, max_queue=settings.max_queue, batch_size=settings.batch_size) if own else None
            for own in (True, *[dialect_of(engine).concurrent_writes] * 2)
        )
        assert ledger is not None  # noqa: S101 - the first is always made
        return cls(ledger, reads or ledger, streams or ledger)

    @property
    def alive(self) -> bool:
        """Whether all take work."""
        return self.ledger.alive and self.reads.alive and self.streams.alive

    def close(self) -> None:
        """Finish what waits, then stop."""
        for writer in (self.streams, self.reads, self.ledger):
            writer.close()
