"""Fault: the network is asked for each event."""

import socket

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Asking(Loans):
    def build_signals(self, event, pseudonymizer):
        socket.socket().close()
        return super().build_signals(event, pseudonymizer)


@hookimpl
def sesame_signal_providers():
    return [Asking()]
