"""Disputes at the hub: a disputed signal counts in no context, from its opening on."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from sesame_sdk import GuardRefusedError, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.rights.dispute_model import DisputeState
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model import codec
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, Partner, kind, manifest, policy, weighting
from tests.hub.rights.conftest import Scenario
from tests.hub.test_stream_contents import CHANGED, Reader

WRONG = "I paid it, and have the slip"
DESK, HEAD = "disputes desk", "head of fairness"


def test_a_disputed_signal_stops_counting_at_once_and_counts_again_when_rejected(scenario: Scenario) -> None:
    """For the reader, in the explanation, and in an estimate; no other person's score changes."""
    assert (scenario.points(), scenario.points("bob")) == (503.0, 510.0)
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, WRONG)
    assert (scenario.points(), scenario.points("bob")) == (510.0, 510.0)
    explanation = scenario.hub.explain("ada", "retail")
    assert explanation
    assert not explanation.adverse
    assert scenario.hub.what_if("ada", "retail", []).current == explanation.score
    scenario.hub.rights.decide(1, upheld=False, by=DESK, reason="the bank knows of no payment")
    assert scenario.points() == 503.0


def test_an_upheld_signal_never_counts_again(scenario: Scenario, clock: Clock) -> None:
    """Not after a rebuild, not sent again in another envelope, not under another key."""
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, WRONG)
    decided = scenario.hub.rights.decide(1, upheld=True, by=DESK, reason="the slip is genuine")
    assert decided.state is DisputeState.UPHELD
    scenario.hub.rebuild()
    clock.advance(hours=1)
    assert scenario.shop.send(scenario.late).duplicates == 1
    scenario.hub.revoke_key(scenario.shop.key.kid, clock.now + timedelta(days=1), issuer=scenario.shop.issuer)
    assert scenario.points() == 510.0


def test_a_person_all_of_whose_signals_are_disputed_has_no_score(scenario: Scenario) -> None:
    """Which is a full answer, and no low one."""
    for signal in (scenario.order, scenario.late):
        scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, signal.id, WRONG)
    assert scenario.points() is None


def test_a_disputed_signal_does_not_cross_into_another_context(scenario: Scenario, clock: Clock) -> None:
    """A reader of another score, whose grant lets retail in, does not see it either."""
    hub = scenario.hub
    baihe = Partner.join("https://baihe.example", hub, clock, reads=["matchmaking"])
    hub.set_policy(policy(weighting(ORDERS), context="matchmaking"))
    hub.add_grants(baihe.grants("ada", reads="matchmaking", crossings=("retail",)))
    (before,) = baihe.read("ada", context="matchmaking")
    assert before
    assert before.points == 510.0
    hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.order.id, WRONG)
    assert baihe.read("ada", context="matchmaking") == [None]


def test_a_review_excludes_the_signal_again_and_may_overturn(scenario: Scenario) -> None:
    """By somebody else than who decided."""
    hub = scenario.hub
    hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, WRONG)
    hub.rights.decide(1, upheld=False, by=DESK, reason="the bank knows of no payment")
    hub.rights.request_review(1, "look at the slip")
    assert scenario.points() == 510.0
    with pytest.raises(InvalidInputError, match="must not be the role that decided"):
        hub.rights.record_review(1, overturned=False, by=DESK, reason="as I said")
    assert (
        hub.rights.record_review(1, overturned=True, by=HEAD, reason="the bank was wrong").state
        is DisputeState.UPHELD
    )
    assert scenario.points() == 510.0
    assert hub.rights.get_dispute(1).steps[-1].actor == HEAD


def test_a_signal_is_disputed_once(scenario: Scenario) -> None:
    """The error names the dispute, and where it is."""
    hub, issuer = scenario.hub, scenario.shop.issuer
    hub.rights.open_dispute("ada", issuer, scenario.late.id, WRONG)
    with pytest.raises(InvalidInputError, match=r"dispute 1 is open .*disputes show 1") as refused:
        hub.rights.open_dispute("ada", issuer, scenario.late.id, "again")
    assert refused.value.code == "conflict"
    hub.rights.decide(1, upheld=False, by=DESK, reason="no")
    with pytest.raises(InvalidInputError, match="dispute 1 is rejected"):
        hub.rights.open_dispute("ada", issuer, scenario.late.id, "again")
    assert len(hub.rights.list_disputes()) == 1


def test_only_ones_own_signals_are_disputed(scenario: Scenario) -> None:
    """Another person's, another partner's, one that is none, and by somebody who is unknown."""
    rights, issuer = scenario.hub.rights, scenario.shop.issuer
    with pytest.raises(InvalidInputError, match="this partner sent no such signal of this person"):
        rights.open_dispute("bob", issuer, scenario.late.id, WRONG)
    with pytest.raises(InvalidInputError, match="not a partner of this hub"):
        rights.open_dispute("ada", "https://other.example", scenario.late.id, WRONG)
    with pytest.raises(InvalidInputError, match="signal: "):
        rights.open_dispute("ada", issuer, "1", WRONG)
    with pytest.raises(InvalidInputError, match="unknown person"):
        rights.open_dispute("eve", issuer, scenario.late.id, WRONG)
    with pytest.raises(InvalidInputError, match="give a sentence"):
        rights.open_dispute("ada", issuer, scenario.late.id, "  ")
    with pytest.raises(InvalidInputError, match="unknown dispute"):
        rights.decide(1, upheld=True, by=DESK, reason="yes")
    assert rights.list_disputes() == []


def test_a_stream_hears_what_a_dispute_changes(scenario: Scenario) -> None:
    """The person is queued in the opening transaction, so that the next rescoring updates the reader."""
    hub, shop = scenario.hub, scenario.shop
    stream = Reader(shop, hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"])
    ada = shop.pseudonym("ada")
    assert (CHANGED, ada, 503.0) in stream.take()
    hub.rights.open_dispute("ada", shop.issuer, scenario.late.id, WRONG)
    assert stream.take() == [(CHANGED, ada, 510.0)]
    hub.rights.decide(1, upheld=False, by=DESK, reason="no")
    assert stream.take() == [(CHANGED, ada, 503.0)]


def test_a_rejected_dispute_does_not_prolong_what_a_signal_counts(scenario: Scenario, clock: Clock) -> None:
    """RET-1: what may lower a score expires by its own day, whatever was argued about it meanwhile."""
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, WRONG)
    clock.advance(days=366)
    scenario.hub.rights.decide(1, upheld=False, by=DESK, reason="no")
    assert scenario.points() is None


def test_using_ones_rights_moves_nothing_but_the_signal_itself(scenario: Scenario) -> None:
    """RGT-1: ada's score is that of one who never had the signal; statement and review add nothing."""
    hub, shop = scenario.hub, scenario.shop
    hub.add_grants(shop.grants("eve", ORDER, LATE, reads="retail"))
    shop.send(shop.signal("eve", "4"))
    hub.rights.open_dispute("ada", shop.issuer, scenario.late.id, WRONG)
    hub.rights.set_statement(1, "I am sorry that it came to this")
    assert hub.explain("ada", "retail") == hub.explain("eve", "retail")
    hub.rights.decide(1, upheld=False, by=DESK, reason="no")
    hub.rights.request_review(1)
    assert hub.explain("ada", "retail") == hub.explain("eve", "retail")


def test_the_guard_lets_no_policy_count_what_is_disputed(hub: Hub, shop: Partner) -> None:
    """DSP-1: neither by saying so, nor by offering no way to dispute."""
    assert shop
    ways: tuple[dict[str, Any], ...] = ({"disputed_count": True}, {"disputes": ""})
    for broken in ways:
        made = evolve(policy(weighting(ORDERS)), **broken)
        with pytest.raises(GuardRefusedError) as refused:
            hub.set_policy(evolve(made, digest=codec.policy_digest(made)))
        assert {finding.rule for finding in refused.value.findings} == {"DSP-1"}


def test_no_kind_is_about_disputes(shop: Partner) -> None:
    """RGT-1: a partner cannot register disputes as something to send."""
    disputes = kind("retail.order.disputed", "dispute")
    with pytest.raises(GuardRefusedError) as refused:
        shop.register(manifest(LATES, disputes, name="sesame-other"))
    assert "RGT-1" in {finding.rule for finding in refused.value.findings}


def test_a_dispute_survives_the_end_of_what_it_is_about(scenario: Scenario) -> None:
    """Ada withdraws; the dispute is still there to be decided, and its signal still hers to see."""
    scenario.hub.rights.open_dispute("ada", scenario.shop.issuer, scenario.late.id, WRONG)
    scenario.hub.withdraw_grants("ada", scenario.shop.issuer)
    (listed,) = scenario.hub.rights.list_disputes("ada")
    assert (listed.kind, listed.signal, listed.steps[0].comment) == (LATE, scenario.late.id, WRONG)
    assert scenario.hub.rights.list_disputes("bob") == []
    assert scenario.late.occurred_at == NOON
