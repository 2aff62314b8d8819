"""Way of failing: rule without source."""

from sesame_sdk import GuardRule


class Rule(GuardRule):
    """Has no source and no date."""

    id = "BAD-1"


from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_policy_rules():
    return [Rule()]
