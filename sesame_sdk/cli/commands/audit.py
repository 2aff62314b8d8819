"""``sesame audit``: what a policy would do to people, before it does it."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve
from rich.console import Console

from sesame_sdk.cli.console import as_json, emit, progress
from sesame_sdk.cli.main import registry
from sesame_sdk.errors import ConfigurationError, GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.scoring.policy_file.loader import load_policy

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sesame_sdk.audit.report.model import Report
    from sesame_sdk.audit.simulation.population import Population

REFUSED, WARNED = 3, 1
#: For pipes: wider than any line, so that grep and less see whole ones.
ENDLESS = 100_000

a_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("policy", type=a_file)
@click.option("--against", type=a_file, help="An older policy: tell what the change does to whom.")
@click.option("--population", type=a_file, help="Whom to play it with, in TOML.")
@click.option("--people", type=int, help="How many people to simulate.")
@click.option("--seed", type=int, help="The same seed makes the same people.")
@click.option("--days", type=int, help="How long to watch them.")
@click.option("--strict", is_flag=True, help="End with exit code 1 where there are warnings.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page here.")
@as_json
@click.pass_context
def audit(
    ctx: click.Context,
    policy: Path,
    against: Path | None,
    population: Path | None,
    people: int | None,
    seed: int | None,
    days: int | None,
    strict: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Judge POLICY, play it with simulated people, and measure what it does to them.

    Ends with exit code 3 where anything refuses, and with 1 where --strict meets a warning. What the guard
    refuses is not played. The groups are made up: nobody's real group is known or used.
    """
    _check_extra()
    typed = {"people": people, "seed": seed, "days": days}
    report = _audited(policy, against, _population(population, typed), Guard(registry(ctx).rules))
    if html:
        _write(html, report)
    _show(report, as_json=as_json)
    # Not ctx.exit: `main` tells that apart from what a command returns only if it is an exception.
    if report.refused:
        sys.exit(REFUSED)
    if strict and report.findings:
        sys.exit(WARNED)


def _check_extra() -> None:
    for name in ("duckdb", "jinja2", "numpy"):
        try:
            import_module(name)
        except ImportError as error:
            hint = "pip install sesame-sdk[audit]"
            raise ConfigurationError(f"{name} is not installed", field="sesame audit", hint=hint) from error


def _population(file: Path | None, numbers: dict[str, int | None]) -> "Population":
    """The population of the file, or the default one; what is typed counts more than what is written."""
    from sesame_sdk.audit.simulation.population import Population
    from sesame_sdk.audit.simulation.population_file import load_population

    chosen = load_population(file) if file else Population()
    given: dict[str, Any] = {key: number for key, number in numbers.items() if number is not None}
    return evolve(chosen, **given)


def _audited(policy: Path, against: Path | None, population: "Population", guard: Guard) -> "Report":
    from sesame_sdk.audit.audit import audit, report_refusal

    try:
        loaded = load_policy(policy, guard)
    except GuardRefusedError as error:
        return report_refusal(str(policy), error)
    old = load_policy(against, guard) if against else None
    with progress("people", population.people) as advance:
        done = 0

        def on(people: int, _total: int) -> None:
            nonlocal done
            advance(people - done)
            done = people

        return audit(loaded, population, name=str(policy), against=old, guard=guard, progress=on)


def _show(report: "Report", *, as_json: bool) -> None:
    from sesame_sdk.audit.report.json_report import build_json
    from sesame_sdk.audit.report.text_report import render_text

    if as_json:
        emit(build_json(report))
    else:
        _print(render_text(report))


def _print(shown: "RenderableType") -> None:
    """On stdout; a pipe gets whole lines, unless COLUMNS asks for a width."""
    narrow = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal()
    console = Console(highlight=False, width=None if narrow else ENDLESS)
    with console.capture() as captured:
        console.print(shown)
    sys.stdout.write("".join(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines()))


def _write(path: Path, report: "Report") -> None:
    from sesame_sdk.audit.report.html_report import render_html

    path.write_text(render_html(report), encoding="utf-8")
