"""What a hub tells readers: scores of what counts now, and None for all else."""

from datetime import timedelta

import pytest
from attrs import evolve

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.hub_stage import HUB, OnStage
from sesame_sdk.testing.partner import Partner, manifest
from sesame_sdk.testing.sample_data import (
    BENEFITS,
    CARE,
    COMMUNITY,
    LATE,
    ORDER,
    POST,
    PURCHASES,
    RETAIL,
    reading,
)


class Reading(OnStage):
    """What readers, and the people that they read of, rely on."""

    def test_nobody_known_no_consent_and_no_score_are_one_answer(self, shop: Partner, hub: AnyHub) -> None:
        """None, and it is not told why."""
        hub.add_grants([shop.lets_send("cleo", ORDER.name)])
        shop.send(shop.signal("ada", "1", ORDER.name), shop.signal("cleo", "2", ORDER.name))
        assert self.points(shop, "ada", "bob", "cleo", "nobody") == [510.0, None, None, None]

    def test_a_reader_sees_no_reasons(self, shop: Partner) -> None:
        """Points, band, day and policy are what it gets."""
        shop.send(shop.signal("ada", "1", ORDER.name))
        (score,) = shop.read("ada", purpose=BENEFITS, context=RETAIL)
        assert score is not None
        assert (score.band, score.policy, score.contributions) == ("fair", PURCHASES.digest, ())

    def test_a_read_token_is_good_once(self, shop: Partner, hub: AnyHub) -> None:
        """Whoever finds a used one gets nothing."""
        token = shop.read_token(BENEFITS, RETAIL)
        hub.read_scores(token, [shop.pseudonym("ada")])
        with pytest.raises(InvalidInputError, match="jti") as refused:
            hub.read_scores(token, [shop.pseudonym("ada")])
        assert refused.value.code == "authentication_failed"

    @pytest.mark.parametrize(("purpose", "context"), [(CARE, RETAIL), (BENEFITS, COMMUNITY)])
    def test_who_did_not_register_to_read_may_not(self, shop: Partner, purpose: str, context: str) -> None:
        """Neither for another purpose nor in another context."""
        with pytest.raises(InvalidInputError) as refused:
            shop.read("ada", purpose=purpose, context=context)
        assert refused.value.code == "access_denied"

    def test_a_withdrawal_holds_at_once(self, shop: Partner, hub: AnyHub) -> None:
        """What was sent stops counting, what is sent is dropped, and a read finds nothing."""
        shop.send(shop.signal("ada", "1", ORDER.name), shop.signal("bob", "2", ORDER.name))
        assert hub.withdraw("ada", shop.issuer) == 2
        assert shop.send(shop.signal("ada", "3", ORDER.name)).dropped[0].reason is DropReason.NO_GRANT
        hub.add_grants([shop.lets_read("ada", BENEFITS, RETAIL, given_at=shop.clock())])
        assert self.points(shop, "ada", "bob") == [None, 510.0]

    def test_a_consent_ends_when_it_says(self, shop: Partner, hub: AnyHub, clock: Clock) -> None:
        """From that moment on nothing under it counts."""
        end = clock.now + timedelta(hours=1)
        hub.add_grants([shop.lets_send("ada", LATE.name, expires_at=end)])
        shop.send(shop.signal("ada", "1", LATE.name))
        assert self.points(shop, "ada") == [493.0]
        clock.pass_by(hours=1)
        assert self.points(shop, "ada") == [None]

    def test_nobody_consents_who_is_not_known_to_be_eighteen(self, shop: Partner, hub: AnyHub) -> None:
        """MIN-1; nothing of that call is kept."""
        with pytest.raises(GuardRefusedError, match="MIN-1"):
            hub.add_grants(
                [shop.lets_send("cleo", ORDER.name), shop.lets_send("dan", ORDER.name, adult=False)]
            )
        assert shop.send(shop.signal("cleo", "1", ORDER.name)).accepted == 0

    @pytest.mark.parametrize("crossings", [(), (COMMUNITY,)], ids=["not agreed to", "agreed to"])
    def test_another_context_counts_only_upwards_and_where_it_was_agreed_to(
        self, shop: Partner, hub: AnyHub, clock: Clock, crossings: tuple[str, ...]
    ) -> None:
        """CTX-1: by the grant to read, and by no policy that would let it lower."""
        forum = Partner("https://forum.example", hub, HUB, clock).join(manifest((POST,), name="forum"))
        hub.add_grants([forum.lets_send("ada", POST.name)])
        newer = {"given_at": clock.now, "crossings": crossings}
        hub.add_grants([shop.lets_read("ada", BENEFITS, RETAIL, **newer)])
        shop.send(shop.signal("ada", "1", ORDER.name))
        forum.send(forum.signal("ada", "2", POST.name))
        assert self.points(shop, "ada") == [513.0 if crossings else 510.0]
        lowering = evolve(PURCHASES.weightings[2], floor=-10.0, expires_days=9.0)
        with pytest.raises(GuardRefusedError, match="CTX-1"):
            hub.set_policy(evolve(PURCHASES, weightings=(lowering,), digest=""))

    def test_a_revoked_key_takes_along_what_it_signed(self, shop: Partner, hub: AnyHub, clock: Clock) -> None:
        """From an instant on: what came before stays, what came since is gone, and it opens no door."""
        new = SigningKey.generate()
        hub.add_partner(shop.issuer, [new.public_jwk])
        shop.send(shop.signal("ada", "1", ORDER.name))
        clock.pass_by(minutes=1)
        shop.send(shop.signal("ada", "2", ORDER.name, 9.0), shop.signal("ada", "3", ORDER.name))
        shop.with_key(new).send(shop.signal("ada", "3", ORDER.name))
        hub.revoke_key(shop.issuer, shop.key.kid, clock.now)
        assert self.points(shop.with_key(new), "ada") == [520.0]
        with pytest.raises(InvalidInputError) as refused:
            shop.send(shop.signal("ada", "4", ORDER.name))
        assert refused.value.code == "invalid_key"

    def test_what_fell_with_a_key_can_be_sent_again(self, shop: Partner, hub: AnyHub) -> None:
        """Under another key it is new, and counts with its new value; a duplicate it is only after that."""
        new = SigningKey.generate()
        hub.add_partner(shop.issuer, [new.public_jwk])
        shop.send(shop.signal("ada", "1", ORDER.name, 9.0))
        hub.revoke_key(shop.issuer, shop.key.kid, shop.clock())
        mended = shop.with_key(new)
        mended.register(manifest((ORDER, LATE), reading(RETAIL)))
        again = mended.signal("ada", "1", ORDER.name, 2.0)
        assert [(sent.accepted, sent.duplicates) for sent in (mended.send(again), mended.send(again))] == [
            (1, 0),
            (0, 1),
        ]
        assert self.points(mended, "ada") == [520.0]
