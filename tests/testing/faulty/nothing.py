"""Nothing is wrong here."""

from faulty.sound import Loans, Waiver
from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Loans()]


@hookimpl
def sesame_score_consumers():
    return [Waiver()]
