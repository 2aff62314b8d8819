"""Fault: a kind is declared that nothing gives."""

from sesame_sdk import SignalKind, hookimpl

from tests.testing.faulty.sound import Loans

SESAME_API = "1.0"


class Modest(Loans):
    kinds = (*Loans.kinds, SignalKind("library.book.undamaged", "item_returned_undamaged"))


@hookimpl
def sesame_signal_providers():
    return [Modest()]
