"""Way of failing: misspelt hook."""

from sesame_sdk import hookimpl

from nasty.parts import Quiet

SESAME_API = "1.0"


@hookimpl
def sesame_signal_provider():
    return (Quiet(),)
