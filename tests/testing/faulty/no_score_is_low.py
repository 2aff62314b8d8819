"""Fault: a person without a score may borrow less."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Waiver

SESAME_API = "1.0"


class Harsh(Waiver):
    def use(self, request, scores):
        return super().use(request, scores) | {who: 0 for who, score in scores.items() if score is None}


@hookimpl
def sesame_score_consumers():
    return [Harsh()]
