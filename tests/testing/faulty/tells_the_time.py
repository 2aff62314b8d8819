"""Fault: a signal is of now, whenever the event was."""

from datetime import UTC, datetime

from attrs import evolve
from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Hasty(Loans):
    def build_signals(self, event, pseudonymizer):
        event = evolve(event, at=datetime.now(UTC))
        return super().build_signals(event, pseudonymizer)


@hookimpl
def sesame_signal_providers():
    return [Hasty()]
