"""A report as one page of HTML that anybody can open: pictures first, and the same in tables.

The page holds no script, loads nothing and says so in its Content-Security-Policy, so it can be mailed
and kept. Whatever a policy holds is escaped by the template engine; control and bidi characters go.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sesame_sdk.audit.report.charts import (
    distribution,
    event_impact,
    exposure,
    policy_change,
    rewards,
    scales,
    wording,
)
from sesame_sdk.audit.report.charts.bullet import bullet
from sesame_sdk.audit.report.charts.figure import Figure
from sesame_sdk.audit.report.model import Change, Report, Simulation
from sesame_sdk.text import html_text

#: No code, no font, no request; a style of its own.
SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render_page(report: Report) -> str:
    """The whole report as one HTML document.

    Whatever is missing is said in words: where nobody has a score, or the guard refused, there is no
    picture of it. Encode it as UTF-8.
    """
    simulation = report.simulation
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            simulation=simulation,
            security=SECURITY,
            bullets=[bullet(measured) for measured in _measured(report)],
            figures=list(_of_simulation(report, simulation)) if simulation else [],
            changes=list(_of_change(report.change)) if report.change else [],
        )
    )


def _of_simulation(report: Report, found: Simulation) -> Iterator[Figure]:
    if found.scored:
        if found.spread.shares:
            yield distribution.spread(found.spread, report.policy.bands if report.policy else ())
        if found.curve.ranks and found.curve.shares:
            yield exposure.curve(found.curve)
        yield distribution.typical(found.typical)
        if found.rewards:
            yield rewards.rewards(found.rewards)
    for measured in found.measured:
        if measured.id == "VOL-1" and any(row.value is not None for row in measured.rows):
            yield event_impact.falls(measured)
    if any(choice.options for choice in found.choices):
        yield event_impact.choices([choice for choice in found.choices if choice.options])


def _of_change(found: Change) -> Iterator[Figure]:
    if found.shares:
        yield policy_change.gains(found)
    if found.crossings:
        yield policy_change.crossings(found)
    if found.groups:
        yield policy_change.groups(found)


def _measured(report: Report) -> list[Any]:
    listed = list(report.simulation.measured) if report.simulation else []
    if report.change and all(measured.id != report.change.psi.id for measured in listed):
        listed.append(report.change.psi)
    return sorted(listed, key=lambda measured: -measured.verdict.rank)


def _shown(value: object) -> object:
    return value if isinstance(value, Markup) or not isinstance(value, str) else html_text(value)


@cache
def _environment() -> Environment:
    """Made at the first page: what nobody prints costs nothing."""
    made = Environment(
        loader=PackageLoader("sesame_sdk.audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(points=scales.points, count=scales.count, day=scales.day)
    made.globals.update(
        title=wording.title,
        headline=wording.headline,
        advice=wording.advice,
        bounds=wording.bounds,
        verdict_of=wording.verdict_of,
        words=wording.WORDS,
        signs=wording.SIGNS,
    )
    return made
