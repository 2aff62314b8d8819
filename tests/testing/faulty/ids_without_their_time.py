"""Fault: ids begin with a time of their own."""

from datetime import timedelta

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import AT, Loans

SESAME_API = "1.0"


class Timeless(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id(kind.name, event.number, AT + timedelta(days=1))


@hookimpl
def sesame_signal_providers():
    return [Timeless()]
