"""The report for the terminal: the verdict in words, then the data of the page's charts as tables.

Colour repeats what a word says. On an ASCII-only terminal, bars are ASCII too.
"""

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement as Width
from rich.table import Table
from rich.text import Text

from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.report.bar_charts import make_choices_table, make_group_table
from sesame_sdk.audit.report.model import PolicyChange, Report, ScoreDistribution, SimulationSummary
from sesame_sdk.audit.report.score_charts import format_median, make_transition_table
from sesame_sdk.audit.report.svg import Table as ChartTable
from sesame_sdk.audit.report.wording import (
    MINUS,
    NONE,
    VERDICT_WORDS,
    advice,
    describe_bounds,
    format_count,
    format_points,
    format_share,
    format_signed,
    headline,
    verdict_of,
)
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.score import Score
from sesame_sdk.text import html_text

STYLES = {
    Verdict.UNMEASURED: "dim",
    Verdict.CLEAN: "green",
    Verdict.WATCH: "cyan",
    Verdict.WARN: "bold yellow",
    Verdict.REFUSE: "bold red",
}
#: Bars of a distribution, at most; more bins are drawn together.
MAX_BARS = 20
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = ".:-=+*#@"


def render_text(report: Report) -> RenderableType:
    """Render the report for `rich.console.Console.print`; it fits 80 columns, and is plain in a pipe."""
    return Group(*_render_parts(report))


def _render_parts(report: Report) -> Iterator[RenderableType]:
    verdict = VERDICT_WORDS[report.verdict].upper()
    yield Text.assemble((verdict, STYLES[report.verdict]), " ", headline(report))
    yield Text(advice(report))
    yield Text(html_text(_facts(report)), style="dim")
    if report.findings:
        yield _render_findings(report.findings)
    if report.simulation:
        yield from _render_simulation(report.simulation)
    if report.change:
        yield from _render_change(report.change)


def _facts(report: Report) -> str:
    policy, simulation = report.policy, report.simulation
    name = f"{policy.name}, version {policy.version}, for {policy.context}" if policy else report.name
    if simulation is None:
        return name
    people, scored = format_count(simulation.people), format_count(simulation.scored)
    days, seed = format_count(simulation.days), simulation.seed
    return f"{name}; {people} simulated people, {scored} with a score, over {days} days, seed {seed}"


def _render_findings(findings: Sequence[Finding]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        verdict = verdict_of(finding.action)
        heading = _text(f"{finding.rule} {finding.about}", "bold")
        table.add_row()
        table.add_row(Text(VERDICT_WORDS[verdict], STYLES[verdict]), heading)
        table.add_row("reason", _text(finding.reason))
        table.add_row("hint", _text(finding.hint))
        table.add_row("source", _text(f"{finding.source} ({finding.dated.isoformat()})", "dim"))
    return table


def _render_simulation(simulation: SimulationSummary) -> Iterator[RenderableType]:
    metrics = map(_metric_row, simulation.metrics)
    yield _table("Metrics", ("metric", "title and bounds", "value", "verdict"), metrics, numbers=(2,))
    if not simulation.scored:
        yield Text("\nNo simulated person has a score.")
        return
    yield _render_distribution(simulation.distribution)
    yield _render_score(simulation.typical_score)
    rewards = (
        (reward.reason or reward.kind, format_signed(reward.mean_points), format_share(reward.share_affected))
        for reward in simulation.rewards
    )
    head = ("behaviour", "points on average", "people affected")
    yield _table("What the policy rewards", head, rewards, numbers=(1, 2))
    yield _render_table("Free choices", make_choices_table(simulation.choices))


def _render_distribution(distribution: ScoreDistribution) -> RenderableType:
    edges = distribution.edges
    scale = f"{format_points(edges[0])} to {format_points(edges[-1])}" if edges else ""
    rows = (
        (group, format_median(distribution.medians.get(group)), Sparkline(shares))
        for group, shares in distribution.shares.items()
    )
    return _table("Scores", ("group", "median", scale), rows, numbers=(1,))


def _render_score(score: Score) -> RenderableType:
    rows = (
        ("base", format_points(score.base)),
        *((part.reason, format_signed(part.points)) for part in score.contributions),
        (f"score, in band {score.band}", format_points(score.points)),
    )
    return _table("A typical score", ("reason", "points"), rows, numbers=(1,))


def _render_change(change: PolicyChange) -> Iterator[RenderableType]:
    old = change.old_policy
    yield _render_table(f"Compared with {old.name}, version {old.version}", make_group_table(change))
    yield _render_table("From old bands to new", make_transition_table(change))
    gained, lost, psi = format_count(change.gained_score), format_count(change.lost_score), change.psi
    yield Text(f"\n{gained} have a score only under the new policy, {lost} only under the old one.")
    yield Text(f"{psi.metric.title}: {psi.metric.format_value(psi.value)}, {VERDICT_WORDS[psi.verdict]}.")


def _metric_row(measured: Measurement) -> tuple[str | Text, ...]:
    metric, verdict = measured.metric, measured.verdict
    value = NONE if measured.value is None else metric.format_value(measured.value)
    title = Text.assemble(metric.title, "\n", (describe_bounds(metric), "dim"))
    return measured.id, title, value, Text(VERDICT_WORDS[verdict], STYLES[verdict])


def _text(text: str, style: str = "") -> Text:
    return Text(html_text(text).replace(MINUS, "-").replace(NONE, "-"), style=style, overflow="fold")


def _table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[RenderableType]], *, numbers: Sequence[int]
) -> RenderableType:
    table = Table(header_style="bold", box=box.SIMPLE_HEAD)
    for at, name in enumerate(head):
        table.add_column(_text(name), justify="right" if at in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) if isinstance(cell, str) else cell for cell in row))
    return Group(Text(""), _text(title, "bold"), table) if table.row_count else Group()


def _render_table(title: str, table: ChartTable) -> RenderableType:
    return _table(title, table.head, table.rows, numbers=range(table.text_columns, len(table.head)))


class Sparkline:
    """A distribution as one line of bars."""

    def __init__(self, shares: Sequence[float]) -> None:
        step = -(-len(shares) // MAX_BARS) or 1
        self.bins = [sum(shares[at : at + step]) for at in range(0, len(shares), step)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield Text(self.draw(_ASCII_BARS if options.ascii_only else _BARS), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Width:
        return Width(len(self.bins), len(self.bins))

    def draw(self, bars: str) -> str:
        """Draw the bars; an empty bin is a blank."""
        peak = max(self.bins, default=0.0)
        return "".join(bars[round(part / peak * (len(bars) - 1))] if part > 0 else " " for part in self.bins)
