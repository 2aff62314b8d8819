"""Fault: it requests subjects in another order each time."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Waiver

SESAME_API = "1.0"


class Fickle(Waiver):
    turned = False

    def subjects(self, request):
        self.turned = not self.turned
        return tuple(reversed(request)) if self.turned else tuple(request)


@hookimpl
def sesame_score_consumers():
    return [Fickle()]
