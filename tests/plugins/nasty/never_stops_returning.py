"""Way of failing: never stops returning."""

import itertools

from nasty.parts import Quiet
from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return (Quiet() for _ in itertools.count())
