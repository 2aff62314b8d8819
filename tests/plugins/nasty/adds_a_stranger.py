"""Way of failing: adds a stranger."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_cli_commands(group):
    group.commands["stranger"] = print
