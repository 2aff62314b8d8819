"""Copies a ledger in PostgreSQL with its own ``pg_dump`` and ``pg_restore``, from one snapshot.

They run without a shell. The password is passed in their environment, since arguments are visible to all
users of the machine. If the URL has none, they look in the usual places (``PGPASSFILE``).
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from attrs import field, frozen
from sqlalchemy import NullPool, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import ensure_private_file
from sesame_sdk.hub.backup.archive import STEP_BYTES, Progress
from sesame_sdk.hub.settings import SETTINGS_FILE

#: Seconds between two reports of progress.
_REPORT_INTERVAL = 0.2
_MAX_ERROR_LENGTH = 200


@frozen
class PostgreSQLLedger:
    """The ledger in a database of a server. `url` contains the password."""

    member: ClassVar[str] = "ledger.pgdump"
    url: str = field(repr=False)

    def back_up(self, target: Path, progress: Progress) -> None:
        """``pg_dump`` reads in one transaction."""
        ensure_private_file(target)
        with progress("copying the ledger", None) as step:
            self._run(
                *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}"),
                self._dbname,
                report=_FileGrowth(target, step),
            )
        self.check_copy(target, progress)

    def check_empty(self) -> None:
        """Pass if the database is empty."""
        engine = create_engine(self.url, poolclass=NullPool, hide_parameters=True)
        try:
            tables = inspect(engine).get_table_names()
        except SQLAlchemyError as error:
            why = type(getattr(error, "orig", None) or error).__name__
            hint = "check that the server runs and the database exists"
            raise ConfigurationError(f"cannot connect ({why})", field="database", hint=hint) from error
        if tables:
            hint = f"create a new one (createdb), and set it in {SETTINGS_FILE}"
            raise ConfigurationError(f"is not empty: {len(tables)} table(s)", field="database", hint=hint)

    def check_copy(self, source: Path, progress: Progress) -> None:
        """Reads it to its end, and decompresses it."""
        with progress("checking the copy", None):
            self._run("pg_restore", f"--file={os.devnull}", str(source))

    def restore(self, source: Path, progress: Progress) -> None:
        """In one transaction."""
        flags = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        with progress("filling the ledger", None):
            self._run("pg_restore", *flags, self._dbname, str(source))

    @property
    def _dbname(self) -> str:
        """The database as a libpq connection string, without passwords."""
        parameters = {name: text for name, text in _conninfo(self.url).items() if "password" not in name}
        return "--dbname=" + " ".join(f"{name}={_quote(text)}" for name, text in parameters.items())

    def _run(self, program: str, *arguments: str, report: Callable[[], None] = lambda: None) -> None:
        path = shutil.which(program)
        if path is None:
            hint = "install postgresql-client, of the server's version or newer"
            raise ConfigurationError("is not installed", field=program, hint=hint)
        password = _conninfo(self.url).get("password")
        # No shell is involved, and a file's name begins with a slash or follows an option.
        with subprocess.Popen(  # noqa: S603
            [path, *arguments],
            env={**os.environ, **({} if password is None else {"PGPASSWORD": password})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                errors = _wait(process, report)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise ConfigurationError(f"failed: {_first_line(errors)}", field=program)


class _FileGrowth:
    """Reports how a file grows."""

    def __init__(self, path: Path, step: Callable[[int], None]) -> None:
        self._path, self._step, self._done = path, step, 0

    def __call__(self) -> None:
        now = self._path.stat().st_size // STEP_BYTES
        self._step(now - self._done)
        self._done = now


def _wait(process: "subprocess.Popen[str]", report: Callable[[], None]) -> str:
    while True:
        try:
            return process.communicate(timeout=_REPORT_INTERVAL)[1]
        except subprocess.TimeoutExpired:
            report()


def _first_line(errors: str) -> str:
    """The first line alone: further ones may quote rows."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return lines[0][:_MAX_ERROR_LENGTH] if lines else "no error message"


def _conninfo(url: str) -> dict[str, str]:
    parts = make_url(url)
    parameters = {"host": parts.host, "port": parts.port, "user": parts.username}
    parameters |= {"dbname": parts.database, "password": parts.password}
    return {name: str(value) for name, value in parameters.items() if value is not None} | {
        name: ",".join(value) if isinstance(value, tuple) else value for name, value in parts.query.items()
    }


def _quote(value: str) -> str:
    """A value of a connection string (PostgreSQL manual, 34.1.1.1)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
