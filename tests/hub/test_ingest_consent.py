"""Consent is looked at when a message is received, and only what it covers is taken or kept."""

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import Dropped, DropReason, Receipt
from tests.hub.fixtures import NOON, ORDER, Clock, Partner
from tests.hub.ledger import ledger_bytes

TOMORROW = NOON + timedelta(days=1)


def _reasons(receipt: Receipt) -> list[DropReason]:
    return [dropped.reason for dropped in receipt.dropped]


def test_what_was_sealed_under_a_grant_is_dropped_after_its_withdrawal(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """An envelope that waited in an outbox adds nothing once its person withdrew."""
    hub.add_grants(shop.grants("ada", ORDER))
    signal = shop.signal("ada", "1")
    envelope = shop.seal(signal)
    clock.advance(seconds=10)
    hub.withdraw_grants("ada", shop.issuer)
    receipt = shop.read_receipt(hub.receive(envelope))
    assert (receipt.accepted, receipt.dropped) == (0, (Dropped(signal.id, DropReason.NO_GRANT),))


def test_what_was_sealed_before_a_grant_is_taken_once_it_is_given(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """The other way round: the person agreed while the envelope waited."""
    envelope = shop.seal(shop.signal("ada", "1"))
    clock.advance(seconds=10)
    hub.add_grants(shop.grants("ada", ORDER, given_at=clock.now))
    assert shop.read_receipt(hub.receive(envelope)).accepted == 1


def test_a_withdrawal_ends_a_grant_that_has_yet_to_begin(shop: Partner, hub: Hub, clock: Clock) -> None:
    """Who says no today is not overruled by a yes that was dated for tomorrow."""
    hub.add_grants(shop.grants("ada", ORDER, given_at=TOMORROW))
    assert hub.withdraw_grants("ada", shop.issuer) == 1
    clock.advance(days=2)
    assert _reasons(shop.send(shop.signal("ada", "1"))) == [DropReason.NO_GRANT]


def test_a_grant_that_has_yet_to_begin_lets_nothing_in_before_it_does(
    shop: Partner, hub: Hub, clock: Clock
) -> None:
    """And then it does, though the hub was asked about it earlier."""
    hub.add_grants(shop.grants("ada", ORDER, given_at=TOMORROW))
    assert _reasons(shop.send(shop.signal("ada", "1"))) == [DropReason.NO_GRANT]
    clock.advance(days=1)
    assert shop.send(shop.signal("ada", "1")).accepted == 1


def test_a_withdrawal_in_the_grant_ends_it(shop: Partner, hub: Hub, clock: Clock) -> None:
    """An operator may load its list again with the end in it: no new grant, and the old one is over."""
    ((person, grant),) = consents = shop.grants("ada", ORDER)
    hub.add_grants(consents)
    assert shop.send(shop.signal("ada", "1")).accepted == 1
    clock.advance(hours=1)
    ended = (person, evolve(grant, withdrawn_at=clock.now))
    assert hub.add_grants([ended]) == 0
    assert hub.list_grants("ada") == [ended]
    assert hub.explain("ada", "retail") is None
    assert _reasons(shop.send(shop.signal("ada", "2"))) == [DropReason.NO_GRANT]


@pytest.mark.parametrize("later", [None, NOON + timedelta(days=9)], ids=["not at all", "later"])
def test_a_recorded_end_is_never_postponed(shop: Partner, hub: Hub, clock: Clock, later: None) -> None:
    """The same consent with a later end, or none, keeps its first end."""
    ((person, grant),) = shop.grants("ada", ORDER)
    ended = (person, evolve(grant, withdrawn_at=NOON))
    hub.add_grants([ended])
    hub.add_grants([(person, evolve(grant, withdrawn_at=later))])
    assert hub.list_grants("ada") == [ended]
    clock.advance(seconds=1)
    assert _reasons(shop.send(shop.signal("ada", "1"))) == [DropReason.NO_GRANT]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one call", "in two calls"])
def test_a_partner_has_one_pseudonym_for_a_person(shop: Partner, hub: Hub, at_once: bool) -> None:
    """A second one is rejected, without a word of who it is about, and nothing of the call is kept."""
    adas = shop.grants("ada", ORDER)
    second = shop.pseudonym("ada, by another account")
    again = [("ada", evolve(grant, subject=second)) for _, grant in adas]
    if not at_once:
        hub.add_grants(adas)
    with pytest.raises(InvalidInputError, match="subject: the person has another pseudonym") as refused:
        hub.add_grants([*shop.grants("cleo", ORDER), *adas, *again] if at_once else again)
    assert not {second, shop.pseudonym("ada")} & set(str(refused.value).split())
    assert hub.list_grants() == ([] if at_once else adas)


def test_an_envelope_of_nothing_new_leaves_no_disclosure(shop: Partner, hub: Hub, hub_path: Path) -> None:
    """Signals that are there already are not stored a second time under another salt."""
    hub.add_grants(shop.grants("ada", ORDER))
    signals = [shop.signal("ada", "1"), shop.signal("ada", "2")]
    first, again = shop.seal(*signals), shop.seal(*signals)
    assert shop.read_receipt(hub.receive(first)).accepted == 2
    receipt = shop.read_receipt(hub.receive(again))
    assert (receipt.accepted, receipt.duplicates) == (0, 2)
    hub.close()
    stored = ledger_bytes(hub_path)
    assert all(disclosure in stored for disclosure in first.split(b"~")[1:3])
    assert not any(disclosure in stored for disclosure in again.split(b"~")[1:3])


@pytest.mark.parametrize("left", [0, 1], ids=["all of its disclosures", "one of its disclosures"])
def test_an_envelope_that_comes_stripped_does_not_swallow_the_whole_one(
    shop: Partner, hub: Hub, left: int
) -> None:
    """The whole one is not answered with the receipt for less: it is rejected, so that its sender knows."""
    hub.add_grants(shop.grants("ada", ORDER))
    whole = shop.seal(shop.signal("ada", "1"), shop.signal("ada", "2"))
    stripped = b"~".join([*whole.split(b"~")[: 1 + left], b""])
    receipt = shop.read_receipt(hub.receive(stripped))
    assert (receipt.accepted, receipt.dropped) == (left, ())
    with pytest.raises(InvalidInputError, match="jti: was used for another message"):
        hub.receive(whole)
    assert shop.read_receipt(hub.receive(stripped)) == receipt
