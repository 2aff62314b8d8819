"""The one writer: what waits is committed together, what fails is undone alone."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, func, insert, select
from sqlalchemy.exc import IntegrityError

from sesame_sdk import InvalidInputError, RetryableError
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import dialect_of, open_engine, read_transaction
from sesame_sdk.hub.database.tables import people
from sesame_sdk.hub.database.writer import Task, Writer
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import Settings
from tests.hub.conftest import hub_path

__all__ = ["hub_path"]

#: Opens a hub, forks, and writes, reads and closes on both sides. It ends with what the child got.
_FORK = """
import os, sys
from pathlib import Path
from sesame_sdk import ConfigurationError
from sesame_sdk.guard.purposes import PERSONALISED_BENEFITS
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.database.timestamps import utc_now
from sesame_sdk.testing.partner import LONG_AGO, Partner, make_manifest
hub = Hub.open(Path(sys.argv[1]))
partner = Partner("https://shop.example", hub, utc_now)
hub.add_partner(partner.issuer, [partner.key.public_jwk], not_before=LONG_AGO)
manifest = make_manifest()

def process_of_server():
    if hub._engine.dialect.name == "sqlite":
        return 0
    with hub._engine.connect() as connection:
        return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()

before = process_of_server()
code = 0
child = os.fork()
if not child:
    assert hub.list_people() == []
    code += hub._engine.dialect.name != "sqlite" and process_of_server() == before
    for change in (lambda: hub.withdraw_grants("ada", partner.issuer), lambda: partner.register(manifest)):
        try:
            change()
            code += 1
        except ConfigurationError as error:
            code += "open it in each process" not in str(error)
    hub.close()
    os._exit(code)
_, status = os.waitpid(child, 0)
assert process_of_server() == before
hub.add_grants([partner.read_grant("ada", purpose=PERSONALISED_BENEFITS, context="retail")])
assert hub.list_people() == ["ada"]
hub.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture
def engine(tmp_path: Path, database: str) -> Iterator[Engine]:
    """An empty ledger, on each database product in turn."""
    opened = open_engine(Settings(tmp_path, "https://hub.example", database).database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer that lets three wait, and takes up to eight at a time."""
    made = Writer(engine, max_queue=3, batch_size=8)
    yield made
    made.close()


def _add(person: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(insert(people).values(person=person))
        return person

    return work


def _add_and_fail(connection: Connection) -> None:
    _add("unknown")(connection)
    raise InvalidInputError("is wrong", field="test")


def _people(engine: Engine) -> list[str]:
    with read_transaction(engine) as connection:
        return sorted(connection.scalars(select(people.c.person)))


class _Blocker:
    """Keeps the writer busy until released, so that later tasks have to wait."""

    def __init__(self, writer: Writer) -> None:
        self._entered, self._go = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(8)
        self._writer = writer
        self.waiting: list[Future[object]] = []
        self._first = self._pool.submit(writer.run, self._wait)
        assert self._entered.wait(10)

    def _wait(self, _: Connection) -> None:
        self._entered.set()
        assert self._go.wait(10)

    def queue(self, work: Callable[[Connection], object]) -> None:
        """Add work behind the blocking task, and check that it is in the queue before anything else."""
        self._queue(lambda: self._writer.run(work))

    def queue_task(self, task: Task[str, object]) -> None:
        """The same for a task."""
        self._queue(lambda: self._writer.submit(task).result())

    def _queue(self, wait: Callable[[], object]) -> None:
        before = self._writer.pending
        self.waiting.append(self._pool.submit(wait))
        while self._writer.pending == before and not self.waiting[-1].done():
            threading.Event().wait(0.001)

    def release(self) -> None:
        """Let the writer go on, and wait for all."""
        self._go.set()
        self._pool.shutdown(wait=True)
        self._first.result()


def test_work_that_returned_is_on_disk(writer: Writer, engine: Engine) -> None:
    """Another connection sees it at once."""
    assert writer.run(_add("ada")) == "ada"
    assert _people(engine) == ["ada"]


def test_what_waits_is_committed_together(writer: Writer, engine: Engine) -> None:
    """Three pieces that came while the writer was busy share one commit."""
    commits: list[object] = []
    blocker = _Blocker(writer)
    for person in ("ada", "bob", "cleo"):
        blocker.queue(_add(person))
    event.listen(engine, "commit", commits.append)
    blocker.release()
    assert [future.result() for future in blocker.waiting] == ["ada", "bob", "cleo"]
    assert len(commits) == 2  # the blocking task, then the three
    assert _people(engine) == ["ada", "bob", "cleo"]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        pytest.param(_add_and_fail, InvalidInputError, id="it raises after it wrote"),
        pytest.param(_add("ada"), IntegrityError, id="the database refuses it"),
    ],
)
def test_what_fails_is_undone_alone(
    writer: Writer, engine: Engine, bad: Callable[[Connection], object], error: type[Exception]
) -> None:
    """Those beside it in the same commit stay."""
    blocker = _Blocker(writer)
    for work in (_add("ada"), bad, _add("cleo")):
        blocker.queue(work)
    blocker.release()
    ada, failed, cleo = blocker.waiting
    assert (ada.result(), cleo.result()) == ("ada", "cleo")
    assert isinstance(failed.exception(), error)
    assert _people(engine) == ["ada", "cleo"]


def _seen_together(calls: list[list[str]]) -> Callable[[Connection, Sequence[str]], list[str]]:
    def work(connection: Connection, persons: Sequence[str]) -> list[str]:
        calls.append(list(persons))
        return [_add(person)(connection) for person in persons]

    return work


def test_tasks_with_one_batch_key_share_a_call(writer: Writer, engine: Engine) -> None:
    """Tasks with one batch key share a call; others, and those without a key, have their own."""
    calls: list[list[str]] = []
    blocker = _Blocker(writer)
    for person, group in (("ada", "a"), ("bob", None), ("cleo", "a")):
        blocker.queue_task(Task(_seen_together(calls), person, group))
    blocker.release()
    assert calls == [["ada", "cleo"], ["bob"]]
    assert [future.result() for future in blocker.waiting] == ["ada", "bob", "cleo"]
    assert _people(engine) == ["ada", "bob", "cleo"]


def test_tasks_batched_with_a_failing_one_run_alone(writer: Writer, engine: Engine) -> None:
    """The database refuses one of three: the others get their results all the same."""
    writer.run(_add("bob"))
    calls: list[list[str]] = []
    blocker = _Blocker(writer)
    for person in ("ada", "bob", "cleo"):
        blocker.queue_task(Task(_seen_together(calls), person, "a"))
    blocker.release()
    assert calls == [["ada", "bob", "cleo"], ["ada"], ["bob"], ["cleo"]]
    ada, bob, cleo = blocker.waiting
    assert (ada.result(), cleo.result()) == ("ada", "cleo")
    assert isinstance(bob.exception(), IntegrityError)
    assert _people(engine) == ["ada", "bob", "cleo"]


def test_what_is_urgent_waits_for_nothing_but_what_is_under_way(writer: Writer, engine: Engine) -> None:
    """It came last, is done first, and shares its commit with nothing that is not."""
    order: list[str] = []
    event.listen(engine, "commit", lambda _: order.append("|"))

    def note(connection: Connection, names: Sequence[str]) -> list[None]:
        _add(names[0])(connection)
        order.extend(names)
        return [None] * len(names)

    blocker = _Blocker(writer)
    blocker.queue_task(Task(note, "first", batch_key="shared"))
    blocker.queue_task(Task(note, "second", batch_key="shared"))
    blocker.queue_task(Task(note, "urgent", urgent=True))
    blocker.release()
    assert order == ["|", "urgent", "|", "first", "second", "|"]


def test_what_is_urgent_goes_before_a_group_that_still_waits_for_the_lock(
    writer: Writer, engine: Engine
) -> None:
    """Another writer has the database's lock, and lets it go when both wait."""
    order: list[str] = []

    def note(connection: Connection, names: Sequence[str]) -> list[None]:
        _add(names[0])(connection)
        order.extend(names)
        return [None] * len(names)

    with dialect_of(engine).write_connection(engine) as other, other.begin():
        dialect_of(engine).lock(other, LockScope.EXCLUSIVE)
        usual = writer.submit(Task(note, "usual"))
        while writer.pending:
            threading.Event().wait(0.001)
        urgent = writer.submit(Task(note, "urgent", urgent=True))
    usual.result(10)
    urgent.result(10)
    assert order == ["urgent", "usual"]
    assert _people(engine) == ["urgent", "usual"]


def test_an_abandoned_task_is_not_run(writer: Writer, engine: Engine) -> None:
    """Cancelled before its turn, it is left out; what was begun already cannot be cancelled."""
    calls: list[list[str]] = []
    blocker = _Blocker(writer)
    ada, bob = (writer.submit(Task(_seen_together(calls), person, "a")) for person in ("ada", "bob"))
    assert ada.cancel()
    blocker.release()
    assert bob.result() == "bob"
    assert not bob.cancel()
    assert (calls, _people(engine)) == ([["bob"]], ["bob"])


def test_one_too_many_is_asked_to_come_back(writer: Writer) -> None:
    """The queue is bounded, and says so at once."""
    blocker = _Blocker(writer)
    for person in ("ada", "bob", "cleo"):
        blocker.queue(_add(person))
    with pytest.raises(RetryableError) as busy:
        writer.run(_add("dora"))
    assert busy.value.retry_after == 1
    blocker.release()


def test_a_failed_commit_fails_every_task_in_it(writer: Writer, engine: Engine) -> None:
    """No task succeeds before its data are on disk; and the next one finds a working writer."""

    def queue_full(_: Connection) -> None:
        event.remove(engine, "commit", queue_full)
        raise OSError("no space left on device")

    event.listen(engine, "commit", queue_full)
    with pytest.raises(RetryableError, match="could not be written"):
        writer.run(_add("ada"))
    assert _people(engine) == []
    assert writer.run(_add("bob")) == "bob"


def test_a_closed_writer_finishes_what_waits_and_takes_nothing_more(writer: Writer, engine: Engine) -> None:
    """Closing twice is no error."""
    blocker = _Blocker(writer)
    blocker.queue(_add("ada"))
    closing = threading.Thread(target=writer.close)
    closing.start()
    blocker.release()
    closing.join(10)
    writer.close()
    assert _people(engine) == ["ada"]
    with pytest.raises(RetryableError, match="closing"):
        writer.run(_add("bob"))


@pytest.mark.parametrize("new_database", ["postgresql"], indirect=True)
def test_a_connection_that_broke_while_idle_causes_no_error(engine: Engine, writer: Writer) -> None:
    """The database ended the writer's session, as a restart does: the next piece is done on a new one."""
    assert writer.run(_add("ada")) == "ada"
    session = writer.run(lambda connection: connection.scalar(select(func.pg_backend_pid())))
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.pg_terminate_backend(session, 10_000)))
    assert writer.run(_add("ben")) == "ben"
    assert _people(engine) == ["ada", "ben"]


def test_a_hub_refuses_to_write_in_a_child_and_goes_on_in_the_parent(hub_path: Path) -> None:
    """A fork copies no thread, so a write would wait for ever. Each side has connections of its own."""
    Hub.open(hub_path).close()
    done = subprocess.run([sys.executable, "-c", _FORK, hub_path], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
