"""Way of failing: takes a kind."""

from nasty.parts import Quiet, kind


class Taken(Quiet):
    """Says what the good plugin says."""

    kinds = (kind("garden.plot.kept"),)


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Taken()]
