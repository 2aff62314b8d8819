"""The entry point: loads the command, and turns errors into one line and an exit code."""

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
from sesame_sdk.errors import GuardRefusedError, SesameError
from sesame_sdk.text import terminal_text

if TYPE_CHECKING:
    from sesame_sdk.plugins import PluginRegistry

#: For each group of users, its commands: the module of each and its help, so that listing imports none.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Partner": {
        "keys": ("keys", "Create and show keys; trust a hub's new keys"),
        "registrations": ("partners", "Register plugins with a hub"),
        "post": ("post", "Turn a file into signals and send them"),
        "outbox": ("outbox", "List, show, deliver, redrive and discard messages"),
        "receipts": ("outbox", "List the hub's receipts"),
        "notices": ("notices", "Fetch notices of disputes and erasures"),
        "doctor": ("doctor", "Check this installation and suggest fixes"),
        "plugins": ("doctor", "List installed plugins and their state"),
    },
    "Reader": {
        "score": ("scores", "Read scores from a hub"),
        "store": ("store", "Keep a local store of scores up to date"),
    },
    "Hub operator": {
        "hub": ("hub", "Set up, run, back up and repair a hub"),
        "partners": ("partners", "Add, list and limit partners; revoke keys"),
        "grants": ("grants", "Add, import, withdraw, list and correct consents"),
        "people": ("people", "Export or erase a person's data"),
        "explain": ("scores", "Explain a person's score"),
        "disputes": ("disputes", "Open, review and decide disputes"),
        "notices": ("notices", "List and export unfetched notices"),
        "streams": ("streams", "List score streams; redrive dead letters"),
    },
    "Policy author": {
        "observations": ("observations", "List what may be counted, approve entries, watch their use"),
        "policy": ("policy", "Check, load and list policies"),
        "audit": ("audit", "Simulate a policy and measure its effects"),
    },
}
_MODULES = {name: module for group in COMMANDS.values() for name, (module, _) in group.items()}
#: Characters of a command's short help: fits 80 columns.
MAX_HELP = 60


class LazyGroup(click.Group):
    """Imports a command's module when the command runs, and plugins when no built-in command matches."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, including those of plugins."""
        return sorted({*_MODULES, *self._plugin_commands(ctx).commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; a plugin cannot replace a built-in one."""
        if cmd_name in _MODULES:
            module = import_module(f"sesame_sdk.cli.commands.{_MODULES[cmd_name]}")
            command: click.Command = getattr(module, cmd_name)
            return command
        return self._plugin_commands(ctx).commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help's lists, one for each group of users, without importing a built-in command."""
        sections = {
            title: [(name, text) for name, (_, text) in commands.items()]
            for title, commands in COMMANDS.items()
        }
        plugin_commands = self._plugin_commands(ctx).commands
        sections["Plugins"] = [
            (name, command.get_short_help_str(limit=MAX_HELP)) for name, command in plugin_commands.items()
        ]
        width = max(len(name) for rows in sections.values() for name, _ in rows)
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl([(name.ljust(width), text) for name, text in rows])

    def _plugin_commands(self, ctx: click.Context) -> click.Group:
        if "plugin_commands" not in ctx.meta:
            plugin_commands = click.Group()
            registry(ctx).add_commands(plugin_commands)
            ctx.meta["plugin_commands"] = plugin_commands
        group: click.Group = ctx.meta["plugin_commands"]
        return group


def registry(ctx: click.Context) -> "PluginRegistry":
    """The plugins of this installation, discovered once a run."""
    from sesame_sdk.plugins import PluginRegistry

    if "registry" not in ctx.meta:
        ctx.meta["registry"] = PluginRegistry.discover(block=excluded_plugins(ctx))
    plugins: PluginRegistry = ctx.meta["registry"]
    return plugins


def excluded_plugins(ctx: click.Context) -> tuple[str, ...]:
    """The names given with ``--exclude-plugin``."""
    return ctx.find_root().params.get("excluded") or ()


EPILOG = """Exit codes: 0 done; 1 internal error; 2 wrong usage or configuration; 3 refused by the guard;
4 invalid input; 5 try again later; 130 interrupted. Data goes to stdout, messages to stderr; NO_COLOR is
honoured."""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--exclude-plugin", "excluded", multiple=True, metavar="NAME", help="Do not load a plugin.")
@click.version_option(package_name="sesame-sdk", prog_name="sesame")
def sesame(debug: bool, excluded: tuple[str, ...]) -> None:
    """A reputation that people carry by choice: sign, send, score, explain."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run ``sesame`` and exit; the codes are listed in the package's docstring."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    try:
        _run(arguments)
    except BrokenPipeError:
        _discard_output()  # the process that reads our output has exited, as `head` does
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
    except SystemExit as exit_:
        if sys.stdout is not stdout:  # click replaces it when the pipe breaks, and exits with 1
            raise BrokenPipeError from exit_
        raise


def _prepare_streams() -> None:
    """Replace closed streams, and escape characters that an encoding lacks."""
    # Python has None for a stream that was closed; the next file opened would get its number.
    sys.stdout = sys.stdout or _null_stream()
    sys.stderr = sys.stderr or _null_stream()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _null_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(os.devnull, "w"), encoding="utf-8")


def _discard_output() -> None:
    """Send the rest of stdout to the null device, or Python reports the error again at exit."""
    with suppress(io.UnsupportedOperation):  # redirected to memory
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: Exception, *, as_json: bool) -> int:
    if isinstance(error, click.ClickException):
        error.show()
    elif isinstance(error, GuardRefusedError):
        from sesame_sdk.cli.findings_view import show_refusal

        show_refusal(error, as_json=as_json)
    elif isinstance(error, SesameError):
        _print_error("error:", str(error))
    elif isinstance(error, OSError):
        if error.filename is None:  # not about a file, so about the output
            _discard_output()
        _print_error("error:", f"{error.filename or 'output'}: {error.strerror or error}")
    else:
        _print_error(f"internal error ({type(error).__name__}):", "run again with: sesame --debug")
    if isinstance(error, click.ClickException):
        return 2
    return error.exit_code if isinstance(error, SesameError) else 1


def _print_error(label: str, message: str) -> None:
    stderr().print(Text.assemble((label, "bold red"), " ", terminal_text(message)), soft_wrap=True)
