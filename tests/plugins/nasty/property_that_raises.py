"""Way of failing: property that raises."""

from nasty.parts import Quiet


class Mine(Quiet):
    """Answers with an exception when asked for its name."""

    @property
    def name(self):
        raise ZeroDivisionError


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Mine()]
