"""Keys of partners: rotation by overlap, revocation from an instant, and what falls with a key."""

from datetime import timedelta

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import HUB, LATE, NOON, ORDER, Clock, Partner, manifest


def _points(hub: Hub, *persons: str) -> list[float | None]:
    explanations = [hub.explain(person, "retail") for person in persons]
    return [each.score.points if each else None for each in explanations]


def test_two_keys_overlap_in_a_rotation(shop: Partner, hub: Hub) -> None:
    """A further key counts beside the first one, and the first goes on counting."""
    hub.add_grants(shop.grants("ada", ORDER))
    new = SigningKey.generate()
    hub.add_partner(shop.issuer, [new.public_jwk])
    assert shop.send(shop.signal("ada", "1")).accepted == 1
    assert shop.with_key(new).send(shop.signal("ada", "2")).accepted == 1
    assert hub.list_partners()[0].kids == (shop.key.kid, new.kid)


def test_a_revoked_key_brings_every_score_back(shop: Partner, hub: Hub, clock: Clock) -> None:
    """What a thief signed falls away, whatever date it bears; what came before the theft stays."""
    hub.add_grants([*shop.grants("ada", ORDER, LATE), *shop.grants("bob", ORDER)])
    shop.send(shop.signal("ada", "1"), shop.signal("ada", "2", LATE))
    clock.advance(hours=1)
    before = _points(hub, "ada", "bob")
    stolen_at = clock.now
    shop.send(*(shop.signal("ada", f"x{number}", LATE, at=NOON) for number in range(5)))
    shop.send(shop.signal("bob", "y"))
    assert _points(hub, "ada", "bob") != before
    clock.advance(hours=1)
    hub.revoke_key(shop.key.kid, stolen_at, issuer=shop.issuer)
    assert _points(hub, "ada", "bob") == before == [_points(hub, "ada")[0], None]


def test_a_revoked_key_is_refused(shop: Partner, hub: Hub, clock: Clock) -> None:
    """From the instant on nothing signed with it comes in."""
    hub.revoke_key(shop.key.kid, clock.now, issuer=shop.issuer)
    with pytest.raises(InvalidInputError) as refused:
        shop.send(shop.signal("ada", "1"))
    assert refused.value.code == "invalid_key"
    assert hub.list_partners()[0].kids == ()


def test_signals_that_fell_with_a_key_can_be_sent_again_under_another(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """The partner exports once more with its new key, and everything counts again, with the new values."""
    hub.add_grants(shop.grants("ada", ORDER))
    new = shop.with_key(SigningKey.generate())
    shop.send(shop.signal("ada", "1", value=9.0))
    hub.revoke_key(shop.key.kid, NOON, issuer=shop.issuer)
    assert _points(hub, "ada") == [None]
    hub.add_partner(shop.issuer, [new.key.public_jwk])
    clock.advance(minutes=1)
    new.register(manifest(ORDERS, LATES, reads=["retail"]))
    assert new.send(shop.signal("ada", "1", value=2.0)).accepted == 1
    assert _points(hub, "ada") == [520.0]
    assert hub.rebuild().signals == 1
    assert _points(hub, "ada") == [520.0]


def test_a_duplicate_of_what_counts_changes_nothing_while_other_signals_are_void(
    shop: Partner, hub: Hub
) -> None:
    """Only the very row that fell with its key gives way."""
    hub.add_grants([*shop.grants("ada", ORDER), *shop.grants("bob", ORDER)])
    stolen = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [stolen.key.public_jwk])
    stolen.send(shop.signal("bob", "2", value=5.0))
    shop.send(shop.signal("ada", "1"))
    hub.revoke_key(stolen.key.kid, NOON, issuer=shop.issuer)
    receipt = shop.send(shop.signal("ada", "1"), shop.signal("bob", "2", value=4.0))
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    assert _points(hub, "ada", "bob") == [510.0, 540.0]


@pytest.mark.parametrize("rebuilt", [False, True], ids=["at once", "and after a rebuild"])
def test_a_signal_vouched_for_by_two_keys_outlives_one(
    shop: Partner, hub: Hub, clock: Clock, rebuilt: bool
) -> None:
    """A thief who comes first with a signal's id cannot keep the partner's own word from counting."""
    old = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [old.key.public_jwk])
    hub.add_grants(shop.grants("ada", ORDER))
    old.send(shop.signal("ada", "1", value=5.0))
    clock.advance(minutes=1)
    assert shop.send(shop.signal("ada", "1", value=3.0)).corrected == 1
    hub.revoke_key(old.key.kid, NOON, issuer=shop.issuer)
    if rebuilt:
        assert hub.rebuild().signals == 1
    assert _points(hub, "ada") == [530.0]


def test_a_registration_falls_with_the_key_that_signed_it(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A thief's registration goes, and the partner's own before it stands again."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    thief = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [thief.key.public_jwk])
    clock.advance(minutes=1)
    thief.register(manifest(LATES))
    assert _points(hub, "ada") == [None]
    hub.revoke_key(thief.key.kid, clock.now, issuer=shop.issuer)
    assert _points(hub, "ada") == [510.0]
    assert hub.list_partners()[0].kinds == (ORDER, LATE)


def test_a_revocation_is_never_made_later(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A repeated revocation with a later time keeps the earlier one."""
    hub.add_grants(shop.grants("ada", ORDER))
    clock.advance(minutes=1)
    shop.send(shop.signal("ada", "1"))
    hub.revoke_key(shop.key.kid, NOON, issuer=shop.issuer)
    hub.revoke_key(shop.key.kid, NOON + timedelta(days=1), issuer=shop.issuer)
    assert _points(hub, "ada") == [None]


@pytest.mark.parametrize(
    ("issuer", "jwks", "field"),
    [
        pytest.param(HUB, [SigningKey.generate().public_jwk], "issuer", id="the hub itself"),
        pytest.param("shop", [SigningKey.generate().public_jwk], "issuer", id="no URL"),
        pytest.param("https://a.example", [], "jwks", id="no key"),
        pytest.param("https://a.example", [{"kty": "RSA"}], "kty", id="not an Ed25519 key"),
    ],
)
def test_who_is_no_partner_is_not_admitted(
    hub: Hub, issuer: str, jwks: list[dict[str, str]], field: str
) -> None:
    """The error names the field, and no partner is added."""
    with pytest.raises(InvalidInputError, match=field):
        hub.add_partner(issuer, jwks)
    assert hub.list_partners() == []


def test_an_unknown_key_cannot_be_revoked(shop: Partner, hub: Hub) -> None:
    """A typing error is reported."""
    with pytest.raises(InvalidInputError, match="kid"):
        hub.revoke_key("nothing", NOON, issuer=shop.issuer)
    with pytest.raises(InvalidInputError, match="partner"):
        hub.revoke_key(shop.key.kid, NOON, issuer="https://unknown.example")
