"""Way of failing: raises half way."""

from nasty.parts import Quiet
from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    yield Quiet()
    raise OSError("half-way")
