"""Fault: ids follow from hash(), which every process salts."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Hashing(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id(kind.name, str(hash(event.number)), event.at)


@hookimpl
def sesame_signal_providers():
    return [Hashing()]
