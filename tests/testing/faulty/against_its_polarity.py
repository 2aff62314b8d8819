"""Fault: a reward that takes."""

from attrs import evolve
from sesame_sdk import hookimpl

from tests.testing.faulty.sound import RETURNED, Loans

SESAME_API = "1.0"


class Stern(Loans):
    def build_signals(self, event, pseudonymizer):
        for signal in super().build_signals(event, pseudonymizer):
            yield evolve(signal, value=-1.0) if signal.kind == RETURNED.name else signal


@hookimpl
def sesame_signal_providers():
    return [Stern()]
