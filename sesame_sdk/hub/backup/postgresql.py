"""A ledger in PostgreSQL: copied by its own ``pg_dump`` and ``pg_restore``, which see one state of it.

They are started without a shell. The password goes to them in their environment: arguments are for everybody
to see. Where the URL has none, they look for it where they always do (``PGPASSFILE``).
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

from attrs import field, frozen
from sqlalchemy import NullPool, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import ensure_private_file
from sesame_sdk.hub.backup.ledger_copy import STEP, Stage

#: Seconds between two looks at how far a program has come.
_LOOK = 0.2
_LONGEST_COMPLAINT = 200


@frozen
class PostgreSQLLedger:
    """A database of a server. `url` has its password in it."""

    scheme: ClassVar[str] = "postgresql"
    member: ClassVar[str] = "ledger.pgdump"
    url: str = field(repr=False)

    @classmethod
    def at(cls, url: str) -> Self:
        """The one that an SQLAlchemy URL means."""
        return cls(url)

    def copy_out(self, target: Path, stage: Stage) -> None:
        """See `Ledger`. ``pg_dump`` reads in one transaction."""
        ensure_private_file(target)
        with stage("copying the ledger", None) as step:
            self._run(
                *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"),
                self._dbname,
                look=_Growth(target, step),
            )
        self.check_copy(target, stage)

    def check_free(self) -> None:
        """See `Ledger`."""
        engine = create_engine(self.url, poolclass=NullPool, hide_parameters=True)
        try:
            tables = inspect(engine).get_table_names()
        except SQLAlchemyError as error:
            why = type(getattr(error, "orig", None) or error).__name__
            hint = "is the server there, and the database?"
            raise ConfigurationError(f"cannot be asked ({why})", field="database", hint=hint) from error
        if tables:
            hint = "make a new one (createdb), and name it in hub.toml"
            raise ConfigurationError(f"has {len(tables)} table(s) in it", field="database", hint=hint)

    def check_copy(self, source: Path, stage: Stage) -> None:
        """See `Ledger`. It is read to its end, and unpacked."""
        with stage("checking the copy", None):
            self._run("pg_restore", f"--file={os.devnull}", str(source))

    def copy_in(self, source: Path, stage: Stage) -> None:
        """See `Ledger`. In one transaction."""
        flags = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        with stage("filling the ledger", None):
            self._run("pg_restore", *flags, self._dbname, str(source))

    @property
    def _dbname(self) -> str:
        """The database in libpq's own words, without passwords."""
        told = {name: value for name, value in _conninfo(self.url).items() if "password" not in name}
        return "--dbname=" + " ".join(f"{name}={_quoted(value)}" for name, value in told.items())

    def _run(self, program: str, *arguments: str, look: Callable[[], None] = lambda: None) -> None:
        path = shutil.which(program)
        if path is None:
            hint = "install postgresql-client, of the server's version or newer"
            raise ConfigurationError("is not installed", field=program, hint=hint)
        # Nothing here is a shell's, and a file's name begins with a slash or follows an option.
        with subprocess.Popen(  # noqa: S603
            [path, *arguments],
            env={**os.environ, **_secrets(self.url)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                complaint = _watch(process, look)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise ConfigurationError(f"failed: {_first(complaint)}", field=program)


class _Growth:
    """Counts how a file grows."""

    def __init__(self, path: Path, step: Callable[[int], None]) -> None:
        self._path, self._step, self._done = path, step, 0

    def __call__(self) -> None:
        now = self._path.stat().st_size // STEP
        self._step(now - self._done)
        self._done = now


def _watch(process: "subprocess.Popen[str]", look: Callable[[], None]) -> str:
    while True:
        try:
            return process.communicate(timeout=_LOOK)[1]
        except subprocess.TimeoutExpired:
            look()


def _first(complaint: str) -> str:
    """The first line alone: those that follow may quote rows."""
    lines = [line for line in complaint.splitlines() if line.strip()]
    return lines[0][:_LONGEST_COMPLAINT] if lines else "without a word"


def _conninfo(url: str) -> dict[str, str]:
    parts = make_url(url)
    found = {"host": parts.host, "port": parts.port, "user": parts.username, "dbname": parts.database}
    told = {name: str(value) for name, value in found.items() if value is not None}
    if parts.password is not None:
        told["password"] = str(parts.password)
    return told | {
        name: ",".join(value) if isinstance(value, tuple) else value for name, value in parts.query.items()
    }


def _secrets(url: str) -> dict[str, str]:
    told = _conninfo(url)
    return {"PGPASSWORD": told["password"]} if "password" in told else {}


def _quoted(value: str) -> str:
    """A value of a connection string (PostgreSQL manual, 34.1.1.1)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
