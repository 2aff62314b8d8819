"""Way of failing: takes a provider name."""

from nasty.parts import Quiet


class Taken(Quiet):
    """Called like the good plugin's."""

    name = "garden"


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Taken()]
