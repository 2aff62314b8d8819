"""Fault: it writes down whose score it saw."""

from tempfile import TemporaryFile

from faulty.sound import Waiver
from sesame_sdk import hookimpl

SESAME_API = "1.0"


class Keeping(Waiver):
    def use(self, request, scores):
        with TemporaryFile() as file:
            file.write(repr(scores).encode())
        return super().use(request, scores)


@hookimpl
def sesame_score_consumers():
    return [Keeping()]
