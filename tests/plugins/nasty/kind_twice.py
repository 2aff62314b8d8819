"""Way of failing: kind twice."""

from nasty.parts import Quiet


class Twice(Quiet):
    """Says one thing in two ways."""

    kinds = Quiet.kinds * 2


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Twice()]
