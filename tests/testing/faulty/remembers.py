"""Fault: what it says depends on what it was asked before."""

from datetime import timedelta

from attrs import evolve
from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Counting(Loans):
    asked = 0

    def build_signals(self, event, pseudonymizer):
        self.asked += 1
        for signal in super().build_signals(event, pseudonymizer):
            yield evolve(signal, occurred_at=signal.occurred_at + timedelta(microseconds=self.asked))


@hookimpl
def sesame_signal_providers():
    return [Counting()]
