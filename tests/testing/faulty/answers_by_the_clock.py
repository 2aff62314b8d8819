"""Fault: it answers otherwise each time."""

import time

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Waiver

SESAME_API = "1.0"


class Moody(Waiver):
    def use(self, request, scores):
        return super().use(request, scores) | {"": time.perf_counter()}


@hookimpl
def sesame_score_consumers():
    return [Moody()]
