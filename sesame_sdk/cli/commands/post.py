"""``sesame post``: turns a file into signals and uploads them."""

from contextlib import ExitStack
from pathlib import Path

import click

from sesame_sdk.cli.console import progress_bar
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import INPUT_FILE
from sesame_sdk.cli.upload import open_rejects, report_upload, upload_options
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.uploader import SignalUploader, bulk_mode


@click.command()
@click.argument("file", type=INPUT_FILE)
@click.option("--provider", required=True, metavar="NAME", help="A provider; see: sesame plugins.")
@upload_options
@click.pass_context
def post(
    ctx: click.Context,
    config_dir: Path,
    file: Path,
    provider: str,
    dry_run: bool,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Turn a file into signals and send them.

    Sending a file again is harmless: signal ids are derived from it, so nothing counts twice. Exits with 0 if
    all signals are on the hub, 4 if records or messages were rejected, and 5 if messages are still pending.
    """
    signal_provider, partner = registry(ctx).provider(provider), PartnerConfig.load(config_dir)
    with ExitStack() as stack:
        client = None if dry_run else stack.enter_context(Client.from_config(partner))
        rejected = stack.enter_context(open_rejects(file, rejects))
        bar = stack.enter_context(progress_bar("signals delivered"))
        stack.enter_context(bulk_mode())
        write = (lambda _: None) if dry_run else rejected.write
        uploader = SignalUploader(client, progress=bar, reject=write)
        summary = uploader.upload_file(signal_provider, partner.pseudonymizer, file)
    report_upload(summary, rejected, as_json=as_json)
