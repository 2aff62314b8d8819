"""Sees what a piece of code touches: files, sockets, processes, databases.

By an audit hook (PEP 578). One cannot be taken away again, so it is put in once, when first needed, and
writes down only what happens inside `watching`. What threads do that are started there is not seen, nor
what C code does without telling Python.

An import is no touch: its files are read once, by Python, whatever the event. So a module may import what
it needs when it first needs it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

#: `time.sleep` tells of itself from Python 3.13 on.
_TOUCHES = ("open", "time.sleep", "sqlite3.connect", "mmap.__new__")
_SORTS = (
    *("socket.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "http.", "glob.", "pathlib."),
    *("ftplib.", "smtplib.", "poplib.", "imaplib.", "fcntl.", "pty.", "webbrowser.", "syslog."),
)
_IMPORTING = ("<frozen importlib", "<frozen zipimport")
_seen: ContextVar[list[str] | None] = ContextVar("sesame_seen", default=None)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Gives a list that fills with the names of audit events while the block runs."""
    _put_in()
    found: list[str] = []
    token = _seen.set(found)
    try:
        yield found
    finally:
        _seen.reset(token)


@cache
def _put_in() -> None:
    sys.addaudithook(_hear)


def _hear(event: str, _: object) -> None:
    found = _seen.get()
    if found is None:
        return
    if (event in _TOUCHES or event.startswith(_SORTS)) and event not in found and not _is_import():
        found.append(event)


def _is_import() -> bool:
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False
