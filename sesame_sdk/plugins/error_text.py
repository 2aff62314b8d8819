"""Plain words for what a plugin did wrong.

The text of an exception raised while loading is shown: it is about code. The text of one raised
during a call is not, because it may quote a person's value ("invalid literal: '17850'"); what is
shown then is its type and the place, and ``--debug`` shows the rest through ``__cause__``.
"""

from pathlib import PurePath
from traceback import extract_tb

_LONGEST = 300


def describe_load_error(error: BaseException) -> str:
    """One line for an exception that a plugin raised before it saw any data."""
    text = _text(error)
    return f"{_kind(error)}: {text}" if text else f"{_kind(error)} {_place(error)}"


def describe_call_error(error: BaseException) -> str:
    """One line for an exception that a plugin raised while it held data."""
    return f"{_kind(error)} {_place(error)}"


def _text(error: BaseException) -> str:
    try:
        lines = str(error).split("\n")
    except Exception:  # noqa: BLE001 - even an exception's own text is the plugin's code
        return ""
    return " ".join(line.strip() for line in lines if line.strip())[:_LONGEST]


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    if not frames:
        return "at an unknown place"
    return f"at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}"
