"""Fault: an honest event is rejected."""

from sesame_sdk import InvalidInputError, hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Strict(Loans):
    def build_signals(self, event, pseudonymizer):
        if event.days_late:
            raise InvalidInputError("must be in time", field="days_late")
        return super().build_signals(event, pseudonymizer)


@hookimpl
def sesame_signal_providers():
    return [Strict()]
