"""Way of failing: provider without a name."""

from nasty.parts import Quiet


class Nameless(Quiet):
    """Its name would not fit on a command line."""

    name = "My Shop!"


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Nameless()]
