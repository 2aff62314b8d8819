"""Fault: it cannot answer for somebody without a score."""

from faulty.sound import Waiver
from sesame_sdk import hookimpl

SESAME_API = "1.0"


class Needy(Waiver):
    def use(self, request, scores):
        return {who: 4 if scores[who].points > 700 else 3 for who in request}


@hookimpl
def sesame_score_consumers():
    return [Needy()]
