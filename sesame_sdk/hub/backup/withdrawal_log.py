"""What was taken back: consents, people, keys. Apart from the ledger, so that no backup brings it back.

A backup that is restored knows nothing of what came after it. Signals that are missing then, partners send
again; a consent that is missing is a person asked again. But who withdrew must not be counted anew, who was
erased must not come back, and a key that was revoked must not be believed.

    {"key": "...", "since": 1780000000000000}
    {"at": 1780000000000000, "what": "withdrew", "who": "...", "partner": "https://...", "direction": "send"}
    {"at": 1780000000000000, "what": "erased", "who": "..."}
    {"at": 1780000000000000, "what": "revoked", "partner": "https://...", "kid": "...", "since": ...}

Rules:
    * a line is on disk before what it tells of is done: taken back too much is mended by asking
    * people stand in it as an HMAC under the file's own key: a list to compare with, not one to read
    * lines are forgotten after as many days as backups may be old; ``since`` says from when it is complete
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
from sesame_sdk.files import replace_private_file
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction

#: Lines this much older than they must be are taken out, all at once.
_SLACK = timedelta(days=1)


class What(StrEnum):
    """What was done."""

    WITHDREW = "withdrew"
    ERASED = "erased"
    REVOKED = "revoked"


@frozen
class Entry:
    """One line. `since` and `at` are microseconds; what does not belong to `what` is empty."""

    at: int
    what: What
    who: str = ""
    partner: str = ""
    direction: Direction | None = None
    kid: str = ""
    since: int = 0


@frozen
class _Head:
    key: str = field(repr=False)
    since: int


@frozen
class Book:
    """A journal, read.

    Attributes:
        key: of the HMAC.
        since: microseconds; from when on it is complete.
        entries: oldest first.
    """

    key: bytes = field(repr=False)
    since: int
    entries: tuple[Entry, ...]

    def who(self, person: str) -> str:
        """What stands in a line for a person."""
        return hmac.new(self.key, person.encode(), hashlib.sha256).hexdigest()


@frozen
class Journal:
    """The journal of one hub, to be written. Several processes may.

    Attributes:
        path: the file.
        kept: how long a line is kept.
        clock: says what time it is, in UTC.
    """

    path: Path
    kept: timedelta
    clock: Callable[[], datetime]

    def begin(self) -> None:
        """Make the file (0600) where there is none: from now on it is complete.

        Raises:
            ConfigurationError: it cannot be made, or what is there is none.
        """
        if not self.path.exists():
            try:
                self._make()
            except OSError as error:
                raise ConfigurationError(f"cannot be made: {error.strerror}", field=str(self.path)) from error
        read(self.path)

    def withdrew(self, person: str, partner: str, direction: Direction | None) -> None:
        """A person ends what was granted to a partner."""
        self._add(Entry(0, What.WITHDREW, partner=partner, direction=direction), person)

    def erased(self, person: str) -> None:
        """A person is erased."""
        self._add(Entry(0, What.ERASED), person)

    def revoked(self, partner: str, kid: str, since: datetime) -> None:
        """A key is not believed any more."""
        self._add(Entry(0, What.REVOKED, partner=partner, kid=kid, since=to_micros(since)))

    def _make(self) -> None:
        # Workers begin together: the first makes it, with a key of its own that the others must use.
        with _folder(self.path.parent):
            if not self.path.exists():
                replace_private_file(self.path, _lines(_Head(secrets.token_hex(32), to_micros(self.clock()))))

    def _add(self, entry: Entry, person: str | None = None) -> None:
        now = self.clock()
        try:
            with _alone(self.path) as number:
                book = read(self.path)
                who = "" if person is None else book.who(person)
                entry = evolve(entry, at=to_micros(now), who=who)
                oldest = book.entries[0].at if book.entries else to_micros(now)
                if oldest < to_micros(now - self.kept - _SLACK):
                    self._forget(book, to_micros(now - self.kept), entry)
                else:
                    _append(number, _line(entry))
        except OSError as error:
            hint = "make room, or name another file: without it nothing is taken back"
            raise ConfigurationError(
                f"cannot be written: {error.strerror}", field=str(self.path), hint=hint
            ) from error

    def _forget(self, book: Book, before: int, entry: Entry) -> None:
        left = [old for old in book.entries if old.at >= before]
        head = _Head(book.key.hex(), max(book.since, before))
        replace_private_file(self.path, _lines(head, *left, entry))


def read(path: Path) -> Book:
    """A journal. A last line that was not written to its end tells of nothing that was done.

    Raises:
        ConfigurationError: it cannot be read, or is none.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
        head = codec.decoder(_Head).decode(first)
        entries = tuple(codec.decoder(Entry).decode(line) for line in lines[:-1])
        return Book(bytes.fromhex(head.key), head.since, entries)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", field=str(path)) from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError("is no journal of a hub, or is damaged", field=str(path)) from error


def _line(told: object) -> bytes:
    return msgspec.json.encode(told) + b"\n"


def _lines(*told: object) -> bytes:
    return b"".join(_line(one) for one in told)


def _append(number: int, line: bytes) -> None:
    size = os.lseek(number, 0, os.SEEK_END)
    whole = os.pread(number, size, 0).rfind(b"\n") + 1
    os.ftruncate(number, whole)  # what was begun before a power cut, if anything
    if os.write(number, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(number)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """Nobody else makes a journal there meanwhile."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """The file, open, with nobody else at it; the one that is there now, and not one that was replaced."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            if os.fstat(number).st_ino == path.stat().st_ino:
                yield number
                return
        finally:
            os.close(number)
