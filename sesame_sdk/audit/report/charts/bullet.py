"""A metric against its bounds, on one small line."""

import math

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.metrics.measurement import Measurement, Side
from sesame_sdk.audit.report.charts.scales import Scale
from sesame_sdk.audit.report.charts.svg import bar, diamond, el, frame, hatched, join, line
from sesame_sdk.audit.report.charts.wording import bounds

_WIDE, _TALL, _TOP, _THICK = 160.0, 22.0, 7.0, 8.0


@frozen
class Bullet:
    """A measured metric and its picture."""

    measured: Measurement
    picture: Markup


def bullet(found: Measurement) -> Bullet:
    """The value as a diamond; bounds as strokes; what lies past the first bound is striped."""
    name = f"m-{found.id.lower()}"
    metric, scale = found.metric, _scale(found)
    bad_end = scale.low if _falls(found) else scale.high
    first = sorted((bar_.bound for bar_ in metric.thresholds), reverse=_falls(found))[0]
    shapes = [
        bar(scale(scale.low), scale(scale.high), _TOP, _THICK, "track"),
        bar(scale(first), scale(bad_end), _TOP, _THICK, "past", hatched(name)),
        *(
            line(scale(own.bound), _TOP - 4, scale(own.bound), _TOP + _THICK + 4, "bound")
            for own in metric.thresholds
        ),
    ]
    if found.value is not None:
        shapes.append(diamond(scale(found.value), _TOP + _THICK / 2, 6.5, "mark"))
    says = f"{metric.title}: {metric.show(found.value)}; {bounds(metric)}."
    return Bullet(found, frame(name, metric.title, says, _TALL, el("g", join(shapes)), width=_WIDE))


def _falls(found: Measurement) -> bool:
    return found.metric.thresholds[0].side is Side.BELOW


def _scale(found: Measurement) -> Scale:
    limits = [own.bound for own in found.metric.thresholds]
    value = found.value if found.value is not None and math.isfinite(found.value) else limits[0]
    far = max([abs(limit) for limit in limits] or [1.0]) or 1.0
    if _falls(found):
        low, high = min(0.0, value, *limits), max(1.0, value, far)
        return Scale(min(low, -far if low >= min(limits) else low), high, 8, _WIDE - 8)
    return Scale(min(0.0, value), max(value, far * 2), 8, _WIDE - 8)
