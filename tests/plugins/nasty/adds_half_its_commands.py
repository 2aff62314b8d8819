"""Way of failing: adds half its commands."""

from sesame_sdk import hookimpl

SESAME_API = "1.0"


@hookimpl
def sesame_cli_commands(group):
    @group.command()
    def half():
        """The half that came before the fault."""

    raise ValueError("the other half")
