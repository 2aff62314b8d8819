"""Notices of disputes and erasures to partners: signed, repeated until acknowledged, and recorded."""

from datetime import timedelta
from typing import Any

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.database.dialects.base import LockScope
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.dispute_model import DeadlineStatus, DisputeAction
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.notices import sign_notices_token
from sesame_sdk.signing.jwt import SET_TYP, Token
from sesame_sdk.signing.keys import Trust, TrustedKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, ORDER, Clock, Partner
from tests.hub.rights.conftest import Scenario

DESK, HEAD = "disputes desk", "head of fairness"


def request(partner: Partner) -> bytes:
    """The token of a partner."""
    hub = partner.hub.settings.issuer
    return sign_notices_token(partner.key, issuer=partner.issuer, audience=hub, now=partner.clock())


def poll(partner: Partner, *ack: str, limit: int = 32) -> dict[str, dict[str, Any]]:
    """The claims of a partner's notices, each verified as the partner does, by ``jti``."""
    hub = partner.hub
    keys = Trust({hub.settings.issuer: [TrustedKey(jwk, LONG_AGO) for jwk in hub.jwks()["keys"]]})
    response = hub.rights.poll(request(partner), PollRequest(maxEvents=limit, ack=ack))
    return {
        jti: codec.decode(
            Token.parse(token.encode())
            .verify(keys, typ=SET_TYP, audience=partner.issuer, now=partner.clock())
            .claims,
            dict,
        )
        for jti, token in response.sets.items()
    }


def dispute(scenario: Scenario) -> None:
    """Ada disputes the unpaid invoice."""
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, "I paid it")


def test_the_source_is_notified_of_a_dispute(scenario: Scenario, clock: Clock) -> None:
    """With the signal, the person's statement and the decision date; the time of the notice is recorded."""
    dispute(scenario)
    ((jti, claims),) = poll(scenario.shop).items()
    assert claims["sub_id"]["id"] == scenario.shop.pseudonym("ada")
    assert claims["events"] == {
        EventType.SIGNAL_DISPUTED: {
            "signal": scenario.late.id,
            "kind": LATE,
            "statement": "I paid it",
            "decision_due": "2026-07-01",
        }
    }
    clock.advance(days=3)
    assert poll(scenario.shop, jti) == {}
    notified = scenario.hub.rights.get_dispute(1).first_step(DisputeAction.SOURCE_NOTIFIED)
    assert notified
    assert notified.happened_at == clock.now
    assert scenario.hub.rights.pending_notices() == []


def test_a_notice_is_the_same_until_it_is_acknowledged(scenario: Scenario, clock: Clock) -> None:
    """Byte for byte, whenever it is asked for."""
    dispute(scenario)
    first = scenario.hub.rights.poll(request(scenario.shop), PollRequest())
    clock.advance(hours=30)
    assert scenario.hub.rights.poll(request(scenario.shop), PollRequest()) == first
    assert [token.encode() for token in first.sets.values()] == scenario.hub.rights.export_notices(
        scenario.shop.issuer, mark_delivered=False
    )


def test_the_source_is_informed_of_each_result(scenario: Scenario) -> None:
    """A result that a review overtook before its delivery is not sent any more."""
    rights, shop = scenario.hub.rights, scenario.shop
    dispute(scenario)
    assert poll(shop, *poll(shop)) == {}
    rights.decide(1, upheld=False, by=DESK, reason="the bank knows of no payment")
    rights.request_review(1)
    rights.record_review(1, overturned=True, by=HEAD, reason="the bank was wrong")
    ((jti, claims),) = poll(shop).items()
    outcome = {"signal": scenario.late.id, "outcome": "upheld"}
    assert claims["events"] == {EventType.DISPUTE_DECIDED: outcome}
    assert poll(shop, jti) == {}
    due = {each.task: each for each in rights.get_dispute(1).deadlines()}
    assert due["inform the source of the review's result"].done_at is not None
    assert due["inform the source of the result"].done_at is not None


def test_other_partners_get_no_notice(scenario: Scenario, clock: Clock) -> None:
    """Nor can one partner acknowledge another's."""
    other = Partner.join("https://other.example", scenario.hub, clock, ORDERS)
    scenario.hub.add_grants(other.grants("ada", ORDER))
    dispute(scenario)
    assert poll(other) == {}
    (jti,) = poll(scenario.shop)
    poll(other, jti)
    assert list(poll(scenario.shop)) == [jti]


def test_more_than_fit_come_with_the_next_poll(scenario: Scenario) -> None:
    """Oldest first."""
    rights, shop = scenario.hub.rights, scenario.shop
    dispute(scenario)
    rights.open_dispute("ada", shop.issuer, scenario.order.id, "I sent it back")
    assert rights.poll(request(shop), PollRequest(maxEvents=1)).more
    (first,) = poll(shop, limit=1)
    ((_, second),) = poll(shop, first).items()
    assert second["events"][EventType.SIGNAL_DISPUTED]["kind"] == ORDER


def test_a_notice_token_is_valid_for_one_request_and_for_nothing_else(scenario: Scenario) -> None:
    """And a token for read_transaction does not open this one."""
    hub, shop = scenario.hub, scenario.shop
    token = request(shop)
    hub.rights.poll(token, PollRequest())
    with pytest.raises(InvalidInputError, match="used before"):
        hub.rights.poll(token, PollRequest())
    with pytest.raises(InvalidInputError) as refused:
        hub.read_scores(request(shop), [shop.pseudonym("ada")])
    assert refused.value.code == "authentication_failed"
    with pytest.raises(InvalidInputError) as refused:
        hub.rights.poll(shop.read_token(), PollRequest())
    assert refused.value.code == "authentication_failed"
    thief = shop.with_key(Partner("https://thief.example", hub, shop.clock).key)
    with pytest.raises(InvalidInputError) as refused:
        hub.rights.poll(request(thief), PollRequest())
    assert refused.value.code == "invalid_key"


def test_notices_can_be_handed_over_by_another_way(scenario: Scenario, clock: Clock) -> None:
    """For a partner that does not fetch them; a late one is shown as that, then and later."""
    rights, issuer = scenario.hub.rights, scenario.shop.issuer
    dispute(scenario)
    clock.advance(days=8)
    (owed,) = rights.pending_notices()
    assert (owed.partner, owed.count) == (issuer, 1)
    assert owed.deadline.status(clock.now.date()) is DeadlineStatus.OVERDUE
    assert len(rights.export_notices(issuer, mark_delivered=True)) == 1
    assert rights.export_notices(issuer, mark_delivered=True) == []
    assert rights.get_dispute(1).deadlines()[0].status(clock.now.date()) is DeadlineStatus.LATE
    with pytest.raises(InvalidInputError, match="not a partner of this hub"):
        rights.export_notices("https://other.example", mark_delivered=False)


def test_each_partner_of_an_erased_person_is_notified(scenario: Scenario, hub: Hub, clock: Clock) -> None:
    """Senders and readers, by their own pseudonym; pending notices of the person's disputes are dropped."""
    reader = Partner.join("https://reader.example", hub, clock, reads=["retail"])
    hub.add_grants(reader.grants("ada", reads="retail", given_at=clock.now - timedelta(days=1)))
    dispute(scenario)
    assert hub.rights.erase("ada").partners == 2
    for partner in (scenario.shop, reader):
        ((jti, claims),) = poll(partner).items()
        assert claims["sub_id"]["id"] == partner.pseudonym("ada")
        assert list(claims["events"]) == [EventType.PERSON_ERASED]
        assert poll(partner, jti) == {}
    assert hub.rights.pending_notices() == []


def test_a_poll_waits_for_no_envelope(scenario: Scenario) -> None:
    """Another worker may be storing some on PostgreSQL; what acknowledges nothing needs no lock alone."""
    dispute(scenario)
    engine = scenario.hub.streams.engine
    with engine.connect() as another, another.begin():
        if engine.dialect.name == "postgresql":  # SQLite has one lock for everything
            dialect_of(engine).lock(another, LockScope.SHARED)
        assert len(poll(scenario.shop)) == 1
        assert len(poll(scenario.shop, "unknown")) == 1
