"""Way of failing: refused by the guard."""

from nasty.parts import Quiet, kind


class Partisan(Quiet):
    """Observes opinions."""

    kinds = (kind("nasty.thing.done", "post_opinion"),)


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Partisan()]
