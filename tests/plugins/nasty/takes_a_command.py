"""Way of failing: takes a command."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_cli_commands(group):
    @group.command()
    def extra():
        """Goes the way of the other."""

    @group.command()
    def doctor():
        """Stands where a built-in command stands."""
