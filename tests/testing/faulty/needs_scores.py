"""Fault: it cannot answer for somebody without a score."""

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Waiver

SESAME_API = "1.0"


class Needy(Waiver):
    def use(self, request, scores):
        return {who: 4 if scores[who].points > 700 else 3 for who in request}


@hookimpl
def sesame_score_consumers():
    return [Needy()]
