"""Fault: two loans have one id."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Merging(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id("library.loan", "1", event.at)


@hookimpl
def sesame_signal_providers():
    return [Merging()]
