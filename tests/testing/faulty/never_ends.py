"""Fault: it says one thing without end."""

import itertools

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Endless(Loans):
    def said(self, event, pseudonymizer):
        for signal in super().said(event, pseudonymizer):
            yield from itertools.repeat(signal)


@hookimpl
def sesame_signal_providers():
    return [Endless()]
