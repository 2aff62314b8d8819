"""PgBouncer between a hub and PostgreSQL: in session mode it works, and otherwise the hub does not start."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StreamRequest
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import HUB, ORDER, Partner, new_hub, policy, weighting
from tests.hub.process import free_port
from tests.postgresql import DatabasePool, as_another_user

pytestmark = pytest.mark.long

_DEADLINE = 30.0
#: What the documents say; of the database, in the tests, since all share a role.
_SETTINGS = (
    "lock_timeout = 15000",
    "idle_in_transaction_session_timeout = 60000",
    "timezone = UTC",
    "jit = off",
)
_CONFIGURATION = """
[databases]
{database} = host=127.0.0.1 port={target} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = options, extra_float_digits
default_pool_size = 50
logfile = {folder}/log
"""


@contextmanager
def _pgbouncer(database: URL, mode: str) -> Iterator[str]:
    """Run PgBouncer in front of a database; the URL through it. It refuses to run as root."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pgbouncer must be there in CI")
        pytest.skip("needs pgbouncer")
    folder, port = Path(mkdtemp(prefix="sesame-pgbouncer-")), free_port()
    try:
        terms = {"database": database.database, "target": database.port, "user": database.username}
        terms |= {"password": database.password, "mode": mode, "port": port, "folder": folder}
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(_CONFIGURATION.format(**terms))
        folder.chmod(0o777)
        process = subprocess.Popen([program, "-q", configuration], **as_another_user())
        try:
            through = database.set(port=port).render_as_string(hide_password=False)
            _wait_until_it_answers(process, through)
            yield through
        finally:
            process.terminate()
            process.wait(_DEADLINE)
    finally:
        shutil.rmtree(folder)


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", url: str) -> None:
    ends = time.monotonic() + _DEADLINE
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "pgbouncer ended"
            assert time.monotonic() < ends, "pgbouncer does not answer"
            time.sleep(0.05)
        else:
            return


def _with_settings(url: str) -> URL:
    """The database, whose sessions have the settings that a hub wants."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in _SETTINGS:
            name = sql.Identifier(str(make_url(url).database))
            statement = sql.SQL("ALTER DATABASE {} SET {}").format(name, sql.SQL(setting))
            connection.execute(statement)
    return make_url(url)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_that_drops_settings_is_refused(
    database_pool: DatabasePool, tmp_path: Path, mode: str
) -> None:
    """At the start, with a hint, in place of a hub that is ready and fails at every turn."""
    with _pgbouncer(make_url(database_pool.take()), mode) as through:
        path = new_hub(tmp_path / "hub", issuer=HUB, database=through)
        with pytest.raises(ConfigurationError, match=r"PgBouncer does.*connect to PostgreSQL itself"):
            Hub.open(path)


def test_a_pooler_that_shares_sessions_is_refused(database_pool: DatabasePool, tmp_path: Path) -> None:
    """Also where every session has the settings that a hub wants."""
    with _pgbouncer(_with_settings(database_pool.take()), "transaction") as through:
        path = new_hub(tmp_path / "hub", issuer=HUB, database=through)
        with pytest.raises(ConfigurationError, match=r"shares a session.*connect to PostgreSQL itself"):
            Hub.open(path)


def test_a_hub_works_through_a_pooler_that_keeps_sessions(
    database_pool: DatabasePool, tmp_path: Path
) -> None:
    """In session mode, as the documents say: signals, reads, streams, and the leader's lock."""
    with _pgbouncer(_with_settings(database_pool.take()), "session") as through:
        path = new_hub(tmp_path / "hub", issuer=HUB, database=through)
        with Hub.open(path) as hub:
            shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, reads=["retail"])
            hub.set_policy(policy(weighting(ORDERS)))
            hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
            hub.stream_management.create(shop.stream_token(), StreamRequest())
            shop.send(shop.signal("ada", "1"))
            hub.streams.rescore_pending()
            assert [score and score.points for score in shop.read("ada")] == [510.0]
            lock = hub.streams.acquire_leader_lock()
            assert lock is not None
            assert hub.streams.acquire_leader_lock() is None
            lock.release()
