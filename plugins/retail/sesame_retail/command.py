"""``sesame retail``: post a shop's file, follow one that grows, propose a mapping."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from attrs import define, field

from sesame_retail import guess, mapping
from sesame_retail.opening import Source
from sesame_retail.orders import Order, Reject
from sesame_retail.provider import Orders
from sesame_retail.reading import Watch
from sesame_sdk import KeptBack, Retryable, Signal

if TYPE_CHECKING:
    from sesame_retail.follow import Follower
    from sesame_retail.summary import Summary
    from sesame_sdk import Client, Home

SHOWN = 10
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
    click.echo(guess.propose(file), nl=False)


@retail.command()
@click.argument("file", type=_FILE)
@click.option(
    "--as",
    "home",
    required=True,
    envvar="SESAME_HOME",
    type=click.Path(path_type=Path),
    help="The shop's folder, made by: sesame keys new.  [env: SESAME_HOME]",
)
@click.option("--map", "map_file", type=_FILE, help="How FILE is read; FILE.toml if that is there.")
@click.option("--follow", is_flag=True, help="Go on as FILE grows, from where it was left.")
@click.option(
    "--idle", type=click.FloatRange(min=0), help="With --follow: stop after so many seconds without news."
)
@click.option(
    "--every", default=1.0, show_default=True, type=click.FloatRange(min=0.01), help="Seconds between looks."
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
    from sesame_retail.summary import Summary
    from sesame_sdk import Client, Home

    shop = Home.load(home)
    provider = (
        Orders.mapped(mapping.load(map_file)) if map_file else Orders.mapped(Orders().mapping_for(file))
    )
    summary = Summary(provider, shop.identity)
    aside = Rejects(rejects or file.with_name(f"{file.name}.rejects"), writes=not dry_run)
    why = ""
    with aside:
        if dry_run:
            _try(provider, file, summary, aside.add, as_json=as_json)
        else:
            with Client.at(shop) as client:
                if follow:
                    why = _follow(client, shop, provider, file, summary, aside, idle=idle, every=every)
                else:
                    why = _post(client, provider, file, summary, aside.add)
    summary.rejects = aside.count
    summary.show(as_json=as_json, title=f"{summary.orders:,} orders, returns and corrections")
    if aside.count:
        where = "" if dry_run else f"; see {aside.path}"
        click.echo(f"{aside.count:,} line(s) could not be read{where}", err=True)
    if why:
        raise Retryable(
            f"some envelopes wait in the outbox: {why}", mend=f"sesame outbox deliver --as {home}"
        )


def _try(provider: Orders, file: Path, summary: "Summary", reject: Reject, *, as_json: bool) -> None:
    with _bar("reading") as (watch, moving):
        signals = summary.signals(moving(provider.read(file, reject=reject, watch=watch)))
        first = list(islice(signals, SHOWN))
        for _ in signals:
            pass
    for one in () if as_json else first:
        click.echo(f"{one.occurred_at:%Y-%m-%d %H:%M}  {one.kind}  {one.value:g}  of {one.subject}")


def _post(client: "Client", provider: Orders, file: Path, summary: "Summary", reject: Reject) -> str:
    from sesame_retail.sending import send

    with _bar("reading") as (watch, moving):
        return send(client, summary.signals(moving(provider.read(file, reject=reject, watch=watch))), summary)


def _follow(
    client: "Client",
    shop: "Home",
    provider: Orders,
    file: Path,
    summary: "Summary",
    aside: "Rejects",
    *,
    idle: float | None,
    every: float,
) -> str:
    from sesame_retail.book import NAME, Book
    from sesame_retail.follow import Follower

    book = Book(shop.path / NAME)
    follower = Follower(file, provider.mapping_for(file), book, aside.add)
    still, why = 0.0, ""
    try:
        while True:
            if advance(follower, client, summary, quiet=still >= 2 * every or (idle == 0)):
                why, still = _delivered(client, summary), 0.0
            elif idle is not None and still >= max(idle, 2 * every if idle else 0):
                return why
            else:
                time.sleep(every)
                still += every
    except KeyboardInterrupt:
        return _delivered(client, summary)
    finally:
        book.close()


def advance(follower: "Follower", client: "Client", summary: "Summary", *, quiet: bool) -> bool:
    """One step of a feed: into the outbox, then into the book. Whether there was one."""
    from sesame_retail.sending import deliver, keep

    step = follower.step(quiet=quiet)
    if step is None:
        return False
    for item in step.kept_back:
        summary.hold(item)
    signals: Iterator[Signal] = summary.signals(step.page.events)
    keep(client, signals, lambda: deliver(client, summary)[0])
    follower.done(step)
    return True


def _delivered(client: "Client", summary: "Summary") -> str:
    from sesame_retail.sending import deliver

    return deliver(client, summary)[1]


@define
class Rejects:
    """A file, for its owner alone, of lines that could not be read; made when there is one."""

    path: Path
    writes: bool
    count: int = 0
    _file: TextIO | None = None
    _closing: ExitStack = field(factory=ExitStack)

    def __enter__(self) -> "Rejects":
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def add(self, line: int, reason: str, text: str) -> None:
        """One line: its number, why, and itself."""
        self.count += 1
        if not self.writes:
            return
        if self._file is None:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            self._file = self._closing.enter_context(
                os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape")
            )
        self._file.write(f"{line}\t{reason}\t{text}\n")


Moving = Callable[[Iterator[Order | KeptBack]], Iterator[Order | KeptBack]]


@contextmanager
def _bar(what: str) -> Iterator[tuple[Watch, Moving]]:
    """A bar on stderr: bytes read of the file, rate and time left; then orders on their way."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)

        def watch(source: Source) -> Callable[[], None]:
            bar.update(task, total=source.size)
            return lambda: bar.update(task, completed=source.position())

        def moving(events: Iterator[Order | KeptBack]) -> Iterator[Order | KeptBack]:
            for count, event in enumerate(events):
                if not count % 1000:
                    bar.update(task, description=f"{count:,} orders")
                yield event

        yield watch, moving
