"""Way of failing: unknown argument."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_cli_commands(grup):
    pass
