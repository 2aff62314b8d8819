"""Fault: importing it takes its time."""

import time

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"
time.sleep(1)


class Slow(Loans):
    """It was in no hurry."""


@hookimpl
def sesame_signal_providers():
    return [Slow()]
