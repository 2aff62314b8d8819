"""Hypothesis strategies for kinds, signals, envelopes and policies. The guard allows all that they draw.

So words are drawn from short lists of harmless ones; numbers, times and sizes within their valid ranges.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from attrs import evolve
from hypothesis import strategies as st

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import Envelope
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.pseudonyms import Pseudonymizer
from sesame_sdk.model.signals import Signal, SignalKind
from sesame_sdk.testing.partner import PSEUDONYMIZER
from sesame_sdk.testing.sample_data import make_policy

_CONTEXTS = ("community", "cycling", "library", "retail")
#: Names of kinds by observation, of the catalogue's measures and polarities.
_NAMES = {
    "order_kept": "order.completed",
    "booking_kept": "booking.kept",
    "item_returned_on_time": "rental.returned",
    "answer_marked_helpful": "post.helpful",
    "payment_missed": "invoice.missed",
    "order_spend": "order.spend",
}
_times = st.datetimes(datetime(2000, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
_hundredths = st.integers(1, 20_000).map(lambda number: number / 100)

contexts = st.sampled_from(_CONTEXTS)


@st.composite
def kinds(draw: st.DrawFn, context: str | None = None) -> SignalKind:
    """A kind that a provider might declare, of any context unless one is given."""
    observation = draw(st.sampled_from(sorted(_NAMES)))
    currency = "GBP" if observation == "order_spend" else ""
    return SignalKind(f"{context or draw(contexts)}.{_NAMES[observation]}", observation, currency)


def several_kinds(context: str | None = None, max_size: int = 4) -> st.SearchStrategy[list[SignalKind]]:
    """One to `max_size` kinds, each of another name."""
    return st.lists(kinds(context), min_size=1, max_size=max_size, unique_by=lambda kind: kind.name)


@st.composite
def signals(
    draw: st.DrawFn, of: Sequence[SignalKind] | None = None, pseudonymizer: Pseudonymizer = PSEUDONYMIZER
) -> Signal:
    """A signal of one of the kinds `of`, or of any, in its range."""
    kind = draw(st.sampled_from(of) if of else kinds())
    at = draw(_times)
    pennies = st.integers(1, 10_000_000).map(lambda pence: pence / 100)
    value = draw(pennies) if kind.currency else 1.0
    return Signal(
        id=pseudonymizer.signal_id(kind.name, draw(st.text("0123456789", min_size=1, max_size=9)), at),
        subject=pseudonymizer.pseudonym(draw(st.sampled_from(("ada", "bob", "cleo", "dan")))),
        kind=kind.name,
        value=value,
        occurred_at=at,
    )


@st.composite
def envelopes(draw: st.DrawFn, of: Sequence[SignalKind] | None = None, max_size: int = 20) -> Envelope:
    """An opened envelope of 1 to `max_size` signals, each with another id; `seal` signs its signals."""
    size = min(max_size, MAX_SIGNALS)
    drawn = st.lists(signals(of), min_size=1, max_size=size, unique_by=lambda signal: signal.id)
    return Envelope(
        jti=draw(st.text("abcdefgh", min_size=8, max_size=24)),
        issuer=draw(st.sampled_from(("https://shop.example", "https://forum.example"))),
        audience="https://hub.example",
        issued_at=draw(_times),
        signals=tuple(draw(drawn)),
    )


@st.composite
def policies(draw: st.DrawFn, of: Sequence[SignalKind] | None = None) -> Policy:
    """A policy that weighs some of the kinds `of` one context, or of any one, with its digest."""
    context = of[0].context if of else draw(contexts)
    some = several_kinds(context)
    if of:
        some = st.lists(st.sampled_from(of), min_size=1, unique_by=lambda kind: kind.name)
    weightings = [draw(_weightings(kind)) for kind in draw(some)]
    policy = make_policy(*weightings, context=context, version=draw(st.integers(1, 9)))
    made = evolve(policy, name=f"{context}-privileges", bands=(*policy.bands, Band("excellent", 700.0)))
    return evolve(made, digest=codec.policy_digest(made))


@st.composite
def _weightings(draw: st.DrawFn, kind: SignalKind) -> Weighting:
    """A kind that lowers a score expires within a year (RET-1)."""
    lowers = kind.entry.lowers
    size, days = draw(_hundredths), draw(st.none() | st.integers(1, 365).map(float))
    return Weighting(
        kind=kind,
        weight=-size if lowers else size,
        floor=-draw(_hundredths) if lowers else 0.0,
        cap=0.0 if lowers else draw(_hundredths),
        partner_cap=draw(_hundredths),
        half_life_days=days,
        expires_days=365.0 if lowers else draw(st.none() | st.just(730.0)),
    )


#: A time after everything that is drawn here, for a clock.
AFTER = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1)
