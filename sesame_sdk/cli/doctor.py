"""``sesame doctor``: looks at everything that usually goes wrong, and says how to mend it."""

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from sesame_sdk.cli.console import as_json, show
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import client_of, hub_at
from sesame_sdk.errors import SesameError
from sesame_sdk.plugins import PluginRegistry, State

Check = tuple[str, bool, str]
HUB_NEEDS = ("litestar", "uvicorn", "sqlalchemy", "duckdb")


@click.command()
@click.option(
    "--as", "home", envvar="SESAME_HOME", type=click.Path(path_type=Path), help="A partner's folder."
)
@click.option(
    "--hub", "hub_path", envvar="SESAME_HUB", type=click.Path(path_type=Path), help="A hub's folder."
)
@as_json
@click.pass_context
def doctor(ctx: click.Context, home: Path | None, hub_path: Path | None, as_json: bool) -> None:
    """Look for what is wrong with this set-up, and say how to mend it. Exit code 2 if anything is."""
    found = list(_checks(registry(ctx), home, hub_path))
    show([{"check": what, "ok": good, "detail": detail} for what, good, detail in found], as_json=as_json)
    if not all(good for _, good, _ in found):
        # Not ctx.exit: `main` tells that apart from what a command returns only if it is an exception.
        sys.exit(2)


def _checks(plugins: PluginRegistry, home: Path | None, hub_path: Path | None) -> Iterator[Check]:
    yield "python", True, platform.python_version()
    yield "sesame-sdk", True, version("sesame-sdk")
    for info in plugins.infos:
        good = info.state in (State.ACTIVE, State.BLOCKED)
        yield f"plugin {info.name}", good, info.why or f"{info.state}, {info.version}"
    if home:
        yield _try("partner's folder", lambda: _look_at_home(home))
        yield _try("hub's answer", lambda: _ask_hub(home))
    if hub_path:
        yield from _hub_packages()
        yield _try("hub's folder", lambda: _look_at_hub(hub_path))


def _try(what: str, look: Callable[[], str]) -> Check:
    try:
        return what, True, look()
    except SesameError as error:
        return what, False, str(error)


def _look_at_home(home: Path) -> str:
    with client_of(home) as client:
        counts = client.counts()
    return f"{counts.pending} waiting, {counts.dead} dead, {counts.sent} sent"


def _ask_hub(home: Path) -> str:
    with client_of(home) as client:
        return f"answers with the {client.check_hub()} key(s) that we know"


def _hub_packages() -> Iterator[Check]:
    for package in HUB_NEEDS:
        try:
            yield package, True, version(package)
        except PackageNotFoundError:
            yield package, False, "missing: pip install 'sesame-sdk[hub]'"


def _look_at_hub(hub_path: Path) -> str:
    with hub_at(hub_path) as hub:
        return f"{len(hub.partners())} partner(s), {len(hub.policies())} policy(ies)"
