"""A partner announces its next key with its present one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.jwt import sign_claims
from sesame_sdk.signing.key_rotation import MAX_OVERLAP, PROOF_TYP, KeyRotation, announce
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import NOON, ORDER, Clock, Partner, policy, weighting
from tests.signing.weak_keys import WEAK_POINTS, weak_jwk

DAY = timedelta(days=1)


def announcement(partner: Partner, following: SigningKey, overlap: timedelta = DAY, **parties: str) -> bytes:
    """The message that names `following`."""
    claims = {"issuer": partner.issuer, "audience": partner.hub.settings.issuer} | parties
    return announce(partner.key, following, now=partner.clock(), overlap=overlap, **claims)[0]


def rotate(partner: Partner, overlap: timedelta = DAY) -> Partner:
    """The partner with its next key, which the hub has accepted."""
    following = SigningKey.generate()
    partner.read_receipt(partner.hub.receive(announcement(partner, following, overlap)))
    return partner.with_key(following)


def is_accepted(partner: Partner, number: int = 0) -> bool:
    """Whether the hub takes a message that this key signs."""
    try:
        partner.send(partner.signal("ada", f"probe {number}", ORDER))
    except InvalidInputError as error:
        if error.code != "invalid_key":
            raise
        return False
    return True


def test_both_keys_are_valid_for_the_overlap_and_the_next_one_alone_afterwards(
    shop: Partner, clock: Clock
) -> None:
    """By the hub's clock: the date in a message does not matter."""
    new = rotate(shop)

    assert (is_accepted(shop, 1), is_accepted(new, 2)) == (True, True)
    clock.advance(days=1)
    assert (is_accepted(shop, 3), is_accepted(new, 4)) == (False, True)
    backdated = evolve(shop, clock=lambda: NOON)
    assert not is_accepted(backdated, 5)


def test_without_an_overlap_the_present_key_ends_at_once(shop: Partner) -> None:
    """The next message under it is rejected."""
    new = rotate(shop, timedelta())

    assert (is_accepted(shop), is_accepted(new)) == (False, True)


def test_the_same_announcement_again_gets_the_same_receipt_and_changes_nothing(
    shop: Partner, clock: Clock
) -> None:
    """Byte for byte, as for signals, also after the end, which is not moved: a receipt may be lost."""
    following = SigningKey.generate()
    message = announcement(shop, following)
    first = shop.hub.receive(message)
    clock.advance(hours=23)

    assert shop.hub.receive(message) == first
    clock.advance(hours=1)
    assert not is_accepted(shop)
    assert shop.hub.receive(message) == first
    with pytest.raises(InvalidInputError, match="has been replaced already"):
        rotate(shop)


def test_a_key_announces_one_successor(shop: Partner) -> None:
    """A second one would let a thief go on beside the partner."""
    rotate(shop)

    with pytest.raises(InvalidInputError, match="has been replaced already") as refused:
        rotate(shop)
    assert (refused.value.field, refused.value.code) == ("kid", "invalid_key")


def test_rotations_follow_each_other(shop: Partner) -> None:
    """Each key announces the next, and none comes back."""
    second = rotate(shop)
    third = rotate(second)

    assert is_accepted(third)
    with pytest.raises(InvalidInputError, match="was used before"):
        third.hub.receive(announcement(third, shop.key))


def test_a_revoked_key_announces_nothing(hub: Hub, shop: Partner, clock: Clock) -> None:
    """Neither after its revocation, nor with a message that was verified before and is stored after."""
    message = announcement(shop, SigningKey.generate())
    verified = hub._dispatcher.verify(message, hub._keys)
    hub.revoke_key(shop.key.kid, clock())

    with pytest.raises(InvalidInputError, match="was revoked"):
        hub.receive(message)
    with pytest.raises(InvalidInputError, match="was revoked"):
        hub._writers.ledger.submit(hub._dispatcher.task(verified)).result()
    assert [partner.kids for partner in hub.list_partners()] == [()]


def test_a_key_of_another_partner_is_not_announced(hub: Hub, shop: Partner, clock: Clock) -> None:
    """Also by a proof, if two partners shared a key."""
    twin = Partner.join("https://twin.example", hub, clock, ORDERS)

    with pytest.raises(InvalidInputError, match="is a key of another partner"):
        hub.receive(announcement(shop, twin.key))
    assert is_accepted(shop)


def test_a_key_that_was_revoked_is_not_announced(hub: Hub, shop: Partner, clock: Clock) -> None:
    """The partner has to create a new one."""
    lost = SigningKey.generate()
    hub.add_partner(shop.issuer, [lost.public_jwk])
    hub.revoke_key(lost.kid, clock())

    with pytest.raises(InvalidInputError, match="was revoked"):
        hub.receive(announcement(shop, lost))


def test_a_key_that_the_operator_added_already_may_be_announced(hub: Hub, shop: Partner) -> None:
    """Then the announcement only ends the present one."""
    following = SigningKey.generate()
    hub.add_partner(shop.issuer, [following.public_jwk])

    hub.receive(announcement(shop, following, timedelta()))

    assert (is_accepted(shop), is_accepted(shop.with_key(following))) == (False, True)


THIEF = SigningKey.generate()


def with_payload(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Partner], bytes]:
    """An announcement whose payload was changed before it was signed."""

    def build(shop: Partner) -> bytes:
        claims = {
            "iss": shop.issuer,
            "aud": shop.hub.settings.issuer,
            "iat": 0,
            "jti": "p",
            "old_kid": shop.key.kid,
        }
        proof = sign_claims(claims, THIEF, typ=PROOF_TYP).decode()
        payload = {"jwk": THIEF.public_jwk, "overlap_seconds": 60, "proof": proof}
        changed = change({**payload, "claims": claims})
        return shop.token(EventType.KEY_ROTATION, {n: v for n, v in changed.items() if n != "claims"})

    return build


def resigned(signer: SigningKey, typ: str = PROOF_TYP, **claims: str) -> Callable[[Partner], bytes]:
    """An announcement whose proof has other claims, or another signer."""

    def change(payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, "proof": sign_claims(payload["claims"] | claims, signer, typ=typ).decode()}

    return with_payload(change)


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(resigned(SigningKey.generate()), id="a proof that another key signed"),
        pytest.param(resigned(THIEF, iss="https://twin.example"), id="a proof for another partner"),
        pytest.param(resigned(THIEF, aud="https://other.example"), id="a proof for another hub"),
        pytest.param(resigned(THIEF, old_kid=THIEF.kid), id="a proof that names another present key"),
        pytest.param(resigned(THIEF, typ="secevent+jwt"), id="a proof of another type"),
        pytest.param(with_payload(lambda p: {**p, "proof": ""}), id="an empty proof"),
        pytest.param(with_payload(lambda p: {**p, "proof": "x" * 5000}), id="a proof that is too long"),
        pytest.param(with_payload(lambda p: {**p, "overlap_seconds": -1}), id="an overlap in the past"),
        pytest.param(with_payload(lambda p: {**p, "overlap_seconds": 10**9}), id="an overlap of 30 years"),
        pytest.param(with_payload(lambda p: {**p, "jwk": {}}), id="no key"),
        pytest.param(
            with_payload(lambda p: {**p, "jwk": weak_jwk(WEAK_POINTS["order 1"])}), id="a key of low order"
        ),
        pytest.param(lambda shop: announcement(shop, shop.key), id="the present key itself"),
        pytest.param(lambda shop: announcement(shop.with_key(THIEF), THIEF), id="signed by a stranger"),
        pytest.param(
            lambda shop: announcement(shop, THIEF, audience="https://other.example"), id="for another hub"
        ),
    ],
)
def test_an_invalid_announcement_changes_nothing(shop: Partner, build: Callable[[Partner], bytes]) -> None:
    """Each is an error of the partner's, and its present key stays."""
    with pytest.raises(InvalidInputError):
        shop.hub.receive(build(shop))

    assert [partner.kids for partner in shop.hub.list_partners()] == [(shop.key.kid,)]
    assert is_accepted(shop)


def test_the_proof_of_the_right_form_is_accepted(shop: Partner) -> None:
    """So that the refusals above are due to what was changed."""
    shop.hub.receive(with_payload(lambda payload: payload)(shop))

    assert is_accepted(shop.with_key(THIEF))


@pytest.mark.parametrize("overlap", [-timedelta(seconds=1), MAX_OVERLAP + timedelta(seconds=1)])
def test_no_overlap_out_of_range_is_signed(shop: Partner, overlap: timedelta) -> None:
    """The partner learns it before anything is sent."""
    with pytest.raises(InvalidInputError, match="overlap"):
        announcement(shop, SigningKey.generate(), overlap)


def test_after_a_stolen_key_is_revoked_scores_are_as_without_the_thief(
    hub: Hub, shop: Partner, clock: Clock
) -> None:
    """Also if the thief announced a key of its own, and signed with it."""
    hub.add_grants(shop.grants("ada", ORDER))
    hub.set_policy(policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0)))
    shop.send(shop.signal("ada", "honest", ORDER))
    before = hub.explain("ada", "retail")
    clock.advance(hours=1)
    stolen_at = clock()
    thief = rotate(rotate(shop, timedelta()))
    thief.send(*(thief.signal("ada", f"forged {n}", ORDER) for n in range(20)))
    assert hub.explain("ada", "retail") != before

    preview = hub.preview_key_revocation(shop.key.kid, stolen_at)
    impact = hub.revoke_key(shop.key.kid, stolen_at)

    assert impact == preview
    assert (impact.signals, len(impact.announced), impact.announced[-1]) == (20, 2, thief.key.kid)
    assert hub.explain("ada", "retail") == before
    assert not is_accepted(thief)
    recovered = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [recovered.key.public_jwk])
    recovered.send(recovered.signal("ada", "honest", ORDER))
    assert hub.explain("ada", "retail") == before
    assert is_accepted(rotate(recovered))


def test_a_key_that_was_announced_before_the_theft_stays(hub: Hub, shop: Partner, clock: Clock) -> None:
    """Only what a key announced since the theft falls with it."""
    new = rotate(shop)
    clock.advance(hours=1)
    hub.revoke_key(shop.key.kid, clock())

    assert (is_accepted(shop), is_accepted(new)) == (False, True)


def test_the_payload_says_how_long_the_present_key_stays() -> None:
    """In seconds, since the hub's clock decides when it begins."""
    rotation = KeyRotation(THIEF.public_jwk, 3600, "")

    assert (rotation.kid, rotation.overlap) == (THIEF.kid, timedelta(hours=1))
