"""Small policies and people with few enough cases to try all of them, with the reference's totals."""

from collections.abc import Iterable
from itertools import product

from hypothesis import strategies as st

from sesame_sdk.model.explanation import RecoursePlan
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.scoring.engines import CountedSignal
from sesame_sdk.scoring.recourse.search import Senders
from tests.scoring.engines import TODAY
from tests.scoring.reference import DAY, Counted, score, start_of

ORDERS, SPEND, RETURNS = "retail.order.completed", "retail.order.spend", "retail.order.returned"
#: Who sends for the person; the last one is new to them.
PARTNERS = ("one", "two", "")
ABLE = {kind: Senders(PARTNERS[:2], further=1) for kind in (ORDERS, SPEND)}
_NUMBERS = {"one": 1, "two": 2, "": 3}

hundredths = st.integers(20, 2_000).map(lambda amount: amount / 100)


@st.composite
def lifting(draw: st.DrawFn, kind: str, unit: str) -> Weighting:
    """A kind of which a person can do more; its caps are a few units wide."""
    return Weighting(
        kind=SignalKind(kind, "order_spend", "GBP") if unit == "GBP" else SignalKind(kind, "order_kept"),
        weight=draw(hundredths | st.sampled_from([1 / 3, 0.005, 2.0])),
        floor=0.0,
        cap=draw(hundredths),
        partner_cap=draw(hundredths),
        half_life_days=draw(st.sampled_from([None, 30.0])),
        effort=draw(st.sampled_from([1.0, 1.5, 2.0, 7.0])),
    )


@st.composite
def lowering(draw: st.DrawFn) -> Weighting:
    """A kind that takes points, for three months at most."""
    return Weighting(
        kind=SignalKind(RETURNS, "order_return_count"),
        weight=-draw(hundredths),
        floor=-draw(hundredths),
        cap=0.0,
        partner_cap=draw(hundredths),
        half_life_days=draw(st.sampled_from([None, 10.0, 30.0])),
        expires_days=draw(st.sampled_from([5.0, 20.5, 60.0])),
        effort=draw(st.sampled_from([None, 0.01])),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Orders, what was spent, and returns; the next band is a few units away, the one after it is not."""
    near = draw(st.integers(1, 1_500)) / 100
    return Policy(
        name="tried",
        version=1,
        context="retail",
        base=500.0,
        low=350.0,
        high=900.0,
        bands=(Band("ordinary", 350.0), Band("good", 500.0 + near), Band("far", 800.0)),
        weightings=(draw(lifting(ORDERS, "order")), draw(lifting(SPEND, "GBP")), draw(lowering())),
        disputes="https://shop.example/disputes",
    )


#: What somebody has: nothing that goes against a kind's polarity.
people = st.lists(
    st.builds(
        CountedSignal,
        partner=st.sampled_from(PARTNERS[:2]),
        kind=st.sampled_from([ORDERS, SPEND, RETURNS]),
        value=st.integers(0, 300).map(lambda pence: pence / 100),
        occurred_at=st.integers(-40 * DAY, DAY).map(lambda moved: start_of(TODAY) + moved),
    ),
    min_size=1,
    max_size=8,
)


def order(value: float = 1.0, partner: str = "one", kind: str = ORDERS, days: int = 0) -> CountedSignal:
    """A signal of so many days ago."""
    return CountedSignal(partner, kind, value, start_of(TODAY) - days * DAY)


def added(way: RecoursePlan) -> list[CountedSignal]:
    """The signals of an option: of value 1, or one for money."""
    today = start_of(TODAY)
    return [
        signal
        for step in way.steps
        for place in step.partners
        for signal in (
            [CountedSignal(place.partner, step.kind, float(place.units), today)]
            if step.unit == "GBP"
            else [CountedSignal(place.partner, step.kind, 1.0, today)] * place.units
        )
    ]


def reference_total(signals: Iterable[CountedSignal], policy: Policy, days: int = 0) -> int | None:
    """The total in hundredths by the reference, so many days from today; None for no score."""
    start = start_of(TODAY) + days * DAY
    counted = [
        Counted(1, _NUMBERS.get(one.partner, 9), one.kind, one.value, start - one.occurred_at)
        for one in signals
    ]
    return score(counted, policy).get((1, ""))


def everything(policy: Policy, limit: int) -> Iterable[tuple[float, list[CountedSignal]]]:
    """Every effort of up to `most` units of each kind, at anybody, and the signals that come of it."""
    kinds = [weighting for weighting in policy.weightings if weighting.kind.name in ABLE]
    shares = [share for share in product(range(limit + 1), repeat=len(PARTNERS)) if sum(share) <= limit]
    for chosen in product(shares, repeat=len(kinds)):
        effort = sum(sum(share) * (kind.effort or 0.0) for kind, share in zip(kinds, chosen, strict=True))
        yield (
            effort,
            [
                signal
                for kind, share in zip(kinds, chosen, strict=True)
                for partner, units in zip(PARTNERS, share, strict=True)
                for signal in _units(kind, partner, units)
            ],
        )


def _units(weighting: Weighting, partner: str, units: int) -> list[CountedSignal]:
    today = start_of(TODAY)
    if weighting.kind.unit == "GBP":
        return [CountedSignal(partner, weighting.kind.name, float(units), today)] if units else []
    return [CountedSignal(partner, weighting.kind.name, 1.0, today)] * units
