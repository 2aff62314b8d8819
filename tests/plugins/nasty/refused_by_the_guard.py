"""Way of failing: refused by the guard."""

from attrs import evolve
from nasty.parts import Quiet, kind
from sesame_sdk import Sensitivity


class Partisan(Quiet):
    """Observes opinions."""

    kinds = (evolve(kind("nasty.thing.done"), sensitivity=Sensitivity.POLITICAL),)


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Partisan()]
