"""Fault: a loan that is exported again with another time is another loan."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Timed(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id(kind.name, f"{event.number} {event.at.isoformat()}", event.at)


@hookimpl
def sesame_signal_providers():
    return [Timed()]
