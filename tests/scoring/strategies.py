"""Policies and signals that go where rounding, caps, ages and ranges hurt."""

from attrs import evolve
from hypothesis import strategies as st

from sesame_sdk.model.policy import Band, Policy, Weighting
from tests.guard.builders import GOOD_KIND
from tests.scoring.reference import DAY, Counted

KINDS = ("retail.order.completed", "retail.order.spend", "retail.order.returned")
HALF_LIVES = (None, 1.0, 30.0, 180.0, 365.25, 0.01)

cents = st.integers(1, 20_000).map(lambda hundredths: hundredths / 100)
decimals = st.integers(-500, 500).map(lambda hundredths: hundredths / 100)
#: Penny amounts make ties at every half-life; the rest are what only an attacker sends.
values = st.one_of(
    st.integers(0, 100_000).map(lambda pence: pence / 100),
    st.sampled_from([0.5, 1.0, 0.005, 0.125, 1e6, 1e12, 1.7e308, 5e-324]),
    st.floats(0, 1000),
)
ages = st.one_of(
    st.builds(
        lambda half_life, times: int(half_life * DAY) * times,
        st.sampled_from(HALF_LIVES[1:]),
        st.integers(0, 4),
    ),
    st.integers(-1000 * DAY, 3000 * DAY),
    st.sampled_from([0, 1, -1, 90 * DAY, 90 * DAY + 1, 50 * 365 * DAY]),
)


#: Hundredths between the base and an end of the range.
rooms = st.sampled_from([1, 50, 20_000])


@st.composite
def weightings(draw: st.DrawFn, kind: str, *, reward: bool = False) -> Weighting:
    """How one kind counts; caps are often hit."""
    floor = 0.0 if reward else draw(st.just(0.0) | cents.map(lambda points: -points))
    return Weighting(
        kind=evolve(GOOD_KIND, name=kind),
        weight=draw(decimals.map(abs) if reward else decimals),
        floor=floor,
        cap=draw(st.just(0.0) | cents),
        partner_cap=draw(cents),
        half_life_days=draw(st.sampled_from(HALF_LIVES)),
        expires_days=draw(st.sampled_from([None, 90.0, 1000.0])),
    )


@st.composite
def policies(draw: st.DrawFn, *, reward: bool = False) -> Policy:
    """A policy of one to three kinds, whose range is sometimes narrow enough to cut."""
    base = draw(st.integers(30_000, 100_000))
    low, high = base - draw(rooms), base + draw(rooms)
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, unique=True))
    return Policy(
        name="tried",
        version=1,
        context="retail",
        base=base / 100,
        low=low / 100,
        high=high / 100,
        bands=(Band("all", low / 100),),
        weightings=tuple(draw(weightings(kind, reward=reward)) for kind in kinds),
    )


def signals(*, signed: bool = True) -> st.SearchStrategy[Counted]:
    """A signal of one of three people by one of three partners."""
    signed_values = st.builds(lambda value, sign: value * sign, values, st.sampled_from([1.0, -1.0]))
    return st.builds(
        Counted,
        subject=st.integers(1, 3),
        partner=st.integers(1, 3),
        kind=st.sampled_from(KINDS),
        value=signed_values if signed else values,
        age=ages,
    )


some_signals = st.lists(signals(), min_size=1, max_size=40)
