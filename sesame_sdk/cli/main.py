"""The entry point: finds the command, and turns errors into one line and an exit code."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click
from rich.text import Text

from sesame_sdk.cli.console import stderr
from sesame_sdk.errors import (
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RetryableError,
    SesameError,
)
from sesame_sdk.text import terminal_text

if TYPE_CHECKING:
    from sesame_sdk.plugins import PluginRegistry

#: Command to the module that holds it, and its line in the help: listing must import none of them.
COMMANDS = {
    "audit": ("audit", "Judge POLICY, play it with simulated people, and measure what it does to them."),
    "book": ("follow", "Show how a score book is, or the scores of SUBJECTs in it."),
    "disputes": ("disputes", "Open and decide disputes of signals, with their deadlines (at the hub)."),
    "doctor": ("doctor", "Look for what is wrong with this set-up, and say how to mend it."),
    "erase": ("rights", "Erase PERSON from the hub: ledger, scores, grants, reads, disputes."),
    "explain": ("scores", "Show a person's score with every reason, and who read it (at the hub)."),
    "export": ("rights", "Write everything that the hub has about PERSON to a file, as JSON."),
    "follow": ("follow", "Keep a score book fresh from the hub, until interrupted."),
    "grants": ("grants", "Record, withdraw and list the consents that people give (at the hub)."),
    "hub": ("hub", "Set up and run a hub, and mend its tables."),
    "keys": ("keys", "Make and show a partner's keys, and trust a hub's new ones."),
    "notices": ("notices", "Fetch a partner's notices of disputes and erasures, or look at what a hub owes."),
    "outbox": ("outbox", "Look at what waits, at receipts and at dead letters; send or discard them."),
    "partners": ("partners", "Admit partners, list them and revoke their keys (at the hub)."),
    "plugins": ("plugins", "List the installed plugins: name, version, kinds, purposes, state."),
    "policy": ("policies", "Check a policy with the guard, load it into a hub, list what is loaded."),
    "post": ("post", "Turn a partner's file into signals and send them."),
    "register": ("partners", "Join a hub with a plugin: send its signed registration."),
    "score": ("scores", "Read scores as a partner."),
    "scrub": (
        "rights",
        "Write the hub's database anew, so that nothing that was deleted is left in its files.",
    ),
}
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (click.ClickException, 2),
    (GuardRefusedError, 3),
    (InvalidInputError, 4),
    (RetryableError, 5),
    (ConfigurationError, 2),
)


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for; plugins only when nothing built in fits."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, those of plugins among them."""
        return sorted({*COMMANDS, *self._with_plugins(ctx).commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; a plugin cannot take the name of a built-in one."""
        if cmd_name in COMMANDS:
            module = import_module(f"sesame_sdk.cli.commands.{COMMANDS[cmd_name][0]}")
            command: click.Command = getattr(module, cmd_name)
            return command
        return self._with_plugins(ctx).commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's list, from the one-liners here: no built-in command is imported for it."""
        added = self._with_plugins(ctx).commands
        lines = {name: line for name, (_, line) in COMMANDS.items()}
        lines |= {name: command.get_short_help_str(90) for name, command in added.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(lines.items()))

    def _with_plugins(self, ctx: click.Context) -> click.Group:
        if "plugin_commands" not in ctx.meta:
            added = click.Group()
            registry(ctx).add_commands(added)
            ctx.meta["plugin_commands"] = added
        group: click.Group = ctx.meta["plugin_commands"]
        return group


def registry(ctx: click.Context) -> "PluginRegistry":
    """The plugins of this installation, found once a run."""
    from sesame_sdk.plugins import PluginRegistry

    if "registry" not in ctx.meta:
        ctx.meta["registry"] = PluginRegistry.discover(block=ctx.find_root().params.get("block") or ())
    found: PluginRegistry = ctx.meta["registry"]
    return found


EPILOG = """Exit codes: 0 done; 1 a fault of ours; 2 wrong usage or set-up; 3 refused by the guard;
4 rejected, mend the input; 5 try again later; 130 interrupted. Data goes to stdout, all else to stderr;
NO_COLOR is honoured."""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--block", multiple=True, metavar="PLUGIN", help="Do not load this plugin.")
@click.version_option(package_name="sesame-sdk", prog_name="sesame")
def sesame(debug: bool, block: tuple[str, ...]) -> None:
    """A reputation that people carry by choice: sign, send, score, explain."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run ``sesame`` and exit; the codes are listed in the package's docstring."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _make_streams_fit()
    try:
        _run(arguments)
    except BrokenPipeError:
        _drop_output()  # the reader of our output left: it has all that it wanted
    except (KeyboardInterrupt, click.Abort):
        stderr().print("interrupted")
        sys.exit(130)
    except Exception as error:
        if "--debug" in arguments:
            raise
        sys.exit(_report(error, as_json="--json" in arguments))
    sys.exit(0)


def _run(arguments: list[str]) -> None:
    stdout = sys.stdout
    try:
        sesame.main(arguments, prog_name="sesame", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as ended:
        if sys.stdout is not stdout:  # click puts another in its place when the pipe broke, and exits with 1
            raise BrokenPipeError from ended
        raise


def _make_streams_fit() -> None:
    """Give output somewhere to go, and a way to say what its encoding cannot."""
    # Python has None for a stream that was closed; the next file opened would get its number.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8")


def _drop_output() -> None:
    """Let go of what stdout would not take; Python would complain of it once more at its end."""
    with suppress(io.UnsupportedOperation):  # it was redirected to memory
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, GuardRefusedError):
        from sesame_sdk.cli.findings_view import show_refusal

        show_refusal(error, as_json=as_json)
    elif isinstance(error, SesameError):
        _say("error:", str(error))
    elif isinstance(error, OSError):
        if error.filename is None:  # it is not about a file, so it is about what we print
            _drop_output()
        _say("error:", f"{error.filename or 'output'}: {error.strerror or error}")
    else:
        _say(f"unexpected {type(error).__name__};", "run again with: sesame --debug")
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), 1)


def _say(what: str, message: str) -> None:
    stderr().print(Text.assemble((what, "bold red"), " ", terminal_text(message)), soft_wrap=True)
