"""Fault: it sends a kind that was not declared."""

from attrs import evolve
from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Chatty(Loans):
    def build_signals(self, event, pseudonymizer):
        for signal in super().build_signals(event, pseudonymizer):
            yield signal
            yield evolve(
                signal,
                id=pseudonymizer.signal_id("repaired", event.number, event.at),
                kind="library.book.repaired",
            )


@hookimpl
def sesame_signal_providers():
    return [Chatty()]
