"""What one event takes, and what people stop choosing because of a policy."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement, Row
from sesame_sdk.audit.report.charts.bar_rows import MIDDLE, THICK, TOP, Lane, across, bound, height, lanes
from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import Scale, quoted, share
from sesame_sdk.audit.report.charts.svg import bar, diamond, el, frame, hatched, join, line
from sesame_sdk.audit.report.model import Choices


def falls(found: Measurement) -> Figure:
    """The largest fall from one event of each kind, against the bound."""
    rows = [row for row in found.rows if row.value is not None]
    limit = found.metric.thresholds[0].bound
    scale = across(
        [0.0, limit * 1.5, *(row.value for row in rows if row.value is not None and math.isfinite(row.value))]
    )
    drawn = [Lane(row.label, _fall_said(found, row), _fall(found, row, scale)) for row in rows]
    title, says = "What one event can take", _said_of_falls(found)
    marked = bound(scale, limit, len(rows), f"bound {share(limit)}")
    return Figure(
        id="falls",
        title=title,
        says=says,
        key="As a share of the range of the policy. Striped bars are past the bound.",
        picture=frame("falls", title, says, height(len(rows)), marked, lanes(drawn, scale, share)),
        table=Table(
            f"Largest fall from one event; bound {share(limit)}",
            (found.metric.rows, "share of the range"),
            tuple((lane.label, lane.value) for lane in drawn),
        ),
    )


def _fall(found: Measurement, row: Row, scale: Scale) -> Markup:
    past = found.metric.worst(row.value) is not None
    return bar(
        scale(0),
        scale(row.value or 0.0),
        TOP,
        THICK,
        "down" if past else "up",
        hatched("falls") if past else None,
    )


def _fall_said(found: Measurement, row: Row) -> str:
    return share(row.value) + (", past it" if found.metric.worst(row.value) else "")


def _said_of_falls(found: Measurement) -> str:
    worst = found.worst_row
    if worst is None or worst.value is None:
        return "No kind can take points."
    limit = share(found.metric.thresholds[0].bound)
    side = "past" if found.metric.worst(worst.value) else "within"
    most = f"One event takes at most {share(worst.value)} of the range"
    return f"{most}, by {quoted(worst.label)}: {side} the bound of {limit}."


def choices(found: Sequence[Choices]) -> Figure:
    """Each option of each free choice, before and after people adapt to the policy."""
    options = [
        option for choice in found for option in zip(choice.options, choice.before, choice.after, strict=True)
    ]
    scale = across([0.0, *(value for _, before, after in options for value in (before, after))])
    rows: list[Lane] = []
    for choice in found:
        moved = [
            Lane(name, f"{share(before)} \N{RIGHTWARDS ARROW} {share(after)}", _moved(scale, before, after))
            for name, before, after in zip(choice.options, choice.before, choice.after, strict=True)
        ]
        stays = list(map(share, choice.before)) == list(map(share, choice.after))
        all_ = join(lane.shapes for lane in moved) if stays else Markup()
        rows.append(Lane(choice.topic, "unchanged" if stays else "", all_, strong=True))
        rows += [] if stays else moved
    title, says = "What people stop choosing", _said_of_choices(found)
    cells = tuple(
        (name, choice.topic, share(before), share(after))
        for choice in found
        for name, before, after in zip(choice.options, choice.before, choice.after, strict=True)
    )
    return Figure(
        id="choices",
        title=title,
        says=says,
        key="The ring is the share of people who choose it before they know the policy, "
        "the diamond after they adapt to it. A choice that stays as it was is one line.",
        picture=frame("choices", title, says, height(len(rows)), lanes(rows, scale, share)),
        table=Table("Free choices before and after", ("option", "choice", "before", "after"), cells, words=2),
    )


def _moved(scale: Scale, before: float, after: float) -> Markup:
    ring = el("circle", cx=scale(before), cy=MIDDLE, r=6.0, class_="ring")
    return (
        line(scale(before), MIDDLE, scale(after), MIDDLE, "moved")
        + ring
        + diamond(scale(after), MIDDLE, 4.5, "mark")
    )


def _said_of_choices(found: Sequence[Choices]) -> str:
    moves = [
        (abs(after - before), name, choice.topic, before, after)
        for choice in found
        for name, before, after in zip(choice.options, choice.before, choice.after, strict=True)
    ]
    most = max(moves, key=lambda move: move[0])
    if share(most[3]) == share(most[4]):
        return "Nobody chooses otherwise because of the policy."
    moved = f"from {share(most[3])} to {share(most[4])} of people"
    return f"Most moved is {quoted(most[1])}, {moved}, in {quoted(most[2])}."
