"""What a hub does with messages: keeps, drops, answers, and turns away."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.model.envelope import Dropped, DropReason, EventType
from sesame_sdk.model.signals import Sensitivity
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.hub_stage import OnStage
from sesame_sdk.testing.partner import Partner, manifest
from sesame_sdk.testing.sample_data import LATE, ORDER, POST, RETAIL, reading


class Sending(OnStage):
    """What partners that send rely on."""

    def test_what_was_granted_is_accepted(self, shop: Partner, clock: Clock) -> None:
        """The receipt is signed by the hub, for the sender, with the time and the numbers."""
        receipt = shop.send(shop.signal("ada", "1", ORDER.name), shop.signal("ada", "2", ORDER.name))
        assert (receipt.accepted, receipt.duplicates, receipt.dropped) == (2, 0, ())
        assert receipt.received_at == clock.now

    def test_each_signal_is_dropped_for_its_own_reason(self, shop: Partner, clock: Clock) -> None:
        """One bad signal does not take the others with it; what is wrong with it comes before consent."""
        soon, long_ago = clock.now + timedelta(minutes=6), datetime(1969, 12, 31, tzinfo=UTC)
        bad = {
            shop.signal("ada", "2", POST.name): DropReason.KIND_NOT_REGISTERED,
            shop.signal("ada", "3", ORDER.name, -1.0): DropReason.VALUE_AGAINST_POLARITY,
            shop.signal("ada", "4", ORDER.name, at=soon): DropReason.IN_THE_FUTURE,
            shop.signal("ada", "8", ORDER.name, 1e300): DropReason.VALUE_OUT_OF_RANGE,
            evolve(shop.signal("ada", "9", ORDER.name), occurred_at=long_ago): DropReason.TOO_LONG_AGO,
            shop.signal("ada", "5", LATE.name): DropReason.NO_GRANT,
            shop.signal("cleo", "6", ORDER.name): DropReason.NO_GRANT,
            shop.signal("cleo", "7", POST.name): DropReason.KIND_NOT_REGISTERED,
        }
        receipt = shop.send(shop.signal("ada", "1", ORDER.name), *bad)
        assert receipt.accepted == 1
        assert receipt.dropped == tuple(Dropped(signal.id, reason) for signal, reason in bad.items())

    def test_what_clocks_differ_by_is_forgiven(self, shop: Partner, clock: Clock) -> None:
        """A signal five minutes ahead is kept."""
        soon = clock.now + timedelta(minutes=5)
        assert shop.send(shop.signal("ada", "1", ORDER.name, at=soon)).accepted == 1

    def test_a_signal_sent_again_is_a_duplicate(self, shop: Partner) -> None:
        """In another envelope or twice in one, it counts once."""
        one, two = shop.signal("ada", "1", ORDER.name), shop.signal("ada", "2", ORDER.name)
        shop.send(one)
        receipt = shop.send(one, two, two)
        assert (receipt.accepted, receipt.duplicates) == (1, 2)
        assert self.points(shop, "ada") == [520.0]

    def test_the_same_envelope_again_gets_the_same_receipt(
        self, shop: Partner, hub: AnyHub, clock: Clock
    ) -> None:
        """Byte for byte, however much later."""
        envelope = shop.seal(shop.signal("ada", "1", ORDER.name))
        first = hub.receive(envelope)
        clock.pass_by(days=10)
        assert hub.receive(envelope) == first

    def test_another_message_under_a_used_jti_is_rejected(self, shop: Partner, hub: AnyHub) -> None:
        """Be it another batch, or the same one with a signal withheld."""
        signals = shop.signal("ada", "1", ORDER.name), shop.signal("ada", "2", ORDER.name)
        whole = shop.seal(*signals, jti="once")
        token, first, *_ = whole.split(b"~")
        hub.receive(b"~".join([token, first, b""]))
        for other in (whole, shop.seal(shop.signal("ada", "3", ORDER.name), jti="once")):
            with pytest.raises(InvalidInputError, match="jti"):
                hub.receive(other)

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            pytest.param({"audience": "https://other.example"}, "invalid_audience", id="for another hub"),
            pytest.param({"issuer": "https://nobody.example"}, "invalid_issuer", id="from a stranger"),
            pytest.param({"now": datetime(2040, 1, 1, tzinfo=UTC)}, "invalid_request", id="of tomorrow"),
        ],
    )
    def test_a_message_that_is_not_for_this_hub_is_rejected(
        self, shop: Partner, hub: AnyHub, said: dict[str, object], code: str
    ) -> None:
        """With the code of RFC 8935 section 2.4."""
        with pytest.raises(InvalidInputError) as refused:
            hub.receive(shop.token(EventType.SIGNALS, {"signals": []}, **said))
        assert refused.value.code == code

    def test_a_key_that_is_not_the_partners_is_rejected(self, shop: Partner) -> None:
        """Whoever signs in a partner's name with a key of their own gets nowhere."""
        with pytest.raises(InvalidInputError) as refused:
            shop.with_key(SigningKey.generate()).send(shop.signal("ada", "1", ORDER.name))
        assert refused.value.code == "invalid_key"

    def test_a_registration_that_the_guard_refuses_carries_its_findings(self, shop: Partner) -> None:
        """All of them at once, and what was registered before stands."""
        partisan = evolve(POST, sensitivity=Sensitivity.POLITICAL)
        hiring = evolve(reading(RETAIL)[0], purpose="https://w3id.org/dpv#Recruitment")
        with pytest.raises(GuardRefusedError) as refused:
            shop.register(manifest((partisan,), (hiring,)))
        assert {"POL-1", "PUR-2"} <= {finding.rule for finding in refused.value.findings}
        assert shop.send(shop.signal("ada", "1", ORDER.name)).accepted == 1

    def test_a_name_means_one_thing(self, shop: Partner) -> None:
        """A kind that is registered may not be declared otherwise, by anybody."""
        with pytest.raises(InvalidInputError, match="another meaning") as refused:
            shop.register(manifest((evolve(ORDER, sources=("a till",)),), name="other"))
        assert refused.value.code == "access_denied"

    def test_an_older_registration_is_rejected(self, shop: Partner, hub: AnyHub, clock: Clock) -> None:
        """Whoever replays what a plugin once declared changes nothing."""
        older = shop.token(EventType.REGISTRATION, manifest((POST,)))
        clock.pass_by(minutes=1)
        shop.register(manifest((ORDER, LATE), reading(RETAIL)))
        with pytest.raises(InvalidInputError, match="older"):
            hub.receive(older)
        assert shop.send(shop.signal("ada", "1", ORDER.name)).accepted == 1

    def test_a_registration_falls_with_its_key(self, shop: Partner, hub: AnyHub, clock: Clock) -> None:
        """A thief's goes, and the partner's own before it stands again."""
        thief = shop.with_key(SigningKey.generate())
        hub.add_partner(shop.issuer, [thief.key.public_jwk])
        clock.pass_by(minutes=1)
        thief.register(manifest((POST,)))
        order = shop.signal("ada", "1", ORDER.name)
        assert shop.send(order).dropped[0].reason is DropReason.KIND_NOT_REGISTERED
        hub.revoke_key(shop.issuer, thief.key.kid, clock.now)
        assert shop.send(order).accepted == 1

    def test_a_name_that_a_thief_took_is_free_again(self, shop: Partner, hub: AnyHub, clock: Clock) -> None:
        """What a name meant in registrations that fell with their key, it does not mean."""
        thief = shop.with_key(SigningKey.generate())
        hub.add_partner(shop.issuer, [thief.key.public_jwk])
        clock.pass_by(minutes=1)
        thief.register(manifest((evolve(POST, sources=("a till",)),), name="other"))
        with pytest.raises(InvalidInputError, match="another meaning"):
            shop.register(manifest((POST,), name="posts"))
        hub.revoke_key(shop.issuer, thief.key.kid, clock.now)
        shop.register(manifest((POST,), name="posts"))

    def test_a_consent_that_is_told_as_withdrawn_ends_no_later(
        self, shop: Partner, hub: AnyHub, clock: Clock
    ) -> None:
        """Telling the same consent again, with a later end or with none, does not undo it."""
        for end in (clock.now, clock.now + timedelta(days=1), None):
            hub.add_grants([shop.lets_send("ada", ORDER.name, withdrawn_at=end)])
            dropped = shop.send(shop.signal("ada", "1", ORDER.name)).dropped
            assert [one.reason for one in dropped] == [DropReason.NO_GRANT]
