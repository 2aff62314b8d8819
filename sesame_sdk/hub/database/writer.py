"""The writer of a hub: a thread that commits waiting tasks together (group commit).

Most of the cost of a commit is the wait for the disk, and one commit can hold many envelopes. While the disk
works on one group, the next one gathers. `Writer.run` and `Writer.run_task` return when their work is on
disk, or raise.

A group first runs without savepoints, for which SQLite would copy every page, and tasks with one batch key
run in one call. If a task fails, the transaction is rolled back and the tasks run one by one, each in a
savepoint, so that only the failing one is undone. So work may run twice, and must not depend on running once.

Urgent tasks have a queue (see `task_queue`) and groups of their own, and go before a group that still waits
for the database's lock. No group is overtaken twice.

If the database itself fails (a full disk), it may roll back the whole transaction with its savepoints: then
every task of the group raises a `RetryableError`.
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
#: Seconds to wait for the next task of a group: about what it takes to verify an envelope.
_GATHER_TIMEOUT = 0.01


@frozen
class Task(Generic[I, T]):
    """Work on one item, which is cheaper for several items at once.

    Attributes:
        work: does it in a transaction, for one or several items; returns a result for each, in their order.
            An exception as a result is raised to the caller that waits for that item, and undoes nothing.
        item: of this task.
        batch_key: tasks with an equal key may run in one call; None for one that runs alone.
        lock: to hold meanwhile.
        on_commit: turns the result into what the caller gets, once the result is on disk.
        urgent: whether it must not wait for envelopes.
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
    """A task of a group failed; which one is found by running each alone."""


class Writer:
    """Writes to the database, one group at a time.

    Args:
        engine: of the database.
        max_queue: tasks that may wait; more are rejected.
        batch_size: tasks of one commit at most.
    """

    def __init__(self, engine: Engine, *, max_queue: int, batch_size: int) -> None:
        self._engine = engine
        self._waiting = TaskQueue[_Job[Any]]()
        self._max_queue = max_queue
        self._batch_size = batch_size
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
            RetryableError: the queue is full, the hub is closing, or the database failed.
        """
        return self.run_task(Task(lambda connection, _: [work(connection)], None, lock=lock, urgent=urgent))

    def run_task(self, task: Task[Any, T]) -> T:
        """The same for a task, which may run in one call with others of its batch key.

        Raises:
            RetryableError: as `run` does.
        """
        return self.submit(task).result()

    def submit(self, task: Task[Any, T]) -> Future[T]:
        """The same without waiting: returns the future of the result.

        Cancelled before its turn, the task is not done.

        Raises:
            RetryableError: the queue is full, or the hub is closing.
        """
        job = _Job(task)
        with self._lock:
            if self._closed:
                raise RetryableError("the hub is closing", retry_after=5)
            if self.pending >= self._max_queue:
                raise RetryableError("the hub is busy", hint="send again later", retry_after=1)
            self._waiting.put(job, urgent=task.urgent)
        metrics.WRITE_QUEUE_LENGTH.set(self.pending)
        return job.done

    @property
    def alive(self) -> bool:
        """Whether it accepts tasks."""
        return self._thread.is_alive() and not self._closed

    @property
    def pending(self) -> int:
        """Tasks that wait, about."""
        return len(self._waiting)

    def close(self) -> None:
        """Finish waiting tasks, then stop."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._waiting.close()
        self._thread.join()

    def _serve(self) -> None:
        # One connection: the database caches pages for each connection, and reads them again after another
        # wrote.
        urgent = False
        with write_connection(self._engine) as connection:
            while (turn := self._waiting.next_turn(after_urgent=urgent)) is not None:
                urgent = turn
                jobs = self._gather(urgent=urgent)
                if jobs and (later := self._commit(connection, jobs, overtaken=urgent)):
                    self._commit(connection, later, overtaken=True)

    def _gather(self, *, urgent: bool) -> list[_Job[Any]]:
        """The waiting tasks of one queue, and those that are expected within milliseconds."""
        jobs: list[_Job[Any]] = []
        while len(jobs) < self._batch_size:
            # As many senders as last time are likely to follow. A single sender never waits.
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
        """Run every task in one transaction, and set the result of each.

        Returns:
            The tasks that still have to run, since urgent ones came while they waited for the database's lock
            and ran instead. None if they were `overtaken` before, or are urgent themselves.
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
        except BaseException as error:  # noqa: BLE001 - this thread must survive every error
            metrics.FAILED_TRANSACTIONS.inc()
            log.error("transaction_failed", batch_size=len(doing), error=error)
            # A failed commit may leave its transaction open: begin the next on a new connection.
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
        return _begin_once(connection, hold)  # it had broken while idle


def _begin_once(connection: Connection, hold: LockScope) -> Transaction:
    transaction = connection.begin()
    try:
        dialect_of(connection.engine).lock(connection, hold)
    except BaseException:
        transaction.rollback()
        raise
    return transaction


def _at_once(connection: Connection, jobs: list[_Job[Any]]) -> list[_TaskResult]:
    """Run all tasks, those of one batch key in one call. No caller has a result yet, so any order will do.

    Raises:
        DBAPIError: the database failed: one of `FAILURES`.
        _TaskFailed: anything else did.
    """
    batches: dict[Hashable, list[_Job[Any]]] = {}
    for job in jobs:
        batches.setdefault(id(job) if job.task.batch_key is None else job.task.batch_key, []).append(job)
    try:
        # Always in the same order, so that two workers never wait for each other's rows.
        ordered = sorted(batches, key=lambda key: (isinstance(key, int), str(key)))
        return [outcome for key in ordered for outcome in _do(connection, batches[key])]
    except FAILURES:
        raise
    except BaseException as error:
        raise _TaskFailed from error


def _one_by_one(connection: Connection, jobs: list[_Job[Any]]) -> list[_TaskResult]:
    return [_attempt(connection, job) for job in jobs]


def _attempt(connection: Connection, job: _Job[Any]) -> _TaskResult:
    """Run one task in its own savepoint.

    Raises:
        DBAPIError: the database failed, and with it the group: one of `FAILURES`.
    """
    try:
        with connection.begin_nested():
            return _do(connection, [job])[0]
    except FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to the caller of this task only
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
    failure = RetryableError("the database could not be written", retry_after=5)
    failure.__cause__ = error
    return failure


@frozen
class Writers:
    """The writers of one process, so that a person who waits for a score does not wait for envelopes.

    Where the database allows one write at a time, all share one writer, and urgent tasks come first.

    Attributes:
        ledger: envelopes, and changes of grants, keys, registrations and policies.
        reads: the log of reads.
        streams: messages of streams.
    """

    ledger: Writer
    reads: Writer
    streams: Writer

    @classmethod
    def from_settings(cls, engine: Engine, settings: Settings) -> Self:
        """Start the writers of a database."""
        ledger, reads, streams = (
            Writer(engine, max_queue=settings.max_queue, batch_size=settings.batch_size) if own else None
            for own in (True, *[dialect_of(engine).concurrent_writes] * 2)
        )
        assert ledger is not None  # noqa: S101 - the first is always made
        return cls(ledger, reads or ledger, streams or ledger)

    @property
    def alive(self) -> bool:
        """Whether all accept tasks."""
        return self.ledger.alive and self.reads.alive and self.streams.alive

    def close(self) -> None:
        """Finish waiting tasks, then stop."""
        for writer in (self.streams, self.reads, self.ledger):
            writer.close()
