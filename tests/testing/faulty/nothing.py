"""Nothing is wrong here."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans, Waiver

SESAME_API = "1.0"


@hookimpl
def sesame_signal_providers():
    return [Loans()]


@hookimpl
def sesame_score_consumers():
    return [Waiver()]
