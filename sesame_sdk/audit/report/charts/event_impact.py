"""Charts of incentives: the largest fall from one event, and how people adapt their free choices."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement, Row
from sesame_sdk.audit.report.charts.bar_rows import (
    MIDDLE,
    BarRow,
    bar_scale,
    draw_bar,
    draw_bar_rows,
    draw_bound,
    rows_height,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table, make_figure
from sesame_sdk.audit.report.charts.scales import Scale, format_share, quote
from sesame_sdk.audit.report.charts.svg import diamond, element, join, line
from sesame_sdk.audit.simulation.adaptation import FreeChoice


def draw_falls(measured: Measurement) -> Figure:
    """Draw the largest fall from one event of each kind, against the bound."""
    values = [row.value for row in measured.rows if row.value is not None]
    limit = measured.metric.thresholds[0].bound
    scale = bar_scale([0.0, limit * 1.5, *filter(math.isfinite, values)])
    rows = [_fall_row(measured, row, scale) for row in measured.rows if row.value is not None]
    bound = draw_bound(scale, limit, len(rows), f"bound {format_share(limit)}")
    return make_figure(
        "falls",
        "Largest fall from one event",
        _summarize_falls(measured),
        "As a share of the policy's range. Striped bars are past the bound.",
        rows_height(len(rows)),
        (bound, draw_bar_rows(rows, scale, format_share)),
        Table(
            f"Largest fall from one event; bound {format_share(limit)}",
            (measured.metric.row_noun, "share of the range"),
            tuple((row.label, row.value) for row in rows),
        ),
    )


def _fall_row(measured: Measurement, row: Row, scale: Scale) -> BarRow:
    past = measured.metric.worst_threshold(row.value) is not None
    value = format_share(row.value) + (", past the bound" if past else "")
    return BarRow(row.label, value, draw_bar(scale, 0, row.value or 0.0, "falls", striped=past))


def _summarize_falls(measured: Measurement) -> str:
    worst = measured.worst_row
    if worst is None or worst.value is None:
        return "No kind can lower a score."
    limit = format_share(measured.metric.thresholds[0].bound)
    side = "past" if measured.metric.worst_threshold(worst.value) else "within"
    share = format_share(worst.value)
    return (
        f"One event takes at most {share} of the range ({quote(worst.label)}), {side} the bound of {limit}."
    )


def draw_choices(choices: Sequence[FreeChoice]) -> Figure:
    """Draw each option of each free choice, before and after people adapt to the policy."""
    scale = bar_scale([0.0, *(share for choice in choices for share in (*choice.before, *choice.after))])
    rows: list[BarRow] = []
    for choice in choices:
        options = list(zip(choice.options, choice.before, choice.after, strict=True))
        shown = [(name, format_share(before), format_share(after)) for name, before, after in options]
        shifts = [_draw_shift(scale, before, after) for _, before, after in options]
        unchanged = all(before == after for _, before, after in shown)
        merged = join(shifts) if unchanged else Markup()
        rows.append(BarRow(choice.topic, "unchanged" if unchanged else "", merged, strong=True))
        if not unchanged:
            rows += [
                BarRow(name, f"{before} \N{RIGHTWARDS ARROW} {after}", shift)
                for (name, before, after), shift in zip(shown, shifts, strict=True)
            ]
    return make_figure(
        "choices",
        "Free choices",
        _summarize_choices(choices),
        "The ring is the share of people who choose the option before they know the policy, "
        "the diamond after they adapt to it. A choice that does not change has one row.",
        rows_height(len(rows)),
        (draw_bar_rows(rows, scale, format_share),),
        make_choices_table(choices),
    )


def make_choices_table(choices: Sequence[FreeChoice]) -> Table:
    """Make the table of free choices before and after people adapt."""
    rows = tuple(
        (option, choice.topic, format_share(before), format_share(after))
        for choice in choices
        for option, before, after in zip(choice.options, choice.before, choice.after, strict=True)
    )
    return Table(
        "Free choices before and after", ("option", "choice", "before", "after"), rows, text_columns=2
    )


def _draw_shift(scale: Scale, before: float, after: float) -> Markup:
    ring = element("circle", cx=scale(before), cy=MIDDLE, r=6.0, class_="ring")
    shift = line(scale(before), MIDDLE, scale(after), MIDDLE, "moved")
    return shift + ring + diamond(scale(after), MIDDLE, 4.5, "mark")


def _summarize_choices(choices: Sequence[FreeChoice]) -> str:
    _, name, topic, before, after = max(
        (
            (abs(after - before), name, choice.topic, format_share(before), format_share(after))
            for choice in choices
            for name, before, after in zip(choice.options, choice.before, choice.after, strict=True)
        ),
        key=lambda shift: shift[0],
    )
    if before == after:
        return "The policy does not change what people choose."
    return f"The largest change is {quote(name)}, from {before} to {after} of people, in {quote(topic)}."
