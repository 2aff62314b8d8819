"""What the commands that upload signals share: options, and the report at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sesame_sdk.cli.console import print_json, print_note, print_rows
from sesame_sdk.cli.options import OUTPUT_FILE, config_option, json_option
from sesame_sdk.partner.uploader import RejectsFile, UploadSummary

_Command = Callable[..., Any]


def upload_options(command: _Command) -> _Command:
    """``--config``, ``--dry-run``, ``--rejects`` and ``--json``.

    The parameters are ``config_dir``, ``dry_run``, ``rejects`` and ``as_json``.
    """
    for option in (
        json_option,
        click.option(
            "--rejects",
            metavar="FILE",
            type=OUTPUT_FILE,
            help="Where records that cannot be read are written.  [default: FILE.rejects]",
        ),
        click.option("--dry-run", is_flag=True, help="Show ten signals and the summary; send nothing."),
        config_option(),
    ):
        command = option(command)
    return command


def open_rejects(file: Path, rejects: Path | None, *, append: bool = False) -> RejectsFile:
    """The file for the rejected records of `file`; they are added to earlier ones, if so asked."""
    return RejectsFile(rejects or file.with_name(f"{file.name}.rejects"), append=append)


def report_upload(summary: UploadSummary, rejects: RejectsFile, *, as_json: bool) -> None:
    """Print the summary on stdout, and hints on stderr.

    Raises:
        SesameError: the worst that went wrong; `main` makes the exit code of it.
    """
    if summary.errors and not (summary.events or summary.signals or summary.skipped):
        raise summary.errors[0]  # nothing was read, so there is nothing to show
    if as_json:
        print_json(summary.as_dict())
    else:
        if summary.sample:
            print_rows(
                [
                    {
                        "occurred_at": f"{signal.occurred_at:%Y-%m-%d %H:%M}",
                        "kind": signal.kind,
                        "value": signal.value,
                        "subject": signal.subject,
                    }
                    for signal in summary.sample
                ],
                title=f"The first {len(summary.sample)} signals, as a hub would receive them",
            )
        if summary.reject_sample:
            print_rows(
                [
                    {"line": item.line, "reason": item.reason, "column": item.column, "form": item.form}
                    for item in summary.reject_sample
                ],
                title=f"The first {len(summary.reject_sample)} records that cannot be read",
            )
        sent = "dry run, nothing sent" if summary.dry_run else f"{summary.sent} envelope(s) sent"
        print_rows(summary.rows(), title=f"{summary.events:,} events; {sent}")
    for hint in summary.hints():
        print_note(hint)
    if summary.rejected and not summary.dry_run:
        print_note(f"rejected records are in {rejects.path}")
    for error in summary.errors[1:]:
        print_note(str(error))
    if summary.errors:
        raise summary.errors[0]
