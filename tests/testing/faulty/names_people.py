"""Fault: the member's own number is the subject."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Plain(Loans):
    def subject_of(self, event, pseudonymizer):
        pseudonymizer.pseudonym(event.member)
        return event.member


@hookimpl
def sesame_signal_providers():
    return [Plain()]
