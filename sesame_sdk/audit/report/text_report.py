"""A report for the terminal: the verdict in words, then what the page shows in pictures, as tables.

Colour says nothing that a word does not. Where letters are ASCII only, bars are too.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement as Width
from rich.table import Table
from rich.text import Text

from sesame_sdk.audit.metrics.measurement import Measurement, Verdict
from sesame_sdk.audit.report.charts.scales import MINUS, NONE, count, points, share, signed
from sesame_sdk.audit.report.charts.wording import WORDS, advice, bounds, headline, verdict_of
from sesame_sdk.audit.report.model import Change, Report, Simulation, Spread
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
#: Bars of a spread, at most; more bins than that are taken together.
MOST_BARS = 20
_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = ".:-=+*#@"


def summary(report: Report) -> RenderableType:
    """The whole report for `rich.console.Console.print`; fits 80 columns, and is plain where piped."""
    return Group(*_parts(report))


def _parts(report: Report) -> Iterator[RenderableType]:
    yield Text.assemble((WORDS[report.verdict].upper(), STYLES[report.verdict]), " ", headline(report))
    yield Text(advice(report))
    yield Text(html_text(_facts(report)), style="dim")
    if report.findings:
        yield from _findings(report.findings)
    if report.simulation:
        yield from _of_simulation(report.simulation)
    if report.change:
        yield from _of_change(report.change)


def _facts(report: Report) -> str:
    policy, simulation = report.policy, report.simulation
    of = f"{policy.name}, version {policy.version}, for {policy.context}" if policy else report.name
    if simulation is None:
        return of
    people = f"{count(simulation.people)} simulated people, {count(simulation.scored)} with a score"
    return f"{of}; {people}, over {count(simulation.days)} days, seed {simulation.seed}"


def _findings(found: Sequence[Finding]) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in found:
        verdict = verdict_of(finding.action)
        table.add_row()
        table.add_row(Text(WORDS[verdict], STYLES[verdict]), _said(f"{finding.rule} {finding.about}", "bold"))
        table.add_row("because", _said(finding.reason))
        table.add_row("change", _said(finding.hint))
        table.add_row("source", _said(f"{finding.source} ({finding.dated.isoformat()})", "dim"))
    yield table


def _of_simulation(found: Simulation) -> Iterator[RenderableType]:
    yield _table("Metrics", ("metric", "is", "value", "verdict"), map(_metric, found.measured), (2,))
    if not found.scored:
        yield Text("\nNobody has a score.")
        return
    yield _spread(found.spread)
    yield _typical(found.typical)
    rewards = ((own.reason or own.kind, signed(own.mean), share(own.reached)) for own in found.rewards)
    yield _table("What it rewards", ("what people do", "points on average", "reached"), rewards, (1, 2))
    moved = (
        (option, choice.topic, share(before), share(after))
        for choice in found.choices
        for option, before, after in zip(choice.options, choice.before, choice.after, strict=True)
    )
    yield _table("Free choices", ("option", "choice", "before", "after"), moved, (2, 3))


def _spread(found: Spread) -> RenderableType:
    ends = f"{points(found.edges[0])} to {points(found.edges[-1])}" if found.edges else ""
    lines = (
        (group, _median(found.medians.get(group)), Spark(shares)) for group, shares in found.shares.items()
    )
    return _table("Scores", ("group", "median", ends), lines, (1,))


def _typical(found: Score) -> RenderableType:
    steps = ((part.reason, signed(part.points)) for part in found.contributions)
    last = (f"score, in band {found.band}", points(found.points))
    lines = (("to begin with", points(found.base)), *steps, last)
    return _table("A typical score", ("reason", "points"), lines, (1,))


def _of_change(found: Change) -> Iterator[RenderableType]:
    lines = (
        (name, count(own.people), share(own.fall), share(own.rise), signed(own.mean), points(own.worst))
        for name, own in found.groups.items()
    )
    head = ("group", "people", "fall", "rise", "mean", "worst fall")
    yield _table(f"Against {found.old.name}, version {found.old.version}", head, lines, (1, 2, 3, 4, 5))
    crossed = (
        (name, *map(share, parts)) for name, parts in zip(found.bands_before, found.crossings, strict=True)
    )
    columns = ("old band", *found.bands_after)
    yield _table("From old bands to new", columns, crossed, range(1, len(columns)))
    new, gone, psi = count(found.gained), count(found.lost), found.psi
    yield Text(f"\n{new} have a score only now, {gone} no longer.")
    yield Text(f"{psi.metric.title}: {psi.metric.show(psi.value)}, {WORDS[psi.verdict]}.")


def _metric(own: Measurement) -> tuple[str | Text, ...]:
    value = NONE if own.value is None else own.metric.show(own.value)
    is_ = Text.assemble(own.metric.title, "\n", (bounds(own.metric), "dim"))
    return own.id, is_, value, Text(WORDS[own.verdict], STYLES[own.verdict])


def _median(value: float | None) -> str:
    return NONE if value is None or not math.isfinite(value) else points(value)


def _said(words: str, style: str = "") -> Text:
    typed = html_text(words).replace(MINUS, "-").replace(NONE, "-")
    return Text(typed, style=style, overflow="fold")


def _table(
    title: str, head: Sequence[str], lines: Iterable[Sequence[RenderableType]], numbers: Sequence[int]
) -> RenderableType:
    table = Table(header_style="bold", box=box.SIMPLE_HEAD)
    for at, name in enumerate(head):
        table.add_column(_said(name), justify="right" if at in numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*(_said(cell) if isinstance(cell, str) else cell for cell in line))
    return Group(Text(""), _said(title, "bold"), table) if table.row_count else Group()


class Spark:
    """A spread as one line of bars."""

    def __init__(self, shares: Sequence[float]) -> None:
        step = -(-len(shares) // MOST_BARS) or 1
        self.bins = [sum(shares[at : at + step]) for at in range(0, len(shares), step)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield Text(self.drawn(_ASCII_BARS if options.ascii_only else _BARS), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Width:
        return Width(len(self.bins), len(self.bins))

    def drawn(self, bars: str) -> str:
        """The bars; a bin that holds nobody is a blank."""
        peak = max(self.bins, default=0.0)
        return "".join(bars[round(part / peak * (len(bars) - 1))] if part > 0 else " " for part in self.bins)
