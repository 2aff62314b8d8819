"""Fault: a file is read for each event."""

from pathlib import Path

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Reading(Loans):
    def build_signals(self, event, pseudonymizer):
        Path(__file__).read_text()
        return super().build_signals(event, pseudonymizer)


@hookimpl
def sesame_signal_providers():
    return [Reading()]
