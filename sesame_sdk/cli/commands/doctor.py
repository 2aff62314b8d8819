"""``sesame doctor`` checks for common faults; ``sesame plugins`` lists what is installed.

Rules:
- One cause fails one check: checks that depend on it are left out.
- Directories, the hub's response, the ledger, missing packages and required plugins can fail; anything else
  is a note, and does not change the exit code.
"""

import platform
import stat
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sesame_sdk.cli.console import print_rows
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import config_option, hub_option, json_option, open_client, open_hub
from sesame_sdk.errors import SesameError
from sesame_sdk.plugins import PluginRegistry, PluginState
from sesame_sdk.text import terminal_text

if TYPE_CHECKING:
    from sesame_sdk.hub.hub import Hub
    from sesame_sdk.partner.client import Client

#: What was checked, whether it is all right, and details.
Check = tuple[str, bool, str]
#: Signals of a hub that are compared with their observations; more take longer than a check should.
MAX_SIGNALS = 1_000_000
HUB_PACKAGES = ("litestar", "uvicorn", "sqlalchemy", "duckdb")


@click.command()
@config_option(required=False)
@hub_option(required=False)
@click.option("--plugin", "required", multiple=True, metavar="NAME", help="A plugin that must be active.")
@json_option
@click.pass_context
def doctor(
    ctx: click.Context,
    config_dir: Path | None,
    hub_dir: Path | None,
    required: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check this installation and suggest fixes.

    Exits with 2 if a check fails.
    """
    checks = list(_checks(registry(ctx), required, config_dir, hub_dir))
    rows = [{"check": name, "ok": passed, "detail": detail} for name, passed, detail in checks]
    print_rows(rows, as_json=as_json)
    if not all(passed for _, passed, _ in checks):
        # Not ctx.exit: `main` tells it apart from a command's return value only as an exception.
        sys.exit(2)


def _checks(
    plugins: PluginRegistry, required: tuple[str, ...], config_dir: Path | None, hub_dir: Path | None
) -> Iterator[Check]:
    yield "python", True, platform.python_version()
    yield "sesame-sdk", True, version("sesame-sdk")
    yield from _plugins(plugins, frozenset(required))
    if config_dir:
        yield from _partner(config_dir)
    if hub_dir:
        missing = list(_missing_packages())
        yield from missing or _hub(hub_dir)


def _plugins(plugins: PluginRegistry, required: frozenset[str]) -> Iterator[Check]:
    for info in plugins.infos:
        if info.state is PluginState.ACTIVE:
            yield f"plugin {info.name}", True, f"{info.state}, {info.version}"
        else:
            failed, detail = info.name in required, f"{info.state}: {info.reason}"
            yield f"plugin {info.name}", not failed, detail if failed else f"note: {detail}"
    for name in sorted(required - {info.name for info in plugins.infos}):
        yield f"plugin {name}", False, "not installed; see: sesame plugins"


def _partner(config_dir: Path) -> Iterator[Check]:
    try:
        with open_client(config_dir) as client:
            yield "partner directory", True, str(config_dir)
            yield from _outbox(client, config_dir)
            yield _rotation(client.pending_key, f"sesame keys rotate --config {config_dir}")
            yield from _hub_response(client)
    except SesameError as error:
        yield "partner directory", False, str(error)


def _outbox(client: "Client", config_dir: Path) -> Iterator[Check]:
    counts = client.counts()
    if counts.dead:
        yield "dead letters", False, f"{counts.dead}; see: sesame outbox list --config {config_dir}"
    pending = f"note: {counts.pending} pending; send them: sesame outbox deliver --config {config_dir}"
    yield "outbox", True, pending if counts.pending else f"nothing pending, {counts.sent} sent"


def _rotation(pending_key: str | None, command: str) -> Check:
    if pending_key is None:
        return "key rotation", True, "none pending"
    return "key rotation", True, f"note: {pending_key} is not in force yet; go on: {command}"


def _hub_response(client: "Client") -> Iterator[Check]:
    from sesame_sdk.partner.hub_clock import describe_clock, is_tolerable

    try:
        yield "hub response", True, f"publishes the {client.check_hub()} trusted key(s)"
    except SesameError as error:
        yield "hub response", False, str(error)
    else:
        yield _hub_issuer(client)
    if (ahead := client.clock_difference()) is not None:
        yield "clock", is_tolerable(ahead), describe_clock(ahead)


def _hub_issuer(client: "Client") -> Check:
    try:
        issuer = client.fetch_hub_issuer()
    except SesameError as error:
        return "hub issuer", False, str(error)
    if issuer == client.hub:
        return "hub issuer", True, issuer
    text = f"the hub is {terminal_text(issuer)}, and rejects what is for {client.hub}"
    return "hub issuer", False, f"{text}; set hub in partner.toml, then: sesame outbox redrive"


def _missing_packages() -> Iterator[Check]:
    for package in HUB_PACKAGES:
        try:
            version(package)
        except PackageNotFoundError:
            yield package, False, "missing: pip install 'sesame-sdk[hub]'"


def _hub(hub_dir: Path) -> Iterator[Check]:
    from sesame_sdk.hub import own_keys

    if hub_dir.is_dir() and hub_dir.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield "hub directory", False, f"other users can read it (chmod 700 {hub_dir})"
        return
    try:
        with open_hub(hub_dir) as hub:  # which refuses a key that others can read
            yield "hub directory", True, f"{hub_dir}, readable by its owner only"
            pending_key = own_keys.pending_key(hub.settings)
            yield _rotation(pending_key, f"sesame hub keys rotate --hub {hub_dir}")
            yield from _hub_records(hub)
    except SesameError as error:
        yield "hub directory", False, str(error)


def _hub_records(hub: "Hub") -> Iterator[Check]:
    partners, policies = len(hub.list_partners()), len(hub.list_policies())
    yield "partners", True, str(partners) if partners else "note: none; add one: sesame partners add"
    no_policy = "note: none, so there are no scores; load one: sesame policy load"
    yield "policies", True, str(policies) if policies else no_policy
    yield _kind_usage(hub)
    differences = hub.check_ledger().differences
    detail = (
        f"{differences[0].reason}; {len(differences)} in all; see: sesame hub verify" if differences else ""
    )
    yield "ledger", not differences, detail or "no envelope is missing; for signatures: sesame hub verify"


def _kind_usage(hub: "Hub") -> Check:
    see = "see: sesame observations usage"
    if hub.has_more_signals(MAX_SIGNALS):
        return "kinds", True, f"note: more than {MAX_SIGNALS:,} signals, not compared here; {see}"
    unusual = [usage for usage in hub.list_kind_usage() if usage.remarks]
    if not unusual:
        return "kinds", True, "what partners send fits the observations"
    first = f"{unusual[0].kind}: {unusual[0].remarks[0]}"
    return "kinds", True, f"note: {len(unusual)} do not fit their observation, first {first}; {see}"


@click.command()
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List installed plugins and their state."""
    rows = [
        {
            "name": info.name,
            "version": info.version,
            "api": info.api,
            "kinds": tuple(kind.name for kind in info.kinds),
            "purposes": tuple(consumer.purpose for consumer in info.consumers),
            "state": str(info.state),
            "reason": info.reason or None,
        }
        for info in registry(ctx).infos
    ]
    print_rows(rows, as_json=as_json, empty="no plugins installed; try: pip install sesame-retail")
