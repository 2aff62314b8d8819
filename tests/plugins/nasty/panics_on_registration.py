"""Way of failing: panics on registration."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


class PanicException(BaseException):
    pass


@hookimpl
def sesame_signal_providers():
    raise PanicException("unwrap of None")
