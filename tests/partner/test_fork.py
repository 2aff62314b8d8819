"""Stores that are made before a fork: what either side stored is there, or an error was raised."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sesame_sdk.delivery.outbox import Outbox
from tests.hub.process import start
from tests.partner import forks

CHILD = {f"child {number}" for number in range(20)}
KINDS = [
    pytest.param(forks.open_outbox, "SELECT jti FROM message", id="an outbox"),
    pytest.param(forks.open_score_store, "SELECT jti FROM received", id="a score store"),
    pytest.param(forks.open_order_store, "SELECT key FROM applied_update", id="a shop's store"),
    pytest.param(forks.open_queue, "SELECT post FROM useful", id="a moderators' queue"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there."""
    return tmp_path / "store.sqlite"


def _run(target: Callable[..., None], *args: object) -> None:
    process = start(target, *args)
    process.join()
    assert process.exitcode == 0


def _written(path: Path, query: str) -> set[str]:
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {key for (key,) in file.execute(query)}


@pytest.mark.parametrize(("opener", "query"), KINDS)
def test_a_child_outlives_the_close_of_its_parent(opener: object, query: str, path: Path) -> None:
    """The parent's close does not delete the log that the child writes to."""
    _run(forks.parent_closes, opener, path)

    assert _written(path, query) == {"parent", *CHILD}


@pytest.mark.parametrize(("opener", "query"), KINDS)
def test_a_daemon_writes_to_the_file_that_its_parent_made(opener: object, query: str, path: Path) -> None:
    """Its two parents have ended, and its working directory is another one."""
    _run(forks.parent_dies, opener, path)
    while not (path.parent / "done").exists():
        time.sleep(0.01)

    assert _written(path, query) == {"parent", *CHILD}


def test_threads_and_children_write_at_the_same_time(path: Path) -> None:
    """No child waits for a lock of a thread that it does not have, and nothing is lost."""
    _run(forks.everybody_writes, path)

    names = [f"{kind} {n}" for kind, count in (("thread", 2), ("child", 6)) for n in range(count)]
    assert _written(path, "SELECT jti FROM message") == {f"{name} {n}" for name in names for n in range(40)}


def test_a_child_of_a_fork_without_hooks_is_refused(path: Path) -> None:
    """A clear error in place of a message that is lost."""
    _run(forks.fork_in_c, path)

    assert _written(path, "SELECT jti FROM message") == {"parent", "parent again"}


def test_a_transaction_is_its_own_process_s_alone(path: Path) -> None:
    """A fork in the middle of it neither ends it nor passes it on."""
    _run(forks.fork_in_transaction, path)

    with closing(Outbox(path)) as outbox:
        assert (outbox.counts().sent, outbox.counts().pending) == (7, 1)


def test_a_delivery_is_its_own_process_s_alone(path: Path) -> None:
    """Two processes never deliver at once, and the child can deliver afterwards."""
    _run(forks.fork_while_delivering, path)
