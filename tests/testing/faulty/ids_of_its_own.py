"""Fault: ids follow from a secret that is not the partner's."""

from sesame_sdk import Pseudonymizer, hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Own(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return super().id_of(kind, event, Pseudonymizer(b"always the same secret for all.."))


@hookimpl
def sesame_signal_providers():
    return [Own()]
