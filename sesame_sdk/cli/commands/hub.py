"""``sesame hub``: set up a hub, run it, back it up and repair it."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click
from attrs import NOTHING

from sesame_sdk.cli.commands.hub_keys import keys
from sesame_sdk.cli.console import print_json, print_note, print_rows, progress_bar
from sesame_sdk.cli.main import excluded_plugins, registry
from sesame_sdk.cli.options import DIRECTORY, OUTPUT_FILE, hub_option, json_option, open_hub, require_extra
from sesame_sdk.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from sesame_sdk.hub.ingest.verification import Difference
    from sesame_sdk.hub.settings import Setting

#: The exit code if the ledger is not what it should be.
DIFFERENT = InvalidInputError.exit_code
_SEE_VERIFY = "see: sesame hub verify"


class SettingsCommand(click.Command):
    """A command that also takes every setting of a hub as an option; they are imported when it is used."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and one for each setting."""
        own = super().get_params(ctx)
        return [*own[:-1], *self._settings, *own[-1:]]  # --help comes last

    @cached_property
    def _settings(self) -> list[click.Option]:
        from sesame_sdk.hub.settings import SETTINGS

        return [
            click.Option(
                [setting.flag],
                metavar="VALUE",
                help=f"{setting.help}; {setting.type.expected}."
                f"{_default(setting)}  [env: {setting.variable}]",
            )
            for setting in SETTINGS.values()
        ]


def _default(setting: "Setting") -> str:
    return "" if setting.default in {None, "", NOTHING} else f"  [default: {setting.default}]"


def _given_settings(flags: Mapping[str, str | None]) -> dict[str, str]:
    """The settings that were given as options."""
    return {name: value for name, value in flags.items() if value is not None}


def _unknown_variables() -> list[str]:
    """Environment variables with the prefix of settings that are not settings, perhaps misspelt."""
    from sesame_sdk.hub.settings import SETTINGS

    known = {setting.variable for setting in SETTINGS.values()} | {"SESAME_HUB", "SESAME_CONFIG"}
    return sorted(name for name in os.environ if name.startswith("SESAME_") and name not in known)


@click.group()
def hub() -> None:
    """Set up, run, back up and repair a hub."""


hub.add_command(keys)


@hub.command()
@click.argument("directory", metavar="DIR")
@click.option("--issuer", required=True, metavar="URL", help="The hub's base URL, as partners reach it.")
@click.option(
    "--database",
    default="sqlite:///hub.sqlite",
    show_default=True,
    metavar="URL",
    help="Database of the ledger; postgresql://user@host/name must exist and be empty.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Compute every score as of this day instead of today, to replay old data.",
)
def init(directory: str, issuer: str, database: str, as_of: datetime | None) -> None:
    """Create DIR with the hub's key and settings.

    The tables are created when the hub is first opened.
    """
    from sesame_sdk.hub.settings import create_hub, refuse_password

    refuse_password(database)
    if not directory.strip():
        raise ConfigurationError("must name a directory", field="DIR")
    day = as_of.replace(tzinfo=UTC).date() if as_of else None
    try:
        create_hub(Path(directory), issuer=issuer, database=database, as_of=day)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be created: {error.strerror}", field=directory, hint="name a new, writable directory"
        ) from error
    name = shlex.quote(directory)
    print_note(f"created {name}; next: sesame hub run --hub {name}")


@hub.command(cls=SettingsCommand)
@hub_option()
@click.pass_context
def run(ctx: click.Context, /, hub_dir: Path, **flags: str | None) -> None:
    """Serve the hub over HTTP until interrupted.

    A setting comes from its flag, else from its environment variable, else from hub.toml; see: sesame hub
    settings.
    """
    with require_extra("hub"):
        from sesame_sdk.hub.server.server import serve

    serve(
        hub_dir,
        flags=_given_settings(flags),
        rules=registry(ctx).rules,
        block=excluded_plugins(ctx),
        on_ready=_print_ready,
    )


def _print_ready(url: str) -> None:
    if sys.stderr.isatty():  # elsewhere the log has it, and every line of the log is JSON
        print_note(f"hub ready at {url}")


@hub.command(cls=SettingsCommand)
@hub_option()
@json_option
def settings(hub_dir: Path, as_json: bool, **flags: str | None) -> None:
    """Show each setting and its source.

    The source is a flag, an environment variable, hub.toml, or the default. Passwords are masked.
    """
    from sesame_sdk.hub.settings import SETTINGS, load_with_sources, mask_password

    loaded = load_with_sources(hub_dir, flags=_given_settings(flags))
    rows = [
        {
            "setting": name,
            "value": mask_password(str(value))
            if (value := getattr(loaded.settings, name)) is not None
            else None,
            "source": loaded.sources[name],
        }
        for name in SETTINGS
    ]
    print_rows(rows, as_json=as_json)
    for name in _unknown_variables():
        print_note(f"{name} is set but is not a setting")


@hub.command(name="export-signals")
@hub_option()
@click.argument("context")
@click.option("--output", "file", required=True, metavar="FILE", type=OUTPUT_FILE, help="A Parquet file.")
def export_signals(hub_dir: Path, context: str, file: Path) -> None:
    """Write the signals that count for CONTEXT to Parquet.

    They are sorted by person, for scoring everybody in one batch: see
    sesame_sdk.scoring.engines.score_parquet.
    """
    with open_hub(hub_dir) as opened:
        count = opened.export_signals(file, context)
    print_note(f"wrote {count:,} signal(s) to {shlex.quote(str(file))}")


@hub.command()
@hub_option()
def migrate(hub_dir: Path) -> None:
    """Migrate the tables to this version.

    Stop the hub and back it up first.
    """
    with require_extra("hub"):
        from sesame_sdk.hub.database.engine import migrate as migrate_tables
        from sesame_sdk.hub.database.migrations import HEAD
        from sesame_sdk.hub.settings import load_settings

    before = migrate_tables(load_settings(hub_dir).database_url)
    if before == HEAD:
        print_note(f"the tables are at version {HEAD} already")
    else:
        print_note(f"migrated the tables to version {HEAD}" + (f" from {before}" if before else ""))


@hub.command()
@hub_option()
@click.option("--quick", is_flag=True, help="Compare numbers only; read no envelopes.")
@json_option
def verify(hub_dir: Path, quick: bool, as_json: bool) -> None:
    """Verify the ledger, and compare the tables with it.

    Checks the numbering and the signatures of envelopes.

    Changes nothing; the hub may be running. Exits with 4 if something differs.
    """
    with open_hub(hub_dir) as opened:
        if quick:
            report = opened.check_ledger()
        else:
            with progress_bar("envelopes verified", opened.count_envelopes()) as bar:
                report = opened.verify_ledger(bar)
    if as_json:
        print_json(report)
    else:
        _print_differences(report.differences, empty="nothing differs")
        if report.unlisted:
            print_note(f"{report.unlisted:,} more differences")
        if report.envelopes is not None:
            print_note(f"verified {report.envelopes:,} envelope(s) with {report.signals:,} signal(s)")
        if report.unsigned:
            print_note(f"{report.unsigned:,} envelope(s) came in the clear and lost their token: unproven")
    if report.differences:
        sys.exit(DIFFERENT)


def _print_differences(differences: "Sequence[Difference]", *, empty: str) -> None:
    print_rows([attrs.asdict(one) for one in differences], empty=empty)


@hub.command()
@hub_option()
@json_option
def rebuild(hub_dir: Path, as_json: bool) -> None:
    """Rebuild signals and registrations from the ledger.

    Lists what it changes. An envelope that does not verify is quarantined: it does not count. Exits with 4 if
    there is one.
    """
    with open_hub(hub_dir) as opened:
        report = opened.rebuild()
    if as_json:
        print_json(report)
    else:
        _print_differences((*report.quarantined, *report.changes), empty="nothing differed")
        print_note(f"rebuilt: {report.signals:,} signal(s), {len(report.changes)} difference(s) corrected")
    if report.quarantined:
        print_note(f"quarantined {len(report.quarantined)} envelope(s): ask their partners to send again")
        sys.exit(DIFFERENT)


@hub.command()
@hub_option()
def vacuum(hub_dir: Path) -> None:
    """Remove deleted data from the database files.

    The files are rewritten, which takes as long as copying them; partners retry meanwhile.
    """
    with open_hub(hub_dir) as opened:
        opened.rights.vacuum()
        pending = sum(
            notices.count
            for notices in opened.rights.pending_notices()
            if notices.event.endswith(":person-erased")
        )
    print_note("rewrote the database")
    if pending:
        print_note(f"{pending} erasure notice(s) are pending, each with a pseudonym: see sesame notices list")


@hub.command()
@hub_option()
@click.argument("dest")
@click.option("--with-key", is_flag=True, help="Include signing.jwk: its holder can sign as the hub.")
def backup(hub_dir: Path, dest: str, with_key: bool) -> None:
    """Write a backup to DEST, a directory or a new .tar file.

    The hub may be running. A directory is made if it is missing; the file in it (0600) is named by the time.
    It holds all consents and signals: encrypt it where it is stored, and keep it no longer than the
    withdrawal log. Exits with 4, and writes the backup all the same, if the quick part of `sesame hub verify`
    finds a difference.
    """
    with require_extra("hub"):
        from sesame_sdk.hub.backup.backup import create_backup
        from sesame_sdk.hub.settings import load_settings

    path, manifest = create_backup(load_settings(hub_dir), dest, with_key=with_key, progress=progress_bar)
    size = sum(member.bytes for member in manifest.members.values())
    key = "with its key" if with_key else "without its key: store signing.jwk elsewhere"
    print_note(f"{path}: {size / 1e6:,.1f} MB, {key}")
    if manifest.differences:
        print_note(f"the ledger has {manifest.differences} difference(s): keep older backups; {_SEE_VERIFY}")
        sys.exit(DIFFERENT)


@hub.command()
@hub_option()
@click.argument("src", type=DIRECTORY)
@click.option(
    "--withdrawal-log",
    "logs",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True),
    help="The old hub's withdrawal log, if it is not in --hub; one for each machine.",
)
@click.option(
    "--without-withdrawal-log", is_flag=True, help="Restore without knowing who withdrew or was erased since."
)
def restore(hub_dir: Path, src: Path, logs: tuple[Path, ...], without_withdrawal_log: bool) -> None:
    """Create a hub from the backup SRC.

    The hub's directory and database must be new. Put signing.jwk into the directory first if the backup has
    no key, and hub.toml for other settings. Withdrawals and erasures since the backup are replayed.
    """
    with require_extra("hub"):
        from sesame_sdk.hub.backup.restore import restore as restore_hub

    done = restore_hub(
        src,
        hub_dir,
        withdrawal_logs=logs,
        without_withdrawal_log=without_withdrawal_log,
        progress=progress_bar,
    )
    print_note(f"{hub_dir} is restored to {done.manifest.created_at:%Y-%m-%d %H:%M:%S} UTC")
    print_note(f"replayed {done.replayed} withdrawals, erasures and key revocations")
    if done.unknown:
        print_note(f"{done.unknown} more concern people and keys that came after the backup")
    if without_withdrawal_log:
        print_note("before the hub runs, repeat withdrawals, erasures and key revocations since then by hand")
    if done.ledger.differences:
        print_note(f"the ledger has {len(done.ledger.differences)} difference(s); {_SEE_VERIFY}")
        sys.exit(DIFFERENT)
