"""Fault: it answers otherwise each time."""

import time

from faulty.sound import Waiver
from sesame_sdk import hookimpl

SESAME_API = "1.0"


class Moody(Waiver):
    def use(self, request, scores):
        return super().use(request, scores) | {"": time.perf_counter()}


@hookimpl
def sesame_score_consumers():
    return [Moody()]
