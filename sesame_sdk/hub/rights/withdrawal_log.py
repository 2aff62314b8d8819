"""The log of withdrawals, erasures and key revocations, kept apart from the ledger and its backups.

A restored backup lacks everything that came after it. Partners send missing signals again, and a missing
grant is asked for again. But withdrawn consent must not count, an erased person must not reappear, and a
revoked key must not be trusted: `backup.restore` applies this log to a restored hub.

    {"key": "...", "complete_since": ...}
    {"at": ..., "action": "withdrawal", "person_hash": "...", "partner": "https://...", "direction": "send"}
    {"at": ..., "action": "erasure", "person_hash": "..."}
    {"at": ..., "action": "key_revocation", "partner": "https://...", "kid": "...", "revoked_from": ...}

Rules:
    * an entry is on disk before the ledger changes; a surplus entry does no harm that a new grant cannot undo
    * a person appears as an HMAC under the file's own key, so the log can be compared with and not be read
    * entries older than any backup may be are dropped; ``complete_since`` says from when the log is complete
"""

import errno
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from attrs import evolve, field, frozen

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.files import locked_folder, replace_private_file
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction

#: Expired entries are dropped together, once the oldest is overdue by this much.
_EXPIRY_SLACK = timedelta(days=1)


class Action(StrEnum):
    """The kinds of entries."""

    WITHDRAWAL = "withdrawal"
    ERASURE = "erasure"
    KEY_REVOCATION = "key_revocation"


@frozen
class Entry:
    """One line. `at` and `revoked_from` are microseconds; fields that do not belong to `action` are empty."""

    at: int
    action: Action
    person_hash: str = ""
    partner: str = ""
    direction: Direction | None = None
    kid: str = ""
    revoked_from: int = 0


@frozen
class _Head:
    key: str = field(repr=False)
    complete_since: int


@frozen
class LogContents:
    """A log as it was read, oldest entry first. `complete_since` is in microseconds."""

    key: bytes = field(repr=False)
    complete_since: int
    entries: tuple[Entry, ...]

    def person_hash(self, person: str) -> str:
        """How this log's entries refer to a person."""
        return hmac.new(self.key, person.encode(), hashlib.sha256).hexdigest()


@frozen
class WithdrawalLog:
    """Writes the log of one hub. Several processes may."""

    path: Path
    retention: timedelta
    clock: Callable[[], datetime]

    def create_if_missing(self) -> None:
        """Create the file (0600) unless it exists: it is complete from now on.

        `ConfigurationError`: it cannot be created, or the existing file is not a withdrawal log.
        """
        if not self.path.exists():
            try:
                self._create()
            except OSError as error:
                message = f"cannot be created: {error.strerror}"
                raise ConfigurationError(message, field=str(self.path)) from error
        read_log(self.path)

    def record_withdrawal(self, person: str, partner: str, direction: Direction | None) -> None:
        """A person withdraws what was granted to a partner."""
        self._add(Entry(0, Action.WITHDRAWAL, partner=partner, direction=direction), person)

    def record_erasure(self, person: str) -> None:
        """A person is erased."""
        self._add(Entry(0, Action.ERASURE), person)

    def record_key_revocation(self, partner: str, kid: str, revoked_from: datetime) -> None:
        """A partner's key is revoked."""
        at = to_micros(revoked_from)
        self._add(Entry(0, Action.KEY_REVOCATION, partner=partner, kid=kid, revoked_from=at))

    def revoked_kids(self) -> frozenset[str]:
        """The keys that it knows to be revoked. Raises `ConfigurationError`: it cannot be read."""
        return frozenset(entry.kid for entry in read_log(self.path).entries if entry.kid)

    def _create(self) -> None:
        # Workers start together: the first one creates the file, and the others must use its key.
        with locked_folder(self.path.parent):
            if not self.path.exists():
                head = _Head(secrets.token_hex(32), to_micros(self.clock()))
                replace_private_file(self.path, _encode(head))

    def _add(self, entry: Entry, person: str | None = None) -> None:
        now = self.clock()
        try:
            with _locked_file(self.path) as number:
                contents = read_log(self.path)
                person_hash = "" if person is None else contents.person_hash(person)
                entry = evolve(entry, at=to_micros(now), person_hash=person_hash)
                oldest = contents.entries[0].at if contents.entries else to_micros(now)
                if oldest < to_micros(now - self.retention - _EXPIRY_SLACK):
                    self._rewrite(contents, to_micros(now - self.retention), entry)
                else:
                    _append(number, _encode(entry))
        except OSError as error:
            hint = (
                "free disk space or set `withdrawal_log` to another file; "
                "withdrawals are blocked until it is writable"
            )
            message = f"cannot be written: {error.strerror}"
            raise ConfigurationError(message, field=str(self.path), hint=hint) from error

    def _rewrite(self, contents: LogContents, expired_before: int, entry: Entry) -> None:
        entries = [old for old in contents.entries if old.at >= expired_before]
        head = _Head(contents.key.hex(), max(contents.complete_since, expired_before))
        replace_private_file(self.path, _encode(head, *entries, entry))


def read_log(path: Path) -> LogContents:
    """Read a log. An incomplete last line is ignored: what it would record was not done.

    `ConfigurationError`: it cannot be read, or is not a withdrawal log.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
        head = codec.decoder(_Head).decode(first)
        entries = tuple(codec.decoder(Entry).decode(line) for line in lines[:-1])
        return LogContents(bytes.fromhex(head.key), head.complete_since, entries)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", field=str(path)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError("is not a withdrawal log, or is damaged", field=str(path)) from error


def _encode(*lines: object) -> bytes:
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _append(number: int, line: bytes) -> None:
    size = os.lseek(number, 0, os.SEEK_END)
    end_of_last_line = os.pread(number, size, 0).rfind(b"\n") + 1
    os.ftruncate(number, end_of_last_line)  # a power cut may have left a part of a line
    if os.write(number, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(number)


@contextmanager
def _locked_file(path: Path) -> Iterator[int]:
    """The file, open and locked; opened again if another process replaced it meanwhile."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            if os.fstat(number).st_ino == path.stat().st_ino:
                yield number
                return
        finally:
            os.close(number)
