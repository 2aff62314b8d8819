"""Fault: importing it opens a socket."""

import socket

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"
socket.socket().close()


class Eager(Loans):
    """It could not wait."""


@hookimpl
def sesame_signal_providers():
    return [Eager()]
