"""Way of failing: returns a class."""

from sesame_sdk import hookimpl

from nasty.parts import Quiet

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Quiet]
