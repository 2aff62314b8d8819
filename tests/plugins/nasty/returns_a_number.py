"""Way of failing: returns a number."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_policy_rules():
    return 5
