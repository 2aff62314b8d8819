"""Fault: the event is another afterwards."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Marking(Loans):
    def build_signals(self, event, pseudonymizer):
        yield from super().build_signals(event, pseudonymizer)
        event.days_late = 99


@hookimpl
def sesame_signal_providers():
    return [Marking()]
