"""Way of failing: raises on registration."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    raise LookupError("no such table")
