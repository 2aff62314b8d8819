"""The result of a metric: its definition, its value, its table and its verdict."""

import math
import operator
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final

from attrs import Attribute, field, frozen, validators

from sesame_sdk.audit.arrays import GroupMeans, Numbers
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.finding import Action, Finding

#: Smaller groups are shown and not compared: 29 CFR 1607.4(D) draws no conclusion from differences "based on
#: small numbers and not statistically significant". The number is our choice.
MIN_GROUP_SIZE = 30
#: Values are rounded before they are compared: 0.32 / 0.40 is less than 0.8 in its last bit.
_DIGITS = 9


class Verdict(StrEnum):
    """What a value means, from best to worst. `UNMEASURED` is not clean: there were too few data."""

    UNMEASURED = "unmeasured"
    CLEAN = "clean"
    WATCH = "watch"
    WARN = "warn"
    REFUSE = "refuse"

    @property
    def rank(self) -> int:
        """0 to 4; the higher, the worse."""
        return list(Verdict).index(self)


class Side(StrEnum):
    """On which side of a bound the bad values lie."""

    BELOW = "below"
    ABOVE = "above"
    FROM = "from"


_IS_PAST: Final[dict[Side, Callable[[float, float], bool]]] = {
    Side.BELOW: operator.lt,
    Side.ABOVE: operator.gt,
    Side.FROM: operator.ge,
}
_PHRASES: Final = {Side.BELOW: "less than {}", Side.ABOVE: "more than {}", Side.FROM: "{} or more"}
_ACTIONS: Final = {Verdict.WARN: Action.WARN, Verdict.REFUSE: Action.REFUSE}


def _check_number(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        hint = "pass None for not measured"
        raise InvalidInputError("must be a number, not NaN", field=attribute.name, hint=hint)


@frozen
class Threshold:
    """A bound: `verdict` applies to a value `side` of `bound`; `FROM` includes the bound itself."""

    verdict: Verdict = field(validator=validators.in_((Verdict.WATCH, Verdict.WARN, Verdict.REFUSE)))
    side: Side = field(validator=validators.instance_of(Side))
    bound: float = field(validator=model_validators.finite)

    def is_exceeded(self, value: float) -> bool:
        """Whether `value` lies on the bad side."""
        return _IS_PAST[self.side](round(value, _DIGITS), self.bound)


@frozen
class Metric:
    """The definition of a metric. Its `thresholds` are in any order; the worst one exceeded decides.

    `source` is the law or paper of the formula or threshold, last read on the day `dated`; ours are called
    ours. `hint` is what an operator could change, `value_format` as of `format`: ``.3f``, ``.1%``.
    """

    id: str = field(validator=model_validators.text(16, pattern=r"[A-Z]{2,8}-\d{1,3}", example="DIS-1"))
    title: str = field(validator=model_validators.text(100))
    formula: str = field(validator=model_validators.text(200))
    thresholds: tuple[Threshold, ...] = field(validator=model_validators.tuple_of(Threshold, min_items=1))
    hint: str = field(validator=model_validators.sentence)
    source: str = field(validator=model_validators.text(200))
    row_noun: str = field(default="group", validator=model_validators.text(32))
    value_format: str = field(default=".3f", validator=model_validators.text(8))
    dated: date = field(default=date(2026, 11, 1), validator=validators.instance_of(date))

    def format_value(self, value: float | None) -> str:
        """Format a value for readers."""
        if value is None:
            return "not measured"
        return format(value, self.value_format) if math.isfinite(value) else "no limit"

    def worst_threshold(self, value: float | None) -> Threshold | None:
        """The worst threshold that `value` exceeds."""
        exceeded = [bar for bar in self.thresholds if value is not None and bar.is_exceeded(value)]
        return max(exceeded, key=lambda bar: bar.verdict.rank, default=None)


@frozen
class Row:
    """A row of a metric's table: a group, kind, choice, partner or purpose; never a person.

    `value` is None where there were too few people.
    """

    label: str = field(validator=model_validators.text(128))
    value: float | None = field(default=None, validator=validators.optional(_check_number))
    people: int | None = None


@frozen
class Measurement:
    """A measured metric: infinite where there is no limit, None for not measured, and never NaN."""

    metric: Metric = field(validator=validators.instance_of(Metric))
    value: float | None = field(validator=validators.optional(_check_number))
    rows: tuple[Row, ...] = field(default=(), validator=model_validators.tuple_of(Row))
    note: str = ""

    @property
    def id(self) -> str:
        """The metric's rule id."""
        return self.metric.id

    @property
    def verdict(self) -> Verdict:
        """What the value means."""
        if self.value is None:
            return Verdict.UNMEASURED
        worst = self.metric.worst_threshold(self.value)
        return worst.verdict if worst else Verdict.CLEAN

    @property
    def worst_row(self) -> Row | None:
        """The row furthest to the bad side; the first of equals."""
        rows = [(row.value, row) for row in self.rows if row.value is not None]
        pick = min if self.metric.thresholds[0].side is Side.BELOW else max
        return pick(rows, key=lambda row: row[0])[1] if rows else None

    def __str__(self) -> str:
        return f"{self.id} {self.metric.title}: {self.metric.format_value(self.value)}, {self.verdict}"


def make_finding(measured: Measurement, about: str) -> Finding | None:
    """Make a finding about what was audited if the verdict is warn or refuse; None for any other."""
    metric, past = measured.metric, measured.metric.worst_threshold(measured.value)
    if past is None or past.verdict not in _ACTIONS:
        return None
    action, reason = _ACTIONS[past.verdict], _reason(measured, past)
    return Finding(metric.id, action, about, reason, metric.hint, metric.source, metric.dated)


def _reason(measured: Measurement, past: Threshold) -> str:
    metric, worst = measured.metric, measured.worst_row
    value, bound = metric.format_value(measured.value), metric.format_value(past.bound)
    if value == bound and past.side is not Side.FROM:
        value = f"{measured.value:.9g}"  # rounding would hide the difference
    reason = f"{metric.title} is {value}, {_PHRASES[past.side].format(bound)}"
    return f"{reason}; worst {metric.row_noun}: {worst.label}" if worst else reason


def compare_groups(
    metric: Metric, value: float, values: Numbers, groups: GroupMeans, names: Sequence[str]
) -> Measurement:
    """Make the measurement that compares groups: not measured with fewer than two large enough.

    `value` is over all groups, (G,) `values` are each group's own.
    """
    if len(names) < groups.people.size:
        raise InvalidInputError(f"must name all {groups.people.size} groups, not {len(names)}", field="names")
    rows = tuple(
        Row(name, float(own) if compared else None, int(people))
        for name, own, people, compared in zip(names, values, groups.people, groups.compared, strict=False)
        if people
    )
    if groups.compared.sum() < 2:
        return Measurement(metric, None, rows, f"fewer than two groups have {MIN_GROUP_SIZE} people")
    left_out = any(row.value is None for row in rows)
    note = f"groups of fewer than {MIN_GROUP_SIZE} people are shown and not compared" if left_out else ""
    return Measurement(metric, value, rows, note)


def make_rows(names: Sequence[str], values: Numbers) -> tuple[Row, ...]:
    """Make a row for each name, in the order given."""
    if len(names) != len(values):
        raise InvalidInputError(f"must name all {len(values)}, not {len(names)}", field="names")
    return tuple(Row(name, float(value)) for name, value in zip(names, values, strict=True))
