"""Fault: it says one thing without end."""

import itertools

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Endless(Loans):
    def build_signals(self, event, pseudonymizer):
        for signal in super().build_signals(event, pseudonymizer):
            yield from itertools.repeat(signal)


@hookimpl
def sesame_signal_providers():
    return [Endless()]
