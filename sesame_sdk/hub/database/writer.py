"""The writer of a hub: a thread that commits waiting tasks together (group commit).

Most of the cost of a commit is the wait for the disk, and one commit can hold many envelopes. While the disk
works on one group, the next one gathers. `Writer.run` returns when its work is on disk, or raises.

A group first runs without savepoints, for which SQLite would copy every page, and tasks with one batch key
run in one call. If a task fails, the transaction is rolled back and the tasks run one by one, each in a
savepoint, so that only the failing one is undone. So work may run twice, and must not depend on running once.

Urgent tasks have a queue and groups of their own, and go before a group that still waits for the database's
lock. No group is overtaken twice.

If the database itself fails (a full disk), it may roll back the whole transaction with its savepoints: then
every task of the group raises a `RetryableError`.
"""

import os
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from threading import Condition, Lock, Thread
from typing import Any, Generic, Self, TypeVar

from attrs import define, field, frozen
from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.exc import DBAPIError

from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.hub.database.dialects.base import FAILURES, LockScope
from sesame_sdk.hub.database.engine import dialect_of
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
        batch_key: tasks with an equal key may run in one call; None for one that runs alone.
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


#: An exception as a result is raised to the caller.
_Results = list[tuple[_Job[Any], object]]


class _TaskFailed(Exception):
    """A task of a group failed; which one is found by running each alone."""


@define(eq=False)
class TaskQueue(Generic[T]):
    """Two queues that take turns when both have work: one thread pops, any number puts.

    An urgent task waits for one group of usual tasks at most, and in a flood of urgent tasks every other
    group is usual.
    """

    _urgent: deque[T] = field(factory=deque, init=False)
    _usual: deque[T] = field(factory=deque, init=False)
    _changed: Condition = field(factory=Condition, init=False)
    _closed: bool = field(default=False, init=False)

    def __len__(self) -> int:
        """The length of both queues."""
        return len(self._urgent) + len(self._usual)

    def put(self, work: T, *, urgent: bool) -> None:
        """Add work."""
        with self._changed:
            self._queue(urgent=urgent).append(work)
            self._changed.notify()

    def close(self) -> None:
        """Let the reader end once the queue is empty."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def next_turn(self, *, after_urgent: bool) -> bool | None:
        """Wait for work. Whether the urgent queue is next (not, if it was last and the other has work).

        None once the queue is closed and empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self) or self._closed)
            if not len(self):
                return None
            return bool(self._urgent) and not (after_urgent and self._usual)

    def pop(self, *, urgent: bool, timeout: float = 0) -> T | None:
        """The first of a queue; None if it stays empty for `timeout` seconds."""
        queue = self._queue(urgent=urgent)
        with self._changed:
            self._changed.wait_for(lambda: queue, timeout)
            return queue.popleft() if queue else None

    def _queue(self, *, urgent: bool) -> deque[T]:
        return self._urgent if urgent else self._usual


class Writer:
    """Writes to the database, at most `batch_size` tasks a commit. Tasks beyond `max_queue` are rejected."""

    def __init__(self, engine: Engine, *, max_queue: int, batch_size: int) -> None:
        self._engine = engine
        self._waiting = TaskQueue[_Job[Any]]()
        self._max_queue, self._batch_size = max_queue, batch_size
        self._last = 0
        self._lock = Lock()
        self._closed, self._pid = False, os.getpid()
        self._thread = Thread(target=self._serve, name="sesame-hub-writer", daemon=True)
        self._thread.start()

    def run(
        self, work: Callable[[Connection], T], lock: LockScope = LockScope.EXCLUSIVE, *, urgent: bool = False
    ) -> T:
        """Do `work` in a transaction; returns what it returned, once that is on disk.

        Raises:
            RetryableError: the queue is full, the hub is closing, or the database failed.
        """
        task: Task[None, T] = Task(lambda connection, _: [work(connection)], None, lock=lock, urgent=urgent)
        return self.submit(task).result()

    def submit(self, task: Task[Any, T]) -> Future[T]:
        """Queue a task; it is not done if its future is cancelled in time.

        Raises:
            RetryableError: the queue is full, or the hub is closing.
            ConfigurationError: this is a child of the process that opened the hub.
        """
        self.check_process()
        job = _Job(task)
        with self._lock:
            if self._closed:
                raise RetryableError("the hub is closing", retry_after=5)
            if self.pending >= self._max_queue:
                raise RetryableError("the hub is busy", hint="send again later", retry_after=1)
            self._waiting.put(job, urgent=task.urgent)
        metrics.WRITE_QUEUE_LENGTH.set(self.pending)
        return job.done

    def check_process(self) -> None:
        """Raise a `ConfigurationError` in a child of the process that opened the hub.

        A fork copies no thread, so that a task would wait for ever.
        """
        if not self.in_own_process:
            raise ConfigurationError(
                "was opened before a fork and cannot be used in the child",
                field="hub",
                hint="open it in each process",
            )

    @property
    def in_own_process(self) -> bool:
        """Whether this is the process that started the thread."""
        return os.getpid() == self._pid

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
        with dialect_of(self._engine).write_connection(self._engine) as connection:
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

        Returns the tasks that still have to run, since urgent ones came while they waited for the database's
        lock and ran instead; none if they were `overtaken` before, or are urgent themselves.
        """
        scope = max(job.task.lock for job in jobs)
        running, later = jobs, []
        try:
            with metrics.COMMIT_SECONDS.time():
                transaction = _begin(connection, scope)
                if not overtaken and (urgent := self._gather(urgent=True)):
                    running, later = urgent, jobs
                metrics.TRANSACTION_BATCH_SIZE.observe(len(running))
                with tracing.transaction_span(len(running)):
                    results = _run_all(connection, transaction, running, scope)
        except BaseException as error:  # noqa: BLE001 - this thread must survive every error
            metrics.FAILED_TRANSACTIONS.inc()
            log.error("transaction_failed", batch_size=len(running), error=error)
            # A failed commit may leave its transaction open: begin the next on a new connection.
            connection.invalidate()
            for job in running:
                job.done.set_exception(_retryable(error))
            return later
        for job, result in results:
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(job.task.on_commit(result))
        return later


def _run_all(
    connection: Connection, transaction: Transaction, jobs: list[_Job[Any]], scope: LockScope
) -> _Results:
    try:
        with transaction:
            results = _run_together(connection, jobs)
            dialect_of(connection).ensure_in_transaction(connection)
    except _TaskFailed:
        with _begin(connection, scope):
            results = [_run_alone(connection, job) for job in jobs]
            dialect_of(connection).ensure_in_transaction(connection)
    return results


def _begin(connection: Connection, scope: LockScope) -> Transaction:
    try:
        return _begin_once(connection, scope)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _begin_once(connection, scope)  # it had broken while idle


def _begin_once(connection: Connection, scope: LockScope) -> Transaction:
    transaction = connection.begin()
    try:
        dialect_of(connection).lock(connection, scope)
    except BaseException:
        transaction.rollback()
        raise
    return transaction


def _run_together(connection: Connection, jobs: list[_Job[Any]]) -> _Results:
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
        return [result for key in ordered for result in _run_batch(connection, batches[key])]
    except FAILURES:
        raise
    except BaseException as error:
        raise _TaskFailed from error


def _run_alone(connection: Connection, job: _Job[Any]) -> tuple[_Job[Any], object]:
    """Run one task in its own savepoint.

    Raises:
        DBAPIError: the database failed, and with it the group: one of `FAILURES`.
    """
    try:
        with connection.begin_nested():
            return _run_batch(connection, [job])[0]
    except FAILURES:
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to the caller of this task only
        return job, error
    except BaseException as error:  # noqa: BLE001 - a plugin's SystemExit must not end the writer
        return job, _retryable(error)


def _run_batch(connection: Connection, jobs: list[_Job[Any]]) -> _Results:
    results = jobs[0].task.work(connection, [job.task.item for job in jobs])
    return list(zip(jobs, results, strict=True))


def _retryable(error: BaseException) -> RetryableError:
    failure = RetryableError("the database could not be written", retry_after=5)
    failure.__cause__ = error
    return failure


@frozen
class Writers:
    """The writers of one process, so that a person who waits for a score does not wait for envelopes.

    Where the database allows one write at a time, all share one writer, and urgent tasks come first.
    """

    ledger: Writer  # also of changes of grants, keys, registrations and policies
    reads: Writer
    streams: Writer

    @classmethod
    def from_settings(cls, engine: Engine, settings: Settings) -> Self:
        """Start the writers of a database."""
        count = 3 if dialect_of(engine).concurrent_writes else 1
        writers = [
            Writer(engine, max_queue=settings.max_queue, batch_size=settings.batch_size) for _ in range(count)
        ]
        return cls(*(writers if count == 3 else writers * 3))

    @property
    def alive(self) -> bool:
        """Whether all accept tasks."""
        return self.ledger.alive and self.reads.alive and self.streams.alive

    def close(self) -> None:
        """Finish waiting tasks, then stop."""
        for writer in (self.streams, self.reads, self.ledger):
            writer.close()
