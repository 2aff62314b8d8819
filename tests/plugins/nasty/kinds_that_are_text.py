"""Way of failing: kinds that are text."""

from nasty.parts import Quiet


class Texts(Quiet):
    """Names where kinds belong."""

    kinds = ("nasty.thing.done",)


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Texts()]
