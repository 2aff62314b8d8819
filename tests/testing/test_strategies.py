"""What the strategies draw is what the guard passes and the wire carries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sesame_sdk import Policy, Signal, SignalKind
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.codec import decode, encode, policy_digest
from sesame_sdk.model.envelope import Envelope
from sesame_sdk.signing.envelopes import open_envelope, seal
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from sesame_sdk.signing.sd_jwt import SdJwt
from sesame_sdk.testing import strategies
from sesame_sdk.testing.partner import LONG_AGO

KEY = SigningKey.generate()


@settings(deadline=None)
@given(kind=strategies.kinds())
def test_the_guard_has_nothing_against_a_kind(kind: SignalKind) -> None:
    """Neither a refusal nor a warning."""
    assert Guard().check_kind(kind) == ()


@settings(deadline=None)
@given(policy=strategies.policies())
def test_the_guard_has_nothing_against_a_policy(policy: Policy) -> None:
    """Nor against the kinds in it; and its digest is its own."""
    assert Guard().check_policy(policy, [weighting.kind for weighting in policy.weightings]) == ()
    assert policy.digest == policy_digest(policy)


@settings(deadline=None)
@given(data=st.data(), kinds=strategies.several_kinds("retail"))
def test_what_is_drawn_of_given_kinds_is_of_them(data: st.DataObject, kinds: list[SignalKind]) -> None:
    """A signal is of one of them and of its measure; a policy weighs no other."""
    signal = data.draw(strategies.signals(kinds))
    (kind,) = [kind for kind in kinds if kind.name == signal.kind]
    assert signal.value > 0
    assert kind.currency or signal.value == 1
    policy = data.draw(strategies.policies(kinds))
    assert {weighting.kind for weighting in policy.weightings} <= set(kinds)


@given(signal=strategies.signals())
def test_a_signal_survives_the_wire(signal: Signal) -> None:
    """JSON and back."""
    assert decode(encode(signal), Signal) == signal


@settings(deadline=None)
@given(envelope=strategies.envelopes())
def test_an_envelope_can_be_sealed_and_opened(envelope: Envelope) -> None:
    """And has the same contents."""
    issuer, audience, now = envelope.issuer, envelope.audience, strategies.AFTER
    sealed = seal(envelope.signals, KEY, issuer=issuer, audience=audience, now=now, jti=envelope.jti)
    trust = Trust({issuer: [TrustedKey(KEY.public_jwk, LONG_AGO)]})
    assert (
        open_envelope(SdJwt.parse(sealed), trust, audience=audience, now=now).envelope.signals
        == envelope.signals
    )
