"""Rows of a metric's table, from arrays and the names that belong to them."""

from collections.abc import Sequence

from sesame_sdk.audit.metrics.arrays import ByGroup, Numbers
from sesame_sdk.audit.metrics.measurement import Measurement, Metric, Row
from sesame_sdk.errors import InvalidInputError

#: Fewer people than this are shown and not compared: 29 CFR 1607.4(D) draws no conclusion from
#: differences "based on small numbers and not statistically significant". The number is our choice.
FEWEST = 30


def measured_groups(
    metric: Metric, value: float, values: Numbers, groups: ByGroup, names: Sequence[str]
) -> Measurement:
    """A comparison of groups: not measured with fewer than two that are large enough.

    Args:
        metric: what was measured.
        value: what it came to over all groups.
        values: (G,) each group's own line in the table.
        groups: how many people are in each, and which were compared.
        names: by group number.

    Raises:
        InvalidInputError: a group has no name.
    """
    if len(names) < groups.people.size:
        raise InvalidInputError(f"must name all {groups.people.size} groups, not {len(names)}", field="names")
    lines = zip(names, values, groups.people, groups.compared, strict=False)
    rows = tuple(
        Row(name, float(line) if compared else None, int(people))
        for name, line, people, compared in lines
        if people
    )
    if groups.groups_compared < 2:
        return Measurement(metric, None, rows, f"fewer than two groups have {FEWEST} people")
    left_out = sum(row.value is None for row in rows)
    note = f"groups of fewer than {FEWEST} people are shown and not compared" if left_out else ""
    return Measurement(metric, value, rows, note)


def rows_of(names: Sequence[str], values: Numbers) -> tuple[Row, ...]:
    """A row for each name, in the order given.

    Raises:
        InvalidInputError: there are not as many names as values.
    """
    if len(names) != len(values):
        raise InvalidInputError(f"must name all {len(values)}, not {len(names)}", field="names")
    return tuple(Row(name, float(value)) for name, value in zip(names, values, strict=True))
