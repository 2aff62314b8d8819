"""Trust follows a hub's rotations, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.signing.keys import ALWAYS, MAX_SET_BYTES, SigningKey, TrustedKey
from sesame_sdk.signing.published_keys import PublishedKeys, follow
from tests.conftest import NOON

HUB = "https://hub.example"
DAY = timedelta(days=1)
FIRST, SECOND, THIRD, THIEF = (SigningKey.generate() for _ in range(4))
START = PublishedKeys().with_key(FIRST.public_jwk)


def rotated(keys: PublishedKeys, old: SigningKey, new: SigningKey, at: Any = NOON) -> PublishedKeys:
    """The set after a rotation with an overlap of a day."""
    return keys.rotated(old, new, issuer=HUB, now=at, overlap=DAY)


def trusted(pinned: PublishedKeys, published: PublishedKeys, at: Any = NOON) -> PublishedKeys:
    """What a partner trusts that pinned one set and sees another, through the JSON of both."""
    pinned, published = (
        PublishedKeys.from_json(codec.encode(keys.to_dict())) for keys in (pinned, published)
    )
    return follow(pinned.keys, published, issuer=HUB, now=at)


def kids(keys: PublishedKeys) -> list[str]:
    """The thumbprints."""
    return [key.kid for key in keys.keys]


def test_an_unchanged_set_is_trusted() -> None:
    """As it is."""
    assert kids(trusted(START, START)) == [FIRST.kid]


def test_a_rotation_is_followed_and_the_old_key_ends() -> None:
    """Without asking anybody."""
    follower = trusted(START, rotated(START, FIRST, SECOND))

    assert kids(follower) == [FIRST.kid, SECOND.kid]
    assert [key.not_after for key in follower.keys] == [NOON + DAY, None]


def test_several_rotations_are_followed_at_once_and_one_by_one() -> None:
    """Also long after the first keys have ended; the result is the same."""
    second = rotated(START, FIRST, SECOND)
    third = rotated(second, SECOND, THIRD, NOON + 9 * DAY)
    late = NOON + 30 * DAY

    at_once = trusted(START, third, late)
    assert at_once == trusted(trusted(START, second), third, late)
    assert [key.kid for key in at_once.keys if key.fault(late) is None] == [THIRD.kid]


def test_a_clock_that_is_behind_does_not_hide_a_rotation() -> None:
    """The announcer's validity decides, and no date in a message."""
    assert kids(trusted(START, rotated(START, FIRST, SECOND), NOON - 9 * DAY)) == [FIRST.kid, SECOND.kid]


def forged(keys: PublishedKeys, by: SigningKey) -> PublishedKeys:
    """What a thief of one key publishes: the set with a key of its own, and the old keys as good as new."""
    fresh = tuple(evolve(key, not_after=None, revoked_at=None) for key in keys.keys)
    return rotated(evolve(keys, keys=fresh), by, THIEF)


ONCE = rotated(START, FIRST, SECOND)
REVOKED = START.revoked(FIRST, SECOND, now=NOON, since=NOON - DAY)


@pytest.mark.parametrize(
    ("pinned", "published", "at"),
    [
        pytest.param(START, PublishedKeys().with_key(THIEF.public_jwk), NOON, id="another key"),
        pytest.param(START, START.with_key(THIEF.public_jwk), NOON, id="one more key that none announced"),
        pytest.param(START, forged(START, THIEF), NOON, id="announced by itself"),
        pytest.param(
            START,
            rotated(PublishedKeys().with_key(THIEF.public_jwk).with_key(FIRST.public_jwk), THIEF, SECOND),
            NOON,
            id="announced by a stranger's key",
        ),
        pytest.param(
            trusted(START, ONCE), forged(ONCE, FIRST), NOON, id="announced by an old key in its overlap"
        ),
        pytest.param(
            trusted(START, ONCE),
            forged(ONCE, FIRST),
            NOON + 9 * DAY,
            id="announced by an old key after its end",
        ),
        pytest.param(
            trusted(START, ONCE),
            forged(START, FIRST),
            NOON + 9 * DAY,
            id="the set as it was before the rotation",
        ),
        pytest.param(START, REVOKED, NOON, id="the successor of a revoked key"),
        pytest.param(
            START,
            rotated(START.revoked(FIRST, SECOND, now=NOON, since=NOON), FIRST, THIEF),
            NOON,
            id="announced by a revoked key",
        ),
        pytest.param(START, REVOKED._change(SECOND.kid, revoked_at=NOON), NOON, id="revoked keys only"),
        pytest.param(
            START,
            PublishedKeys()
            .with_key(FIRST.public_jwk)
            .rotated(FIRST, THIEF, issuer="https://other.example", now=NOON, overlap=DAY),
            NOON,
            id="the rotation of another hub",
        ),
        pytest.param(START, START._change(FIRST.kid, not_after=NOON - DAY), NOON, id="no valid key"),
    ],
)
def test_what_no_trusted_key_announced_needs_the_operator(
    pinned: PublishedKeys, published: PublishedKeys, at: Any
) -> None:
    """The pinned keys stay as they are."""
    with pytest.raises(ConfigurationError, match="publishes other keys than the pinned ones"):
        trusted(pinned, published, at)


def test_an_end_or_a_revocation_is_never_taken_back() -> None:
    """Though the set says later that the key is as good as new."""
    follower = trusted(START, ONCE)
    fresh = evolve(ONCE, keys=tuple(evolve(key, not_after=None) for key in ONCE.keys))

    assert trusted(follower, fresh).keys[0].not_after == NOON + DAY
    revoked = trusted(follower, ONCE._change(FIRST.kid, revoked_at=NOON))
    assert trusted(revoked, ONCE).keys[0].revoked_at == NOON


def test_a_key_that_is_no_longer_published_is_no_longer_trusted() -> None:
    """Fewer keys need no confirmation."""
    both = START.with_key(SECOND.public_jwk)

    assert kids(trusted(both, START)) == [FIRST.kid]


def test_a_set_stays_small_over_a_hundred_rotations() -> None:
    """The oldest keys and announcements go; a partner that follows loses nothing."""
    keys, present, follower = START, FIRST, START
    for number in range(100):
        following = SigningKey.generate()
        keys = rotated(keys, present, following, NOON + number * DAY)
        follower = trusted(follower, keys, NOON + number * DAY)
        present = following

    assert len(codec.encode(keys.to_dict())) < MAX_SET_BYTES
    assert kids(follower)[-1] == present.kid


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"exp": "soon"}, id="text"),
        pytest.param({"nbf": 1e300}, id="a date that no calendar has"),
        pytest.param({"exp": None, "nbf": []}, id="a list"),
        pytest.param({"revoked": True}, id="revoked without a date"),
    ],
)
def test_a_validity_of_another_form_is_refused(change: dict[str, Any]) -> None:
    """Rather than taken for none."""
    with pytest.raises(InvalidInputError):
        PublishedKeys.from_json(codec.encode({"keys": [{**FIRST.public_jwk, **change}]}))


def test_a_published_key_says_since_when_and_until_when() -> None:
    """In the members of OpenID Federation 1.0 section 8.7.3, and is read back."""
    key = TrustedKey(FIRST.public_jwk, NOON, not_after=NOON + DAY, revoked_at=NOON)

    assert key.published_jwk == {
        **FIRST.public_jwk,
        "nbf": int(NOON.timestamp()),
        "exp": int((NOON + DAY).timestamp()),
        "revoked": {"revoked_at": int(NOON.timestamp())},
    }
    assert TrustedKey.from_jwk(key.published_jwk) == key
    assert TrustedKey.from_jwk(FIRST.public_jwk) == TrustedKey(FIRST.public_jwk, ALWAYS)
