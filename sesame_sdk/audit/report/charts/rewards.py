"""Chart of what a policy rewards: the points that each kind brings."""

from collections.abc import Sequence

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import (
    ABOVE,
    MIDDLE,
    PITCH,
    BarRow,
    bar_scale,
    draw_bar,
    draw_bar_rows,
    rows_height,
)
from sesame_sdk.audit.report.charts.figure import Figure, Table, make_figure
from sesame_sdk.audit.report.charts.scales import (
    Scale,
    format_points,
    format_share,
    format_signed,
    format_tick,
    quote,
)
from sesame_sdk.audit.report.charts.svg import element, line
from sesame_sdk.audit.report.model import KindReward


def draw_rewards(rewards: Sequence[KindReward]) -> Figure:
    """Draw the mean points of each kind as a bar, and their range as a line."""
    values = [(own.min_points, own.max_points, own.mean_points) for own in rewards]
    scale = bar_scale([0.0, *(value for own in values for value in own)])
    rows = [
        BarRow(reward.reason or reward.kind, format_signed(reward.mean_points), _draw_reward(reward, scale))
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
        _summarize(rewards),
        "The bar is the mean over all people with a score: solid adds points, striped subtracts them. "
        "The line runs from the lowest value of any person to the highest.",
        rows_height(len(rows)),
        (zero, draw_bar_rows(rows, scale, _format_tick)),
        Table("Points by kind", head, cells, text_columns=2),
    )


def _draw_reward(reward: KindReward, scale: Scale) -> Markup:
    ends = (scale(reward.min_points), scale(reward.max_points))
    reach = line(ends[0], MIDDLE, ends[1], MIDDLE, "reach")
    caps = (line(x, MIDDLE - 4, x, MIDDLE + 4, "reach") for x in ends)
    mean = draw_bar(scale, 0, reward.mean_points, "rewards", striped=reward.mean_points < 0)
    return element("g", reach, *caps, mean)


def _format_tick(value: float) -> str:
    return format_signed(value) if abs(value) >= 0.01 or value == 0 else format_tick(value)


def _summarize(rewards: Sequence[KindReward]) -> str:
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
