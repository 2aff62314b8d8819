"""Fault: a kind is declared that nothing gives."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Loans, kind

SESAME_API = "1.0"


class Modest(Loans):
    kinds = (*Loans.kinds, kind("library.book.repaired", "Books that you repaired"))


@hookimpl
def sesame_signal_providers():
    return [Modest()]
