"""A metric against its bounds, on one small line."""

import math

from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement, Side
from sesame_sdk.audit.report.charts.scales import Scale
from sesame_sdk.audit.report.charts.svg import bar, diamond, element, frame, hatch_fill, join, line
from sesame_sdk.audit.report.charts.wording import describe_bounds

_WIDTH, _HEIGHT, _TOP, _THICKNESS = 160.0, 22.0, 7.0, 8.0


def draw_bullet(measured: Measurement) -> Markup:
    """Draw the value as a diamond and bounds as lines; the area past the first bound is striped."""
    name, metric = f"m-{measured.id.lower()}", measured.metric
    low_is_bad = metric.thresholds[0].side is Side.BELOW
    limits = [threshold.bound for threshold in metric.thresholds]
    scale = _scale(measured, limits, low_is_bad=low_is_bad)
    first, bad_end = (max(limits), scale.low) if low_is_bad else (min(limits), scale.high)
    shapes = [
        bar(scale(scale.low), scale(scale.high), _TOP, _THICKNESS, "track"),
        bar(scale(first), scale(bad_end), _TOP, _THICKNESS, "past", hatch_fill(name)),
        *(line(scale(at), _TOP - 4, scale(at), _TOP + _THICKNESS + 4, "bound") for at in limits),
    ]
    if measured.value is not None:
        shapes.append(diamond(scale(measured.value), _TOP + _THICKNESS / 2, 6.5, "mark"))
    summary = f"{metric.title}: {metric.format_value(measured.value)}; {describe_bounds(metric)}."
    return frame(name, metric.title, summary, _HEIGHT, element("g", join(shapes)), width=_WIDTH)


def _scale(measured: Measurement, limits: list[float], *, low_is_bad: bool) -> Scale:
    value = measured.value if measured.value is not None and math.isfinite(measured.value) else limits[0]
    far = max(abs(limit) for limit in limits) or 1.0
    if low_is_bad:
        low, high = min(0.0, value, *limits), max(1.0, value, far)
        return Scale(min(low, -far if low >= min(limits) else low), high, 8, _WIDTH - 8)
    return Scale(min(0.0, value), max(value, far * 2), 8, _WIDTH - 8)
