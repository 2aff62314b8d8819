"""Way of failing: commands that fail."""

import click
from sesame_sdk import InvalidInputError, hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_cli_commands(group):
    @group.group()
    def bad():
        """Commands, each with its own end."""

    @bad.command()
    @click.argument("how")
    def end(how):
        """End in the given way."""
        endings = {
            "usage": click.UsageError("no"),
            "abort": click.Abort(),
            "answer": InvalidInputError("no"),
            "fault": KeyError("k"),
        }
        raise endings[how]
