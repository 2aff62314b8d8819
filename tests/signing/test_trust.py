"""Trust: whose keys count, since when and until when."""

from datetime import datetime, timedelta

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.signing.jwt import Token, sign_event, verify_event
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from tests.conftest import NOON
from tests.signing.parties import HUB, SHOP

OLD = SigningKey.generate()
NEW = SigningKey.generate()
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
#: The old key leaves two days after the new one came.
ROTATING = Trust(
    {
        SHOP: [
            TrustedKey(OLD.public_jwk, NOON - 9 * DAY, not_after=NOON + DAY),
            TrustedKey(NEW.public_jwk, NOON - DAY),
        ],
        HUB: [TrustedKey(SigningKey.generate().public_jwk, NOON)],
    }
)


def counts(trust: Trust, key: SigningKey, at: datetime) -> bool:
    """Whether a token that the key signs is valid at this time."""
    token = sign_event(
        EventType.RECEIPT, Receipt("j", NOON, 1), key, issuer=SHOP, audience=HUB, now=NOON - 20 * DAY
    )
    try:
        verify_event(
            Token.parse(token), trust, event=EventType.RECEIPT, payload=Receipt, audience=HUB, now=at
        )
    except InvalidInputError:
        return False
    return True


@pytest.mark.parametrize(
    ("at", "old", "new"),
    [
        pytest.param(NOON - 9 * DAY - TICK, False, False, id="before either begins"),
        pytest.param(NOON - 9 * DAY, True, False, id="from the old key's first instant"),
        pytest.param(NOON - DAY - TICK, True, False, id="just before the new key begins"),
        pytest.param(NOON - DAY, True, True, id="both while they overlap"),
        pytest.param(NOON + DAY - TICK, True, True, id="the old key's last instant"),
        pytest.param(NOON + DAY, False, True, id="the new key alone from then on"),
        pytest.param(NOON + 9999 * DAY, False, True, id="a key without an end goes on"),
    ],
)
def test_a_rotation_is_two_keys_that_overlap(at: datetime, old: bool, new: bool) -> None:
    """Each counts in its own time, begin included and end excluded."""
    assert (counts(ROTATING, OLD, at), counts(ROTATING, NEW, at)) == (old, new)


def test_a_revoked_key_is_refused_from_the_instant_on() -> None:
    """Also for a token with an older date: the thief of a key can write any date."""
    trust = Trust({SHOP: [TrustedKey(OLD.public_jwk, NOON - 9 * DAY, revoked_at=NOON)]})

    assert counts(trust, OLD, NOON - TICK)
    assert not counts(trust, OLD, NOON)
    assert not counts(trust, OLD, NOON + 99 * DAY)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        pytest.param(TrustedKey(OLD.public_jwk, NOON, revoked_at=NOON), "was revoked", id="revoked"),
        pytest.param(TrustedKey(OLD.public_jwk, NOON + DAY), "not valid yet", id="not begun"),
        pytest.param(TrustedKey(OLD.public_jwk, NOON - DAY, NOON), "has expired", id="ended"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_key(key: TrustedKey, why: str) -> None:
    """So that a partner knows whether to wait, to rotate or to worry."""
    with pytest.raises(InvalidInputError, match=why) as caught:
        Trust({SHOP: [key]}).find(SHOP, OLD.kid, NOON)
    assert caught.value.code == "invalid_key"


def test_an_unknown_issuer_and_an_unknown_key_have_different_codes() -> None:
    """RFC 8935 has a code for each."""
    with pytest.raises(InvalidInputError) as unknown_issuer:
        ROTATING.find("https://unknown.example", OLD.kid, NOON)
    with pytest.raises(InvalidInputError) as no_key:
        ROTATING.find(SHOP, SigningKey.generate().kid, NOON)

    assert (unknown_issuer.value.code, no_key.value.code) == ("invalid_issuer", "invalid_key")


def test_a_key_counts_for_its_own_issuer_alone() -> None:
    """The shop's key says nothing in the hub's name."""
    with pytest.raises(InvalidInputError, match="not a key of this issuer"):
        ROTATING.find(HUB, NEW.kid, NOON)


def test_a_key_listed_twice_is_refused() -> None:
    """One entry could end while the other goes on."""
    twice = [TrustedKey(OLD.public_jwk, NOON), TrustedKey(OLD.public_jwk, NOON, revoked_at=NOON)]

    with pytest.raises(ConfigurationError, match="duplicate key"):
        Trust({SHOP: twice})


def test_a_trusted_key_is_known_by_its_thumbprint_and_not_by_what_it_says() -> None:
    """A JWK cannot pass for another by its ``kid``."""
    key = TrustedKey({**OLD.public_jwk, "kid": NEW.kid}, NOON)

    assert key.kid == OLD.kid


@pytest.mark.parametrize("name", ["not_before", "not_after", "revoked_at"])
def test_times_without_a_zone_are_refused(name: str) -> None:
    """Guessing the zone would move the end of a key."""
    times = {"not_before": NOON, name: NOON.replace(tzinfo=None)}

    with pytest.raises(InvalidInputError, match=name):
        TrustedKey(OLD.public_jwk, **times)
