"""Fault: whatever is wrong with an event is raised as it comes."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Trusting(Loans):
    def signals(self, event, pseudonymizer):
        return self.build_signals(event, pseudonymizer)


@hookimpl
def sesame_signal_providers():
    return [Trusting()]
