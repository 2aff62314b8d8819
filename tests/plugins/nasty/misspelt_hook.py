"""Way of failing: misspelt hook."""

from nasty.parts import Quiet
from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_provider():
    return (Quiet(),)
