"""The one shape that every metric comes in: what it is, what it came to, and what follows.

Threshold   a bound, and the verdict on a value past it
Metric      what is always so: id, title, formula, thresholds, source
Row         a line of its table: a group, a kind, a partner, and its value
Measured    a metric, its value, its rows
"""

import math
import operator
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Final

from attrs import Attribute, field, frozen, validators

from sesame_sdk.audit.metrics.arrays import ByGroup, Numbers
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.finding import Action, Finding

#: Values are compared after rounding: 0.32 / 0.40 is 0.8 to a reader, and not less in its last bit.
_DIGITS = 9


class Verdict(StrEnum):
    """What a value means. `UNMEASURED` is not clean: there was too little to say anything."""

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
    """Where the bad values lie."""

    BELOW = "below"
    ABOVE = "above"
    FROM = "from"


_PAST: Final[dict[Side, Callable[[float, float], bool]]] = {
    Side.BELOW: operator.lt,
    Side.ABOVE: operator.gt,
    Side.FROM: operator.ge,
}
_WORDS: Final = {Side.BELOW: "less than {}", Side.ABOVE: "more than {}", Side.FROM: "{} or more"}
_ACTIONS: Final = {Verdict.WARN: Action.WARN, Verdict.REFUSE: Action.REFUSE}


def _number(_: object, attribute: "Attribute[Any]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise InvalidInputError(
            "must be a number, not NaN", field=attribute.name, hint="pass None for not measured"
        )


@frozen
class Threshold:
    """A bound: `verdict` follows from a value `side` of `bound`. The bound itself is past only for `FROM`."""

    verdict: Verdict = field(validator=validators.in_((Verdict.WATCH, Verdict.WARN, Verdict.REFUSE)))
    side: Side = field(validator=validators.instance_of(Side))
    bound: float = field(validator=model_validators.finite)

    def passed(self, value: float) -> bool:
        """Whether `value` lies on the bad side."""
        return _PAST[self.side](round(value, _DIGITS), self.bound)


@frozen
class Metric:
    """What is so of a metric, whatever it comes to.

    Attributes:
        id: rule id of its findings, such as ``DIS-1``.
        title: what a reader calls it.
        formula: in plain text.
        thresholds: any order; the worst one passed decides.
        hint: what an operator could change.
        source: the law or paper that formula or threshold is drawn from; ours are called ours.
        rows: what a line of the table is: ``group``, ``kind``.
        form: how values are written, as of `format`: ``.3f``, ``.1%``.
        dated: when that source was last read.
    """

    id: str = field(validator=model_validators.text(16, pattern=r"[A-Z]{2,8}-\d{1,3}", like="DIS-1"))
    title: str = field(validator=model_validators.text(100))
    formula: str = field(validator=model_validators.text(200))
    thresholds: tuple[Threshold, ...] = field(validator=model_validators.tuple_of(Threshold, at_least=1))
    hint: str = field(validator=model_validators.sentence)
    source: str = field(validator=model_validators.text(200))
    rows: str = field(default="group", validator=model_validators.text(32))
    form: str = field(default=".3f", validator=model_validators.text(8))
    dated: date = field(default=date(2026, 11, 1), validator=validators.instance_of(date))

    def show(self, value: float | None) -> str:
        """A value as a reader sees it."""
        if value is None:
            return "not measured"
        return format(value, self.form) if math.isfinite(value) else "no limit"

    def worst(self, value: float | None) -> Threshold | None:
        """The worst threshold that `value` is past."""
        passed = [bar for bar in self.thresholds if value is not None and bar.passed(value)]
        return max(passed, key=lambda bar: bar.verdict.rank, default=None)


@frozen
class Row:
    """A line of a metric's table.

    Attributes:
        label: the group, kind, topic, partner or purpose; never a person.
        value: in the metric's own form; None where there were too few people to say.
        people: how many stand behind it, if people do.
    """

    label: str = field(validator=model_validators.text(128))
    value: float | None = field(default=None, validator=validators.optional(_number))
    people: int | None = None


@frozen
class Measurement:
    """What a metric came to.

    Attributes:
        metric: what was measured.
        value: finite, or infinite where there is no limit; None for not measured.
        rows: its table.
        note: what a reader should know of this measurement.

    Raises:
        InvalidInputError: a value is NaN.
    """

    metric: Metric = field(validator=validators.instance_of(Metric))
    value: float | None = field(validator=validators.optional(_number))
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
        worst = self.metric.worst(self.value)
        return worst.verdict if worst else Verdict.CLEAN

    @property
    def worst_row(self) -> Row | None:
        """The row furthest to the bad side; the first of equals."""
        lines = [(row.value, row) for row in self.rows if row.value is not None]
        pick = min if self.metric.thresholds[0].side is Side.BELOW else max
        return pick(lines, key=lambda line: line[0])[1] if lines else None

    def __str__(self) -> str:
        return f"{self.id} {self.metric.title}: {self.metric.show(self.value)}, {self.verdict}"


def finding(measured: Measurement, about: str) -> Finding | None:
    """A finding where the verdict is warn or refuse; None for any other.

    Args:
        measured: what a metric came to.
        about: what was audited: ``policy retail-privileges``; at most 200 characters.
    """
    metric, past = measured.metric, measured.metric.worst(measured.value)
    if past is None or past.verdict not in _ACTIONS:
        return None
    action, reason = _ACTIONS[past.verdict], _reason(measured, past)
    return Finding(metric.id, action, about, reason, metric.hint, metric.source, metric.dated)


def _reason(measured: Measurement, past: Threshold) -> str:
    metric, worst = measured.metric, measured.worst_row
    value, bound = metric.show(measured.value), metric.show(past.bound)
    if value == bound and past.side is not Side.FROM:
        value = f"{measured.value:.9g}"  # rounding hid what it fell short by
    said = f"{metric.title} is {value}, {_WORDS[past.side].format(bound)}"
    return f"{said}; worst {metric.rows}: {worst.label}" if worst else said


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
