"""Charts of bars: a metric against its bounds, a typical score, rewards, falls, free choices and groups.

A row of bars has a label and a value, and the bar below them, also on the narrowest screen.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement, Row, Side
from sesame_sdk.audit.report.model import GroupChange, KindReward, PolicyChange
from sesame_sdk.audit.report.svg import (
    WIDTH,
    Figure,
    Scale,
    Table,
    bar,
    diamond,
    element,
    frame,
    hatch_fill,
    join,
    label,
    line,
    make_figure,
    text,
    text_width,
    translate,
)
from sesame_sdk.audit.report.wording import (
    describe_bounds,
    format_count,
    format_points,
    format_share,
    format_signed,
    format_tick,
    quote,
)
from sesame_sdk.audit.simulation.simulate import FreeChoice
from sesame_sdk.model.score import Contribution, Score

#: Height of a row, baseline of its text, and top and thickness of its bar.
PITCH, BASELINE, TOP, THICKNESS = 42.0, 15.0, 20.0, 11.0
MIDDLE = TOP + THICKNESS / 2
#: Space above the rows for the name of a bound, and below them for the axis.
ABOVE, BELOW = 20.0, 24.0
#: Least distance between a label and its value.
_GAP = 14.0
_INSET = 6.0
#: Contributions drawn one by one; the smallest of more are drawn as one.
MAX_STEPS = 12
#: Of the picture of a metric.
_BULLET_WIDTH, _BULLET_HEIGHT, _BULLET_TOP, _BULLET_THICKNESS = 160.0, 22.0, 7.0, 8.0


@frozen
class _BarRow:
    """A row; a strong one is a total. Its shapes are drawn with 0 at the row's top."""

    label: str
    value: str
    shapes: Markup
    strong: bool = False


def _bar_scale(values: Sequence[float], *, margin: float = 0.02, end: float = WIDTH - _INSET) -> Scale:
    """Make the scale of rows that hold all `values`; it may end before the text of the values does."""
    low, high = min(values), max(values)
    free = (high - low) * margin if high > low else max(abs(high), 1.0)
    return Scale(low - free, high + free, _INSET, end)


def _rows_height(rows: int) -> float:
    return ABOVE + rows * PITCH + BELOW


def _draw_bar_rows(
    rows: Sequence[_BarRow], scale: Scale, format_value: Callable[[float], str] = format_tick
) -> Markup:
    bottom = ABOVE + len(rows) * PITCH
    return draw_axis(scale, ABOVE, bottom, format_value) + join(
        translate(_row_text(row) + row.shapes, 0, ABOVE + at * PITCH) for at, row in enumerate(rows)
    )


def _draw_bar(scale: Scale, start: float, end: float, picture: str, *, striped: bool) -> Markup:
    fill = hatch_fill(picture) if striped else None
    return bar(scale(start), scale(end), TOP, THICKNESS, "down" if striped else "up", fill)


def draw_axis(
    scale: Scale, top: float, bottom: float, format_value: Callable[[float], str] = format_tick
) -> Markup:
    """Draw fine lines at round values, with the numbers below them."""
    shapes = []
    for value in scale.ticks(5):
        x = scale(value)
        anchor = "start" if x < 24 else "end" if x > WIDTH - 24 else "middle"
        shapes += [line(x, top, x, bottom, "grid"), text(x, bottom + 17, format_value(value), "tick", anchor)]
    return join(shapes)


def _draw_bound(scale: Scale, value: float, rows: int, name: str) -> Markup:
    x = scale(value)
    anchor, beside = ("end", x - 5) if x > WIDTH / 2 else ("start", x + 5)
    return line(x, 4, x, ABOVE + rows * PITCH, "bound") + text(beside, 14, name, "note", anchor)


def _row_text(row: _BarRow) -> Markup:
    strong = " strong" if row.strong else ""
    width = WIDTH - 2 * _INSET - _GAP - text_width(row.value)
    row_label = label(_INSET, BASELINE, row.label, width, f"label{strong}")
    if not row.value:
        return row_label
    return row_label + text(WIDTH - _INSET, BASELINE, row.value, f"value{strong}", "end")


def draw_bullet(measured: Measurement) -> Markup:
    """Draw the value as a diamond and bounds as lines; the area past the first bound is striped."""
    name, metric = f"m-{measured.id.lower()}", measured.metric
    low_is_bad = metric.thresholds[0].side is Side.BELOW
    limits = [threshold.bound for threshold in metric.thresholds]
    scale = _bullet_scale(measured, limits, low_is_bad=low_is_bad)
    first, bad_end = (max(limits), scale.low) if low_is_bad else (min(limits), scale.high)
    shapes = [
        bar(scale(scale.low), scale(scale.high), _BULLET_TOP, _BULLET_THICKNESS, "track"),
        bar(scale(first), scale(bad_end), _BULLET_TOP, _BULLET_THICKNESS, "past", hatch_fill(name)),
        *(
            line(scale(at), _BULLET_TOP - 4, scale(at), _BULLET_TOP + _BULLET_THICKNESS + 4, "bound")
            for at in limits
        ),
    ]
    if measured.value is not None:
        shapes.append(diamond(scale(measured.value), _BULLET_TOP + _BULLET_THICKNESS / 2, 6.5, "mark"))
    summary = f"{metric.title}: {metric.format_value(measured.value)}; {describe_bounds(metric)}."
    return frame(name, metric.title, summary, _BULLET_HEIGHT, element("g", join(shapes)), width=_BULLET_WIDTH)


def _bullet_scale(measured: Measurement, limits: list[float], *, low_is_bad: bool) -> Scale:
    value = measured.value if measured.value is not None and math.isfinite(measured.value) else limits[0]
    far = max(abs(limit) for limit in limits) or 1.0
    if low_is_bad:
        low, high = min(0.0, value, *limits), max(1.0, value, far)
        return Scale(min(low, -far if low >= min(limits) else low), high, 8, _BULLET_WIDTH - 8)
    return Scale(min(0.0, value), max(value, far * 2), 8, _BULLET_WIDTH - 8)


def draw_typical_score(score: Score) -> Figure:
    """Draw the steps from the base to the median person's score."""
    steps = _largest_steps(score.contributions)
    ends = tuple(accumulate((step.points for step in steps), initial=score.base))
    scale = _bar_scale((*ends, score.points), margin=0.06, end=WIDTH - 70)
    rows = [_BarRow("base", format_points(score.base), _mark(scale, score.base), strong=True)]
    rows += [
        _BarRow(
            step.reason,
            format_signed(step.points),
            _joint(scale(start)) + _draw_bar(scale, start, end, "typical", striped=end < start),
        )
        for step, (start, end) in zip(steps, pairwise(ends), strict=True)
    ]
    total = _joint(scale(score.points)) + _mark(scale, score.points)
    rows.append(_BarRow(f"score, in band {score.band}", format_points(score.points), total, strong=True))
    cells = tuple((row.label, row.value) for row in rows)
    return make_figure(
        "typical",
        "A typical score",
        _summarize_score(score, steps),
        "The score of the median person. Each bar begins where the one above it ends; "
        "a solid bar adds points, a striped bar subtracts them.",
        _rows_height(len(rows)),
        (_draw_bar_rows(rows, scale),),
        Table("From the base to the score", ("reason", "points"), cells),
    )


def _largest_steps(parts: Sequence[Contribution]) -> list[Contribution]:
    """Largest first, additions before subtractions; beyond `MAX_STEPS` they are one step."""
    ranked = sorted((part for part in parts if part.hundredths), key=lambda part: -abs(part.hundredths))
    steps, rest = ranked[:MAX_STEPS], ranked[MAX_STEPS:]
    if rest:
        steps.append(Contribution("", sum(part.hundredths for part in rest), f"{len(rest)} smaller reasons"))
    return sorted(steps, key=lambda part: -part.hundredths)


def _joint(x: float) -> Markup:
    return line(x, TOP + THICKNESS - PITCH, x, TOP, "joint")


def _mark(scale: Scale, value: float) -> Markup:
    return diamond(scale(value), MIDDLE, 7, "mark")


def _summarize_score(score: Score, steps: Sequence[Contribution]) -> str:
    median = f"The median person has {format_points(score.points)} points"
    if not steps:
        return f"{median}: the base, and nothing else."
    largest = max(steps, key=lambda step: abs(step.hundredths))
    reason = f"the largest part is {quote(largest.reason)} ({format_signed(largest.points)})"
    return f"{median}, from a base of {format_points(score.base)}; {reason}."


def draw_rewards(rewards: Sequence[KindReward]) -> Figure:
    """Draw the mean points of each kind as a bar, and their range as a line."""
    values = [(own.min_points, own.max_points, own.mean_points) for own in rewards]
    scale = _bar_scale([0.0, *(value for own in values for value in own)])
    rows = [
        _BarRow(reward.reason or reward.kind, format_signed(reward.mean_points), _draw_reward(reward, scale))
        for reward in rewards
    ]
    cells = tuple(
        (
            reward.reason or reward.kind,
            reward.kind,
            format_signed(reward.mean_points),
            format_signed(reward.min_points),
            format_signed(reward.max_points),
            format_share(reward.share_affected),
        )
        for reward in rewards
    )
    zero = line(scale(0), ABOVE, scale(0), ABOVE + len(rows) * PITCH, "zero")
    head = ("behaviour", "kind", "points on average", "at worst", "at best", "people affected")
    return make_figure(
        "rewards",
        "What the policy rewards",
        _summarize_rewards(rewards),
        "The bar is the mean over all people with a score: solid adds points, striped subtracts them. "
        "The line runs from the lowest value of any person to the highest.",
        _rows_height(len(rows)),
        (zero, _draw_bar_rows(rows, scale, _format_tick)),
        Table("Points by kind", head, cells, text_columns=2),
    )


def _draw_reward(reward: KindReward, scale: Scale) -> Markup:
    ends = (scale(reward.min_points), scale(reward.max_points))
    reach = line(ends[0], MIDDLE, ends[1], MIDDLE, "reach")
    caps = (line(x, MIDDLE - 4, x, MIDDLE + 4, "reach") for x in ends)
    mean = _draw_bar(scale, 0, reward.mean_points, "rewards", striped=reward.mean_points < 0)
    return element("g", reach, *caps, mean)


def _format_tick(value: float) -> str:
    return format_signed(value) if abs(value) >= 0.01 or value == 0 else format_tick(value)


def _summarize_rewards(rewards: Sequence[KindReward]) -> str:
    highest = max(rewards, key=lambda reward: reward.mean_points)
    lowest = min(rewards, key=lambda reward: reward.mean_points)
    if highest.mean_points > 0:
        name, points = quote(highest.reason or highest.kind), format_points(highest.mean_points)
        most = f"{name} adds the most on average, {points} points"
    else:
        most = "No kind adds points on average"
    if lowest.mean_points >= 0:
        return f"{most}; no kind subtracts any on average."
    name, points = quote(lowest.reason or lowest.kind), format_points(-lowest.mean_points)
    return f"{most}; {name} subtracts the most, {points}."


def draw_falls(measured: Measurement) -> Figure:
    """Draw the largest fall from one event of each kind, against the bound."""
    values = [row.value for row in measured.rows if row.value is not None]
    limit = measured.metric.thresholds[0].bound
    scale = _bar_scale([0.0, limit * 1.5, *filter(math.isfinite, values)])
    rows = [_fall_row(measured, row, scale) for row in measured.rows if row.value is not None]
    bound = _draw_bound(scale, limit, len(rows), f"bound {format_share(limit)}")
    return make_figure(
        "falls",
        "Largest fall from one event",
        _summarize_falls(measured),
        "As a share of the policy's range. Striped bars are past the bound.",
        _rows_height(len(rows)),
        (bound, _draw_bar_rows(rows, scale, format_share)),
        Table(
            f"Largest fall from one event; bound {format_share(limit)}",
            (measured.metric.row_noun, "share of the range"),
            tuple((row.label, row.value) for row in rows),
        ),
    )


def _fall_row(measured: Measurement, row: Row, scale: Scale) -> _BarRow:
    past = measured.metric.worst_threshold(row.value) is not None
    value = format_share(row.value) + (", past the bound" if past else "")
    return _BarRow(row.label, value, _draw_bar(scale, 0, row.value or 0.0, "falls", striped=past))


def _summarize_falls(measured: Measurement) -> str:
    worst = measured.worst_row
    if worst is None or worst.value is None:
        return "No kind can lower a score."
    share, limit = format_share(worst.value), format_share(measured.metric.thresholds[0].bound)
    side = "past" if measured.metric.worst_threshold(worst.value) else "within"
    name = quote(worst.label)
    return f"One event takes at most {share} of the range ({name}), {side} the bound of {limit}."


def draw_choices(choices: Sequence[FreeChoice]) -> Figure:
    """Draw each option of each free choice, before and after people adapt to the policy."""
    scale = _bar_scale([0.0, *(share for choice in choices for share in (*choice.before, *choice.after))])
    rows: list[_BarRow] = []
    for choice in choices:
        options = list(zip(choice.options, choice.before, choice.after, strict=True))
        shown = [(name, format_share(before), format_share(after)) for name, before, after in options]
        shifts = [_draw_shift(scale, before, after) for _, before, after in options]
        unchanged = all(before == after for _, before, after in shown)
        merged = join(shifts) if unchanged else Markup()
        rows.append(_BarRow(choice.topic, "unchanged" if unchanged else "", merged, strong=True))
        if not unchanged:
            rows += [
                _BarRow(name, f"{before} \N{RIGHTWARDS ARROW} {after}", shift)
                for (name, before, after), shift in zip(shown, shifts, strict=True)
            ]
    return make_figure(
        "choices",
        "Free choices",
        _summarize_choices(choices),
        "The ring is the share of people who choose the option before they know the policy, "
        "the diamond after they adapt to it. A choice that does not change has one row.",
        _rows_height(len(rows)),
        (_draw_bar_rows(rows, scale, format_share),),
        make_choices_table(choices),
    )


def make_choices_table(choices: Sequence[FreeChoice]) -> Table:
    """Make the table of free choices before and after people adapt."""
    rows = tuple(
        (option, choice.topic, format_share(before), format_share(after))
        for choice in choices
        for option, before, after in zip(choice.options, choice.before, choice.after, strict=True)
    )
    head = ("option", "choice", "before", "after")
    return Table("Free choices before and after", head, rows, text_columns=2)


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


def draw_group_changes(change: PolicyChange) -> Figure:
    """Draw the shares of each group whose scores fall and rise."""
    groups = change.groups
    shares = (share for group in groups.values() for share in (group.share_rising, group.share_falling))
    limit = max(shares, default=0.0) or 0.01
    scale = _bar_scale([-limit, limit])
    rows = [
        _BarRow(
            name,
            f"{format_share(group.share_falling)} fall, {format_share(group.share_rising)} rise",
            _draw_group(group, scale),
        )
        for name, group in groups.items()
    ]
    return make_figure(
        "movers",
        "Rises and falls by group",
        _summarize_groups(groups),
        "Striped, to the left: the share of the group whose score falls. "
        "Solid, to the right: the share whose score rises.",
        _rows_height(len(rows)),
        (_draw_bar_rows(rows, scale, lambda share: format_share(abs(share))),),
        make_group_table(change),
    )


def make_group_table(change: PolicyChange) -> Table:
    """Make the table of the effect on each group."""
    head = ("group", "people", "fall", "rise", "points on average", "largest fall")
    rows = tuple(
        (
            name,
            format_count(group.people),
            format_share(group.share_falling),
            format_share(group.share_rising),
            format_signed(group.mean_change),
            format_points(group.largest_fall),
        )
        for name, group in change.groups.items()
    )
    return Table("Effect on each group", head, rows)


def _draw_group(group: GroupChange, scale: Scale) -> Markup:
    fall = _draw_bar(scale, 0, -group.share_falling, "movers", striped=True)
    rise = _draw_bar(scale, 0, group.share_rising, "movers", striped=False)
    return fall + rise + line(scale(0), MIDDLE - 10, scale(0), MIDDLE + 10, "zero")


def _summarize_groups(groups: Mapping[str, GroupChange]) -> str:
    if not groups:
        return "No group has a score under both policies."
    name, worst = max(groups.items(), key=lambda item: item[1].share_falling)
    if worst.share_falling <= 0:
        return "No score falls."
    share, points = format_share(worst.share_falling), format_points(-worst.largest_fall)
    return f"The largest share falls in {quote(name)}: {share} of its people, by at most {points} points."
