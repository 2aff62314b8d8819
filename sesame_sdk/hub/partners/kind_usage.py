"""How partners use their kinds: rates and values of each, against what its observation lets expect.

A value of the wrong form never gets here: ingest drops it. What is left to see is how often a kind is sent,
for how many people, and how large its values are. Compared are

    * the most events of one person in a month, with the observation's `monthly`
    * the mean value of money, with its `amount`
    * kinds that read the same event of the same system, with each other: each order that is kept has a total
    * events a person, with the other partners that send the same observation

Not seen is a partner that sends a kind for a part of its records alone, and every related kind as well: a
count of 1 for some goods only is 1 as it should be, and shows in nothing but a lower rate.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, func, select

from sesame_sdk.catalogue.observations import Measure
from sesame_sdk.guard.labels import CHECKED_ON
from sesame_sdk.hub.database.tables import kinds, partners, signals
from sesame_sdk.hub.partners import registrations
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind

#: Signals of a kind and partner below which nothing is compared.
MIN_SIGNALS: Final = 50
#: A kind with this share of the signals of another one that reads the same event is not held back.
MIN_SHARE: Final = 0.9
#: Other partners of an observation from which on their median is compared, and how far from it is usual.
MIN_PARTNERS, MAX_RATIO = 3, 4.0
_MICROSECONDS_PER_MONTH: Final = 365 * 86_400_000_000 // 12


@frozen
class KindUsage:
    """What one partner sent of one kind.

    Attributes:
        share: of the people of this partner that have a signal of this kind.
        busiest: the most events of one person in a twelfth of a year.
        mean: of the values.
        remarks: what does not fit the observation, in words; empty if all does.
    """

    partner: str
    kind: str
    observation: str
    signals: int
    people: int
    share: float
    busiest: int
    mean: float
    remarks: tuple[str, ...] = ()


def list_usage(connection: Connection) -> list[KindUsage]:
    """The use of each kind by each partner, with what does not fit. It reads all signals once."""
    declared = {kind.name: kind for kind in registrations.list_declared_kinds(connection)}
    people = _people_by_partner(connection)
    rows = [row for row in _usage_rows(connection) if row.name in declared]
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    rates: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        kind = declared[row.name]
        counts[row.issuer, kind.entry.reads][kind.observation] = (
            counts[row.issuer, kind.entry.reads].get(kind.observation, 0) + row.events
        )
        rates[row.name][row.issuer] = row.events / row.people
    return [
        KindUsage(
            partner=row.issuer,
            kind=row.name,
            observation=declared[row.name].observation,
            signals=row.events,
            people=row.people,
            share=row.people / people[row.issuer],
            busiest=row.busiest,
            mean=row.total / row.events,
            remarks=tuple(
                _remarks(
                    row,
                    declared[row.name],
                    counts[row.issuer, declared[row.name].entry.reads],
                    rates[row.name],
                )
            ),
        )
        for row in rows
    ]


def has_more_signals(connection: Connection, count: int) -> bool:
    """Whether there are more signals than `count`; it reads no more of them."""
    some = select(signals.c.person).limit(count + 1).subquery()
    return (connection.scalar(select(func.count()).select_from(some)) or 0) > count


def usage_findings(usages: Iterable[KindUsage], policy: Policy) -> tuple[Finding, ...]:
    """A warning for each thing that does not fit, about the kinds that a policy weighs."""
    weighed = {weighting.kind.name for weighting in policy.weightings}
    return tuple(
        Finding(
            rule="USE-1",
            action=Action.WARN,
            about=f"kind {usage.kind} of {usage.partner}"[:200],
            reason=f"what the partner sends does not fit {usage.observation}: {remark}",
            hint="ask the partner what it counts, and compare with its records: sesame observations usage",
            source="GDPR 5(1)(d), 5(2)",
            dated=CHECKED_ON,
        )
        for usage in usages
        if usage.kind in weighed
        for remark in usage.remarks
    )


@frozen
class _UsageRow:
    issuer: str
    name: str
    events: int
    people: int
    busiest: int
    total: float


def _usage_rows(connection: Connection) -> list[_UsageRow]:
    columns = signals.c
    month = columns.occurred_at / _MICROSECONDS_PER_MONTH
    by_month = (
        select(
            columns.partner,
            columns.kind,
            columns.person,
            func.count().label("events"),
            func.sum(columns.value).label("total"),
        )
        .group_by(columns.partner, columns.kind, columns.person, func.floor(month))
        .subquery()
    )
    query = (
        select(
            partners.c.issuer,
            kinds.c.name,
            func.sum(by_month.c.events).label("events"),
            func.count(by_month.c.person.distinct()).label("people"),
            func.max(by_month.c.events).label("busiest"),
            func.sum(by_month.c.total).label("total"),
        )
        .join(partners, partners.c.id == by_month.c.partner)
        .join(kinds, kinds.c.id == by_month.c.kind)
        .group_by(partners.c.issuer, kinds.c.name)
        .order_by(partners.c.issuer, kinds.c.name)
    )
    # PostgreSQL adds integers to a decimal.
    return [
        _UsageRow(row.issuer, row.name, int(row.events), row.people, row.busiest, row.total)
        for row in connection.execute(query)
    ]


def _people_by_partner(connection: Connection) -> dict[str, int]:
    query = (
        select(partners.c.issuer, func.count(signals.c.person.distinct()))
        .join(partners, partners.c.id == signals.c.partner)
        .group_by(partners.c.issuer)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _remarks(
    row: _UsageRow, kind: SignalKind, same_event: dict[str, int], rates: dict[str, float]
) -> Iterator[str]:
    entry = kind.entry
    if row.events < MIN_SIGNALS:
        return
    if row.busiest > entry.monthly:
        yield f"{row.busiest} events of one person in a month, {entry.monthly:g} are usual"
    mean = row.total / row.events
    if entry.measure is Measure.MONEY and entry.amount and mean > entry.amount:
        yield f"a mean value of {mean:,.0f} {kind.currency}, {entry.amount:,.0f} at most are usual"
    most = max(same_event.values())
    if same_event[kind.observation] < MIN_SHARE * most:
        other = max(same_event, key=lambda name: same_event[name])
        share = same_event[kind.observation] / most
        yield f"only {share:.0%} of the events of {other}, which reads the same records"
    others = [rate for issuer, rate in rates.items() if issuer != row.issuer]
    if len(others) >= MIN_PARTNERS:
        ratio = (row.events / row.people) / median(others)
        if not 1 / MAX_RATIO <= ratio <= MAX_RATIO:
            yield f"{ratio:.2g} times as many events a person as at the median of the other partners"
