"""Of each group, who rises and who falls under a new policy."""

from collections.abc import Mapping

from markupsafe import Markup

from sesame_sdk.audit.report.charts.bar_rows import MIDDLE, THICK, TOP, Lane, across, height, lanes
from sesame_sdk.audit.report.charts.figure import Figure, Table
from sesame_sdk.audit.report.charts.scales import Scale, count, points, quoted, share, signed
from sesame_sdk.audit.report.charts.svg import bar, frame, hatched, line
from sesame_sdk.audit.report.model import Change, Moved


def groups(found: Change) -> Figure:
    """Of each group, how many fall and how many rise."""
    most = max((max(own.rise, own.fall) for own in found.groups.values()), default=0.0) or 0.01
    scale = across([-most, most])
    rows = [
        Lane(name, f"{share(own.fall)} fall, {share(own.rise)} rise", _both_ways(own, scale))
        for name, own in found.groups.items()
    ]
    title, says = "Who rises and who falls", _said_of_groups(found.groups)
    head = ("group", "people", "fall", "rise", "points on average", "largest fall")
    cells = tuple(
        (name, count(own.people), share(own.fall), share(own.rise), signed(own.mean), points(own.worst))
        for name, own in found.groups.items()
    )
    return Figure(
        id="movers",
        title=title,
        says=says,
        key="Striped to the left: the share of the group whose score falls. "
        "Solid to the right: the share whose score rises.",
        picture=frame(
            "movers", title, says, height(len(rows)), lanes(rows, scale, lambda at: share(abs(at)))
        ),
        table=Table("How each group fares", head, cells),
    )


def _both_ways(own: Moved, scale: Scale) -> Markup:
    zero = scale(0)
    fall = bar(zero, scale(-own.fall), TOP, THICK, "down", hatched("movers"))
    return (
        fall
        + bar(zero, scale(own.rise), TOP, THICK, "up")
        + line(zero, MIDDLE - 10, zero, MIDDLE + 10, "zero")
    )


def _said_of_groups(found: Mapping[str, Moved]) -> str:
    if not found:
        return "No group has a score under both policies."
    name, worst = max(found.items(), key=lambda item: item[1].fall)
    if worst.fall <= 0:
        return "No score falls."
    by = f"by at most {points(-worst.worst)} points"
    return f"Most fall in {quoted(name)}: {share(worst.fall)} of its people, {by}."
