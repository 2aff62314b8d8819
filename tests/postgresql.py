"""A PostgreSQL of our own: a process on a free TCP port of this machine, gone when the tests are.

The system's binaries if there are any, else those that come in a wheel. PostgreSQL refuses to run as root, so
root runs it as another user. Its folder lies outside pytest's, which only root may enter.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from attrs import define, field
from psycopg import sql

from tests.ports import free_port

_DEADLINE = 30.0
_OWNER = "sesame"
#: Nothing here outlives the machine, so nothing need survive a power cut: each commit saves a wait.
FAST = {"fsync": "off", "full_page_writes": "off"}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
}


def binaries() -> Path:
    """Where ``initdb`` and ``postgres`` are."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if system:
        return system[-1]
    if on_path := shutil.which("postgres"):
        return Path(on_path).parent
    wheel = find_spec("pgserver")
    assert wheel is not None, "no PostgreSQL: neither the system's nor that of the wheel pgserver"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "pginstall" / "bin"


@define
class Server:
    """A PostgreSQL that can be stopped and started."""

    folder: Path
    port: int
    settings: dict[str, str]
    _password: str = field(repr=False)
    _process: subprocess.Popen[bytes] | None = None
    _names: Iterator[int] = field(factory=lambda: count(1))

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy's URL of a database."""
        return f"postgresql://{_OWNER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """A new database; its name."""
        name = f"hub_{next(self._names)}"
        self.run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        return name

    def drop(self, name: str) -> None:
        """Remove a database, also under those who still use it."""
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def run(self, statement: sql.Composed | sql.SQL, database: str = "postgres") -> None:
        """One statement that cannot be in a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [binaries() / "postgres", "-D", self.folder / "data", "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
                **as_another_user(),
            )
        ends = time.monotonic() + _DEADLINE
        while not self._answers():
            assert time.monotonic() < ends, (self.folder / "log").read_text()
            assert self._process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends transactions and closes cleanly, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_DEADLINE)
            self._process = None

    @property
    def alive(self) -> bool:
        """Whether it runs: one whose disk is full may end by itself."""
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


#: What a test may have changed in a database besides its rows, in one text.
_SCHEMA = """
SELECT concat_ws(' ',
  (SELECT version_num FROM alembic_version),
  (SELECT md5(string_agg(concat_ws(' ', attrelid::regclass, attnum, attname, atttypid, attnotnull), ','
                         ORDER BY attrelid::regclass::text, attnum))
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
  (SELECT count(*) FROM pg_db_role_setting))
"""
_EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
  LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  FOR name IN SELECT oid::regclass FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
  LOOP EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART'; END LOOP;
END $$;
"""
_DISCONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@define
class DatabasePool:
    """Databases with the ledger's tables and no rows. Emptying one is far quicker than creating one."""

    server: Server
    template: str
    _schema: str = field(init=False)
    _free: list[str] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Remember the schema, by which a changed database is known."""
        with psycopg.connect(self.server.url(self.template)) as connection:
            self._schema = _schema_of(connection)

    def take(self) -> str:
        """An empty database; its URL."""
        name = self._free.pop() if self._free else self.server.create(self.template)
        return self.server.url(name)

    def give_back(self, url: str) -> None:
        """Empty a database for the next test, or drop it if its schema was changed."""
        name = url.rpartition("/")[2]
        if self._emptied(name):
            self._free.append(name)
        else:
            self.server.drop(name)

    def _emptied(self, name: str) -> bool:
        with psycopg.connect(self.server.url(name), autocommit=True) as connection:
            connection.execute(_DISCONNECT)
            try:
                if _schema_of(connection) != self._schema:
                    return False
            except psycopg.errors.UndefinedTable:
                return False
            connection.execute(_EMPTY)
        return True


def _schema_of(connection: psycopg.Connection) -> str:
    (schema,) = connection.execute(_SCHEMA).fetchone() or ("",)
    return str(schema)


@contextmanager
def running(*, below: Path | None = None, **settings: str) -> Iterator[Server]:
    """A new PostgreSQL, with further settings; its folder is made in `below`, if that is given."""
    folder = Path(mkdtemp(prefix="sesame-postgresql-", dir=below))
    try:
        password = secrets.token_urlsafe(16)
        _initialise(folder, password)
        server = Server(folder, free_port(), _SETTINGS | settings, password)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _initialise(folder: Path, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_another_user())
        for path in (folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    made = subprocess.run(
        [
            *(binaries() / "initdb", "--no-sync", "-D", folder / "data", "-U", _OWNER),
            *(f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=_DEADLINE,
        **as_another_user(),
    )
    assert made.returncode == 0, made.stderr
    secret.unlink()


def as_another_user() -> dict[str, object]:
    """Arguments of `subprocess.Popen` for a program that refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam(_another_user())
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": [], "cwd": "/"}


def _another_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
