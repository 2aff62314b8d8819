"""Processes that make a store, fork, and write on both sides. Each runs in a process of its own."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sesame_retail.order_store import OrderChanges, OrderStore
from sesame_social.moderation_queue import ModerationQueue

from sesame_sdk import ConfigurationError, RetryableError
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.updates import Update

Write = Callable[[str], object]
#: What another program does that looks into the file: the last one that closes it deletes the log.
_READ = "import sqlite3, sys; f = sqlite3.connect(sys.argv[1]); f.execute('PRAGMA user_version'); f.close()"


def open_outbox(path: Path) -> tuple[Outbox, Write]:
    """An outbox, and what stores one message in it."""
    outbox = Outbox(path)
    return outbox, lambda key: outbox.append(key, "kind", b"body", signal_count=1)


def open_score_store(path: Path) -> tuple[ScoreStore, Write]:
    """A score store, and what applies one message to it."""
    store = ScoreStore(
        path, hub="https://hub.example", reader="https://site.example", purpose="p", context="c"
    )
    return store, lambda key: store.apply([Update(key, key.encode(), datetime.now(UTC))])


def open_order_store(path: Path) -> tuple[OrderStore, Write]:
    """A shop's store, and what saves one update in it."""
    store = OrderStore(path)
    return store, lambda key: store.save(OrderChanges(update_keys={key}))


def open_queue(path: Path) -> tuple[ModerationQueue, Write]:
    """A moderators' queue, and what adds one post to it."""
    queue = ModerationQueue(path)
    return queue, lambda key: queue.add_useful([(key, "author", datetime.now(UTC))])


def _in_child(work: Callable[[], object]) -> int:
    """Fork, and run `work` in the child; the child's id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def _join(*children: int) -> None:
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def parent_closes(opener: Callable[[Path], tuple[Outbox, Write]], path: Path) -> None:
    """The parent writes, forks, and closes what it made before the child writes, or in between."""
    store, write = opener(path)
    write("parent")
    closed, halfway = os.pipe(), os.pipe()

    def work() -> None:
        for number in range(10):
            write(f"child {number}")
        os.write(halfway[1], b"x")
        os.read(closed[0], 1)
        for number in range(10, 20):
            write(f"child {number}")  # and ends without closing, as a worker that is killed

    child = _in_child(work)
    os.read(halfway[0], 1)
    store.close()
    os.write(closed[1], b"x")
    _join(child)


def parent_dies(opener: Callable[[Path], tuple[Outbox, Write]], path: Path) -> None:
    """As a daemon begins: the parent ends at once, and so does the child. The file is read meanwhile."""
    os.chdir(path.parent)
    _, write = opener(Path(path.name))
    write("parent")
    if os.fork():
        os._exit(0)
    os.chdir("/")
    if os.fork():
        os._exit(0)
    for number in range(20):
        if number == 10:
            subprocess.run([sys.executable, "-c", _READ, str(path)], check=True)
        write(f"child {number}")
    (path.parent / "done").touch()
    os._exit(0)


def everybody_writes(path: Path) -> None:
    """Two threads of the parent and six children, which fork while the threads write, write 40 each."""
    _, write = open_outbox(path)

    def work(name: str) -> None:
        for number in range(40):
            write(f"{name} {number}")

    threads = [threading.Thread(target=work, args=(f"thread {number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    children = [_in_child(lambda name=f"child {number}": work(name)) for number in range(6)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    _join(*children)


def fork_in_c(path: Path) -> None:
    """A fork that Python does not know of, as servers written in C make one: the child is refused."""
    store, write = open_outbox(path)
    write("parent")
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        code = 1
        try:
            write("child")
        except ConfigurationError as error:
            code = 0 if "before a fork" in str(error) else 2
        finally:
            os._exit(code)
    _join(child)
    write("parent again")
    store.close()


def fork_in_transaction(path: Path) -> None:
    """The thread that forks is in a transaction: it is the parent's, and the child is refused."""
    outbox, write = open_outbox(path)
    with outbox._store.transaction() as open_transaction:
        open_transaction.execute("UPDATE totals SET sent = 7")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                write("child")
            except ConfigurationError:
                code = 0
            finally:
                os._exit(code)
        _join(child)
    write("parent")
    outbox.close()


def fork_while_delivering(path: Path) -> None:
    """The child has no part in the lock of its parent's delivery, and can deliver once that is over."""
    outbox, _ = open_outbox(path)
    begun, over = threading.Event(), threading.Event()
    parent_is_done = os.pipe()

    def deliver() -> None:
        with outbox.delivery_lock():
            begun.set()
            over.wait()

    def work() -> None:
        with suppress(RetryableError), outbox.delivery_lock():
            raise AssertionError("two processes deliver")
        os.write(asked[1], b"x")
        os.read(parent_is_done[0], 1)
        with outbox.delivery_lock():
            pass

    asked = os.pipe()
    thread = threading.Thread(target=deliver)
    thread.start()
    begun.wait()
    child = _in_child(work)
    os.read(asked[0], 1)
    with suppress(RetryableError), outbox.delivery_lock():
        raise AssertionError("the child took the lock away")
    over.set()
    thread.join()
    os.write(parent_is_done[1], b"x")
    _join(child)
