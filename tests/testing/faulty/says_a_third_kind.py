"""Fault: a kind is said that was not declared."""

from attrs import evolve
from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Chatty(Loans):
    def said(self, event, pseudonymizer):
        for signal in super().said(event, pseudonymizer):
            yield signal
            yield evolve(
                signal,
                id=pseudonymizer.signal_id("mended", event.number, event.at),
                kind="library.book.mended",
            )


@hookimpl
def sesame_signal_providers():
    return [Chatty()]
