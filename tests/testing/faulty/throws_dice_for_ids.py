"""Fault: the same event has another id each time."""

import secrets

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Dicing(Loans):
    def id_of(self, kind, event, pseudonymizer):
        return pseudonymizer.signal_id(kind.name, secrets.token_hex(8), event.at)


@hookimpl
def sesame_signal_providers():
    return [Dicing()]
