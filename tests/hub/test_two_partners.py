"""Two partners that say the same kinds and hold their own keys: what is one's is not the other's."""

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, NOON, ORDER, Clock, Partner, manifest

TWIN = "https://twin.example"


def test_a_kind_that_one_partner_dropped_counts_for_the_other_alone(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """That somebody registers a kind does not make another's signals of it count."""
    twin = Partner.join(TWIN, hub, clock, ORDERS)
    for partner in (shop, twin):
        hub.add_grants(partner.grants("ada", ORDER, LATE))
        partner.send(partner.signal("ada", "1"))
    assert hub.explain("ada", "retail").score.points == 520.0  # type: ignore[union-attr] # there is one
    clock.advance(minutes=1)
    twin.register(manifest(LATES, version="2.0"))
    assert hub.explain("ada", "retail").score.points == 510.0  # type: ignore[union-attr] # there is one
    assert [dropped.reason for dropped in twin.send(twin.signal("ada", "2")).dropped] == [
        "kind_not_registered"
    ]


def test_a_consent_to_one_partner_is_none_to_the_other(shop: Partner, hub: Hub, clock: Clock) -> None:
    """The same person, the same kind, two partners: only the one that was let in gets in."""
    twin = Partner.join(TWIN, hub, clock, ORDERS)
    hub.add_grants([*shop.grants("ada", ORDER), *twin.grants("ada", LATE)])
    assert shop.send(shop.signal("ada", "1")).accepted == 1
    assert [dropped.reason for dropped in twin.send(twin.signal("ada", "1")).dropped] == ["no_grant"]


def test_a_key_belongs_to_one_partner(shop: Partner, hub: Hub) -> None:
    """A key of another partner is rejected, alone or among good ones, and no partner is added."""
    good = SigningKey.generate()
    with pytest.raises(InvalidInputError, match="jwks: is a key of another partner"):
        hub.add_partner(TWIN, [good.public_jwk, shop.key.public_jwk])
    assert [partner.issuer for partner in hub.list_partners()] == [shop.issuer]


@pytest.mark.parametrize("issuer", ["https://shop.example", TWIN], ids=["the same partner", "another one"])
def test_a_revoked_key_is_dead_for_everybody(shop: Partner, hub: Hub, clock: Clock, issuer: str) -> None:
    """It cannot be admitted again for any partner, and nothing that it signs is accepted."""
    hub.revoke_key(shop.key.kid, NOON, issuer=shop.issuer)
    clock.advance(days=1)
    with pytest.raises(InvalidInputError, match="jwks"):
        hub.add_partner(issuer, [SigningKey.generate().public_jwk, shop.key.public_jwk], not_before=LONG_AGO)
    assert [(partner.issuer, partner.kids) for partner in hub.list_partners()] == [(shop.issuer, ())]
    with pytest.raises(InvalidInputError) as refused:
        shop.send(shop.signal("ada", "1"))
    assert refused.value.code == "invalid_key"


def test_a_valid_key_may_be_added_again(shop: Partner, hub: Hub) -> None:
    """An operator who loads the same keys twice changes nothing."""
    hub.add_partner(shop.issuer, [shop.key.public_jwk, shop.key.public_jwk])
    assert [partner.kids for partner in hub.list_partners()] == [(shop.key.kid,)]
