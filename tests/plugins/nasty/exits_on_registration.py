"""Way of failing: exits on registration."""

import sys

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_score_consumers():
    sys.exit(3)
