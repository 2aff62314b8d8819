"""``sesame retail``: post a shop's file, follow one that grows, propose a mapping."""

from pathlib import Path

import click

from sesame_retail.files import mapping, mapping_inference
from sesame_retail.provider import Orders
from sesame_sdk import ConfigurationError, RetryableError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def retail() -> None:
    """A shop's orders: post a file, follow one that grows, propose a mapping."""


@retail.command(name="map")
@click.argument("file", type=_FILE)
def propose(file: Path) -> None:
    """Propose how FILE is to be read, as TOML on stdout.

    Put it beside the file, as FILE.toml, or name it with --map.
    """
    click.echo(mapping_inference.propose(file), nl=False)


@retail.command()
@click.argument("file", type=_FILE)
@click.option(
    "--config",
    "home",
    required=True,
    envvar="SESAME_CONFIG",
    type=click.Path(path_type=Path),
    help="The shop's folder, made by: sesame keys new.  [env: SESAME_CONFIG]",
)
@click.option("--map", "map_file", type=_FILE, help="How FILE is read; FILE.toml if that is there.")
@click.option("--follow", is_flag=True, help="Go on as FILE grows, from where it was left.")
@click.option(
    "--idle", type=click.FloatRange(min=0), help="With --follow: stop after so many seconds without news."
)
@click.option(
    "--every",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0.01),
    help="With --follow: seconds between looks.",
)
@click.option("--dry-run", is_flag=True, help="Show ten signals and the summary; send nothing, keep nothing.")
@click.option(
    "--rejects",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where lines go that cannot be read, with the reason; FILE.rejects unless said.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def post(
    file: Path,
    home: Path,
    map_file: Path | None,
    follow: bool,
    idle: float | None,
    every: float,
    dry_run: bool,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Turn a shop's orders into signals and send them.

    FILE is CSV, JSON lines or Parquet, and may be packed (.gz, .zst). Sending it again is harmless.
    """
    from sesame_retail.rejects import Rejects
    from sesame_retail.summary import Summary, show_signals
    from sesame_retail.upload import Job
    from sesame_sdk import Client, PartnerConfig

    if follow and dry_run:
        raise ConfigurationError("do not go together", field="--follow, --dry-run", hint="leave one out")
    shop = PartnerConfig.load(home)
    provider = Orders.mapped(mapping.load(map_file) if map_file else Orders().mapping_for(file))
    summary, why = Summary(provider, shop.identity), ""
    aside = Rejects(rejects or file.with_name(f"{file.name}.rejects"), writes=not dry_run)
    job = Job(provider, file, summary, aside)
    with aside:
        if dry_run:
            first = job.try_out()
            if not as_json:
                show_signals(first)
        else:
            with Client.from_config(shop) as client:
                why = job.follow(client, shop, idle=idle, every=every) if follow else job.post(client)
                summary.waiting = client.counts().pending
    summary.rejects = aside.count
    summary.show(as_json=as_json, title=_title(summary.orders, dry_run=dry_run))
    if aside.count:
        where = "" if dry_run else f"; see {aside.path}"
        click.echo(f"{aside.count:,} line(s) could not be read{where}", err=True)
    if why:
        raise RetryableError(
            f"some envelopes wait in the outbox: {why}", hint=f"sesame outbox deliver --config {home}"
        )


def _title(orders: int, *, dry_run: bool) -> str:
    return f"{orders:,} orders, returns and corrections{'; nothing was sent' if dry_run else ''}"
