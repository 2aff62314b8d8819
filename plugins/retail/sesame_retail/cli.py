"""``sesame retail``: upload a shop's orders, follow a growing file, propose a mapping."""

from contextlib import ExitStack
from pathlib import Path

import click

from sesame_retail.files import mapping
from sesame_retail.provider import MAX_REJECTS, Orders
from sesame_retail.webhooks.cli import webhooks
from sesame_sdk import ConfigurationError, open_rejects, report_upload, upload_options

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def retail() -> None:
    """Upload a shop's orders and map its files."""


retail.add_command(webhooks)


@retail.command(name="map")
@click.argument("file", type=_FILE)
@click.option("--exclude", "excluded", metavar="COLUMN", multiple=True, help="A column that means nothing.")
def propose_mapping(file: Path, excluded: tuple[str, ...]) -> None:
    """Propose a mapping for FILE, as TOML.

    Store it beside the file as FILE.toml, or name it with --mapping.
    """
    from sesame_retail.files import mapping_inference

    click.echo(mapping_inference.propose_mapping(file, excluded), nl=False)


@retail.command()
@click.argument("file", type=_FILE)
@click.option(
    "--mapping", "mapping_file", metavar="FILE", type=_FILE, help="Default: FILE.toml, if it exists."
)
@click.option("--follow", is_flag=True, help="Continue as FILE grows, from where it was left.")
@click.option(
    "--idle-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="With --follow: stop when FILE has not grown for so long.",
)
@click.option(
    "--poll-interval",
    metavar="SECONDS",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="With --follow: time between two looks at FILE.",
)
@click.option(
    "--max-rejects",
    metavar="PERCENT",
    default=MAX_REJECTS,
    show_default=True,
    type=click.FloatRange(0, 100),
    help="Stop if more lines in 100 cannot be read.",
)
@upload_options
def post(
    file: Path,
    config_dir: Path,
    mapping_file: Path | None,
    follow: bool,
    idle_timeout: float | None,
    poll_interval: float,
    max_rejects: float,
    dry_run: bool,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Turn a shop's orders into signals and send them.

    FILE is CSV, JSON lines or Parquet, and may be compressed (.gz, .zst). Sending it again is harmless. Exit
    codes are those of: sesame post.
    """
    from sesame_retail.upload import follow_file, upload_file
    from sesame_sdk import Client, PartnerConfig, SignalUploader, bulk_mode

    if follow and dry_run:
        raise ConfigurationError("cannot be combined", field="--follow, --dry-run", hint="use one of them")
    shop = PartnerConfig.load(config_dir)
    provider = Orders.from_mapping(
        mapping.load_mapping(mapping_file) if mapping_file else Orders().mapping_for(file),
        max_rejects=max_rejects,
    )
    with ExitStack() as stack:
        client = None if dry_run else stack.enter_context(Client.from_config(shop))
        rejected = stack.enter_context(open_rejects(file, rejects, append=follow))
        reject = (lambda _: None) if dry_run else rejected.write
        uploader = SignalUploader(client, reject=reject, kinds=provider.kinds)
        if follow:
            summary = follow_file(
                uploader,
                provider,
                file,
                shop,
                rejected,
                idle_timeout=idle_timeout,
                poll_interval=poll_interval,
            )
        else:
            stack.enter_context(bulk_mode())
            summary = upload_file(uploader, provider, file, shop.pseudonymizer)
    report_upload(summary, rejected, as_json=as_json)
