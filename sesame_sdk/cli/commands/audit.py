"""``sesame audit``: simulate a policy, and measure its effects on people, before it is loaded."""

import sys
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve
from rich.console import Console

from sesame_sdk.cli.console import print_json, progress_bar
from sesame_sdk.cli.main import registry
from sesame_sdk.cli.options import DIRECTORY, INPUT_FILE, OUTPUT_FILE, json_option, open_hub, require_extra
from sesame_sdk.cli.tables import has_width
from sesame_sdk.errors import GuardRefusedError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.scoring.policy_file import load_policy

if TYPE_CHECKING:
    from sesame_sdk.audit.report.model import Report
    from sesame_sdk.audit.simulation.population import Population
    from sesame_sdk.hub.hub import Hub

REFUSED = 3
#: Columns of a report in a pipe.
MAX_PIPE_WIDTH = 120


@click.command()
@click.argument("policy", type=INPUT_FILE)
@click.option("--baseline", type=INPUT_FILE, metavar="FILE", help="An older policy to compare with.")
@click.option("--population", type=INPUT_FILE, metavar="FILE", help="The simulated population, in TOML.")
@click.option("--people", type=int, help="The number of people to simulate.")
@click.option("--seed", type=int, help="The seed of the random numbers.")
@click.option("--days", type=int, help="The number of days to simulate.")
@click.option("--hub", "hub_dir", type=DIRECTORY, metavar="DIR", help="Also judge what its partners send.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings too.")
@click.option("--html", type=OUTPUT_FILE, metavar="FILE", help="Also write an HTML page.")
@json_option
@click.pass_context
def audit(
    ctx: click.Context,
    policy: Path,
    baseline: Path | None,
    population: Path | None,
    people: int | None,
    seed: int | None,
    days: int | None,
    hub_dir: Path | None,
    strict: bool,
    html: Path | None,
    as_json: bool,
) -> None:
    """Simulate a policy and measure its effects.

    Exits with 3 if a check refuses the policy, with --strict also if one warns. What the guard refuses is not
    simulated. The groups are made up: nobody's real group is known or used. With --hub, the report also says
    where partners of this hub send what does not fit an observation.
    """
    with require_extra("audit"):
        for name in ("duckdb", "jinja2", "numpy"):
            import_module(name)
    options = {"people": people, "seed": seed, "days": days}
    rules = registry(ctx).rules
    with _open_hub(hub_dir, rules) as hub:
        guard = hub.approved_guard() if hub else Guard(rules)
        report = _audit(policy, baseline, _population(population, options), guard, hub)
    if html:
        from sesame_sdk.audit.report.html_report import render_html

        html.write_text(render_html(report), encoding="utf-8")
    _print(report, as_json=as_json)
    # Not ctx.exit: `main` tells it apart from a command's return value only as an exception.
    if report.refused or (strict and report.findings):
        sys.exit(REFUSED)


def _population(file: Path | None, options: dict[str, int | None]) -> "Population":
    """The population of the file, or the default one, changed by the options."""
    from sesame_sdk.audit.simulation.population import Population, load_population

    population = load_population(file) if file else Population()
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return evolve(population, **given)


def _open_hub(hub_dir: Path | None, rules: tuple[GuardRule, ...]) -> AbstractContextManager["Hub | None"]:
    return open_hub(hub_dir, rules=rules) if hub_dir else nullcontext()


def _audit(
    policy: Path, baseline: Path | None, population: "Population", guard: Guard, hub: "Hub | None"
) -> "Report":
    from sesame_sdk.audit.audit import audit, report_refusal

    try:
        loaded = load_policy(policy, guard)
    except GuardRefusedError as error:
        return report_refusal(str(policy), error)
    old = load_policy(baseline, guard) if baseline else None
    observed: tuple[Finding, ...] = ()
    if hub:
        from sesame_sdk.hub.partners.kind_usage import usage_findings

        observed = usage_findings(hub.list_kind_usage(), loaded)
    with progress_bar("people simulated", population.people) as bar:
        done = 0

        def advance(people: int, _total: int) -> None:
            nonlocal done
            bar(people - done)
            done = people

        given: dict[str, Any] = {"baseline": old, "guard": guard, "progress": advance, "observed": observed}
        return audit(loaded, population, file_name=str(policy), **given)


def _print(report: "Report", *, as_json: bool) -> None:
    from sesame_sdk.audit.report.json_report import build_json
    from sesame_sdk.audit.report.text_report import render_text

    if as_json:
        print_json(build_json(report))
        return
    console = Console(highlight=False, width=None if has_width(sys.stdout) else MAX_PIPE_WIDTH)
    with console.capture() as capture:
        console.print(render_text(report))
    sys.stdout.write("".join(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines()))
