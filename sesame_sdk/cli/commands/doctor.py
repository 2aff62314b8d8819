"""``sesame doctor``: looks at everything that usually goes wrong, and says how to mend it.

Rules:
- One cause makes one red row: what cannot be looked at because of it is left out.
- Red are a folder, the hub's answer, a missing package, and a plugin that was asked about. All else that
  is worth a look is a note, and does not change the exit code.
"""

import platform
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk.cli.console import as_json, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import client_of, hub_at
from sesame_sdk.errors import SesameError
from sesame_sdk.plugins import PluginRegistry, PluginState

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub
    from sesame_sdk.partner.client import Client

Check = tuple[str, bool, str]
HUB_NEEDS = ("litestar", "uvicorn", "sqlalchemy", "duckdb")


@click.command()
@click.option(
    "--as", "home", envvar="SESAME_HOME", type=click.Path(path_type=Path), help="A partner's folder."
)
@click.option(
    "--hub", "hub_path", envvar="SESAME_HUB", type=click.Path(path_type=Path), help="A hub's folder."
)
@click.option("--plugin", "asked", multiple=True, metavar="NAME", help="A plugin that must be in use.")
@as_json
@click.pass_context
def doctor(
    ctx: click.Context, home: Path | None, hub_path: Path | None, asked: tuple[str, ...], as_json: bool
) -> None:
    """Look for what is wrong with this set-up, and say how to mend it. Exit code 2 if anything is."""
    found = list(_checks(registry(ctx), asked, home, hub_path))
    show([{"check": what, "ok": good, "detail": detail} for what, good, detail in found], as_json=as_json)
    if not all(good for _, good, _ in found):
        # Not ctx.exit: `main` tells that apart from what a command returns only if it is an exception.
        sys.exit(2)


def _checks(
    plugins: PluginRegistry, asked: tuple[str, ...], home: Path | None, hub_path: Path | None
) -> Iterator[Check]:
    yield "python", True, platform.python_version()
    yield "sesame-sdk", True, version("sesame-sdk")
    yield from _plugins(plugins, frozenset(asked))
    if home:
        yield from _partner(home)
    if hub_path:
        missing = list(_missing_packages())
        yield from missing or _hub(hub_path)


def _plugins(plugins: PluginRegistry, asked: frozenset[str]) -> Iterator[Check]:
    for info in plugins.infos:
        if info.state is PluginState.ACTIVE:
            yield f"plugin {info.name}", True, f"{info.state}, {info.version}"
        else:
            wanted = info.name in asked
            why = f"{info.state}: {info.why}"
            yield f"plugin {info.name}", not wanted, why if wanted else f"note: {why}"
    for name in sorted(asked - {info.name for info in plugins.infos}):
        yield f"plugin {name}", False, "is not installed; see: sesame plugins"


def _partner(home: Path) -> Iterator[Check]:
    try:
        with client_of(home) as client:
            yield "partner's folder", True, str(home)
            yield from _outbox(client, home)
            yield _hubs_answer(client)
    except SesameError as error:
        yield "partner's folder", False, str(error)


def _outbox(client: "Client", home: Path) -> Iterator[Check]:
    counts = client.counts()
    if counts.dead:
        yield "dead letters", False, f"{counts.dead}; look at: sesame outbox list --as {home}"
    waiting = f"note: {counts.pending} waiting; to send: sesame outbox deliver --as {home}"
    yield "outbox", True, waiting if counts.pending else f"nothing waits, {counts.sent} sent"


def _hubs_answer(client: "Client") -> Check:
    try:
        return "hub's answer", True, f"answers with the {client.check_hub()} key(s) that we know"
    except SesameError as error:
        return "hub's answer", False, str(error)


def _missing_packages() -> Iterator[Check]:
    for package in HUB_NEEDS:
        try:
            version(package)
        except PackageNotFoundError:
            yield package, False, "missing: pip install 'sesame-sdk[hub]'"


def _hub(hub_path: Path) -> Iterator[Check]:
    if hub_path.is_dir() and hub_path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield "hub's folder", False, f"is open to others (chmod 700 {hub_path})"
        return
    try:
        with hub_at(hub_path) as hub:  # which refuses a key that is open to others
            yield "hub's folder", True, f"{hub_path}, for its owner alone"
            yield from _hubs_records(hub)
    except SesameError as error:
        yield "hub's folder", False, str(error)


def _hubs_records(hub: "Hub") -> Iterator[Check]:
    partners, policies = len(hub.partners()), len(hub.policies())
    yield "partners", True, str(partners) if partners else "note: none; admit one: sesame partners add"
    no_policy = "note: none, so nobody has a score; load one: sesame policy load"
    yield "policies", True, str(policies) if policies else no_policy
