"""Records the side effects of a piece of code: files, sockets, processes, databases.

By an audit hook (PEP 578), which cannot be removed, so it is added once. It does not see what threads do that
are started there, nor what C code does without an audit event. An import is no side effect: a module may
import what it needs when it first needs it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

#: `time.sleep` has an audit event from Python 3.13 on.
_EVENTS = ("open", "time.sleep", "sqlite3.connect", "mmap.__new__")
_PREFIXES = (
    *("socket.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "http.", "glob.", "pathlib."),
    *("ftplib.", "smtplib.", "poplib.", "imaplib.", "fcntl.", "pty.", "webbrowser.", "syslog."),
)
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_recording: ContextVar[list[str] | None] = ContextVar("sesame_side_effects", default=None)


@contextmanager
def record_side_effects() -> Iterator[list[str]]:
    """Yield a list that receives the names of audit events while the block runs."""
    _add_hook()
    recorded: list[str] = []
    token = _recording.set(recorded)
    try:
        yield recorded
    finally:
        _recording.reset(token)


@cache
def _add_hook() -> None:
    sys.addaudithook(_record)


def _record(event: str, _: object) -> None:
    recorded = _recording.get()
    if recorded is None:
        return
    if (event in _EVENTS or event.startswith(_PREFIXES)) and event not in recorded and not _is_import():
        recorded.append(event)


def _is_import() -> bool:
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False
