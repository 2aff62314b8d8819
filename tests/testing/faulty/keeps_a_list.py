"""Fault: it writes down whose score it saw."""

from tempfile import TemporaryFile

from sesame_sdk import hookimpl

from tests.testing.faulty.sound import Waiver

SESAME_API = "1.0"


class Keeping(Waiver):
    def use(self, request, scores):
        with TemporaryFile() as file:
            file.write(repr(scores).encode())
        return super().use(request, scores)


@hookimpl
def sesame_score_consumers():
    return [Keeping()]
