"""The report as one HTML page: charts first, and their data in tables.

The page holds no script, loads nothing and says so in its Content-Security-Policy, so it can be mailed and
archived. The template engine escapes what a policy holds; control and bidi characters are removed.
"""

from collections.abc import Iterator
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement
from sesame_sdk.audit.report import bar_charts, score_charts, wording
from sesame_sdk.audit.report.model import PolicyChange, Report, SimulationSummary
from sesame_sdk.audit.report.svg import Figure
from sesame_sdk.text import html_text

#: No script, no font, no request; only an inline style.
SECURITY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def render_html(report: Report) -> str:
    """Render the report as one HTML document; without scores, the page says so and has no charts of them."""
    simulation, change = report.simulation, report.change
    template = _environment().get_template("page.html")
    return template.render(
        report=report,
        simulation=simulation,
        security=SECURITY,
        metrics=[(measured, bar_charts.draw_bullet(measured)) for measured in _worst_first(report)],
        figures=list(_draw_simulation(report, simulation)) if simulation else [],
        changes=list(_draw_change(change)) if change else [],
    )


def _draw_simulation(report: Report, simulation: SimulationSummary) -> Iterator[Figure]:
    if simulation.scored:
        if simulation.distribution.shares:
            bands = report.policy.bands if report.policy else ()
            yield score_charts.draw_distribution(simulation.distribution, bands)
        if simulation.exposure.ranks and simulation.exposure.shares:
            yield score_charts.draw_exposure(simulation.exposure)
        yield bar_charts.draw_typical_score(simulation.typical_score)
        if simulation.rewards:
            yield bar_charts.draw_rewards(simulation.rewards)
    for measured in simulation.metrics:
        if measured.id == "VOL-1" and any(row.value is not None for row in measured.rows):
            yield bar_charts.draw_falls(measured)
    if choices := [choice for choice in simulation.choices if choice.options]:
        yield bar_charts.draw_choices(choices)


def _draw_change(change: PolicyChange) -> Iterator[Figure]:
    if change.shares:
        yield score_charts.draw_gains(change)
    if change.band_transitions:
        yield score_charts.draw_band_transitions(change)
    if change.groups:
        yield bar_charts.draw_group_changes(change)


def _worst_first(report: Report) -> list[Measurement]:
    metrics = list(report.simulation.metrics) if report.simulation else []
    if report.change and all(measured.id != report.change.psi.id for measured in metrics):
        metrics.append(report.change.psi)
    return sorted(metrics, key=lambda measured: -measured.verdict.rank)


def _clean(value: object) -> object:
    return html_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    """Make the template environment when the first page is rendered."""
    environment = Environment(
        loader=PackageLoader("sesame_sdk.audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        points=wording.format_points, count=wording.format_count, day=wording.format_day
    )
    environment.globals["wording"] = wording
    return environment
