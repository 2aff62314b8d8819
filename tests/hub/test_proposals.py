"""An observation that the catalogue lacks counts at a hub once two people approved it, and it is shown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from sesame_sdk import ConsumerDeclaration, GuardRefusedError, InvalidInputError, Manifest, SignalKind
from sesame_sdk.catalogue.observations import Observation, observations
from sesame_sdk.hub.database.tables import policies as policy_table
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners.proposals import MAX_NAME
from sesame_sdk.testing.partner import make_manifest
from tests.hub.fixtures import BENEFITS, Clock, Partner, kind, manifest, policy, weighting
from tests.hub.ledger import rows

MENDED = "item_mended"
ENTRY = evolve(
    observations()["item_lent"],
    reads="lending: repaired",
    computed="1 for each thing that the person repaired for the library",
    en="Things that you repaired for others",
    zh="您为他人修理的物品",
)
REPAIRED = SignalKind("retail.item.repaired", MENDED, proposal=ENTRY)


def approve(hub: Hub) -> None:
    """Two people approve the entry."""
    hub.propose_observation(MENDED, ENTRY, "Tool library of Leeds")
    hub.approve_observation(MENDED, "Ann Lee")
    hub.approve_observation(MENDED, "Bo Chen")


def not_approved(shop: Partner, declared: Manifest) -> bool:
    """Whether a registration is refused for nothing but a missing approval."""
    with pytest.raises(GuardRefusedError) as refused:
        shop.register(declared)
    (finding,) = refused.value.findings
    return "not approved by two people" in str(finding)


def test_an_entry_counts_after_two_people_approved_it(shop: Partner, hub: Hub) -> None:
    """Not before; for kinds, policies and scores."""
    mended = manifest(REPAIRED, name="sesame-mended")
    hub.propose_observation(MENDED, ENTRY, "Tool library of Leeds")
    for name in ("Ann Lee", "Bo Chen"):
        assert not_approved(shop, mended)
        with pytest.raises(GuardRefusedError, match="not approved by two people"):
            hub.set_policy(policy(weighting(REPAIRED)))
        proposal = hub.approve_observation(MENDED, name)
    assert proposal.is_approved
    shop.register(mended)
    hub.set_policy(policy(weighting(REPAIRED), version=2))
    hub.add_grants(shop.grants("ada", REPAIRED.name))
    shop.send(shop.signal("ada", "1", REPAIRED.name))
    explanation = hub.explain("ada", "retail")
    assert explanation
    assert [part.reason for part in explanation.positive] == ["Things that you repaired for others"]


def test_the_approval_is_shown_to_people(shop: Partner, hub: Hub) -> None:
    """In the explanation and in the export: by whom, and when."""
    approve(hub)
    shop.register(manifest(REPAIRED, name="sesame-mended"))
    hub.set_policy(policy(weighting(REPAIRED), weighting(kind("retail.order.kept")), version=2))
    hub.add_grants(shop.grants("ada", REPAIRED.name))
    shop.send(shop.signal("ada", "1", REPAIRED.name))
    explanation = hub.explain("ada", "retail")
    assert explanation
    (text,) = [line for line in explanation.policy_text if "approved it for itself" in line]
    assert text.startswith("'Things that you repaired for others' is not in the catalogue")
    assert "Ann Lee on 2026-06-01 and Bo Chen on 2026-06-01" in text
    out = io.BytesIO()
    hub.rights.export("ada", out)
    (exported,) = json.loads(out.getvalue())["signals"]
    assert (exported["observation"], exported["approval"]) == (MENDED, text)


def test_a_kind_of_the_catalogue_shows_no_approval(shop: Partner, hub: Hub) -> None:
    """Nor does another entry that was approved."""
    approve(hub)
    hub.add_grants(shop.grants("ada", "retail.order.spend"))
    shop.send(shop.signal("ada", "1"))
    explanation = hub.explain("ada", "retail")
    assert explanation
    assert not any("approved" in line for line in explanation.policy_text)
    out = io.BytesIO()
    hub.rights.export("ada", out)
    (exported,) = json.loads(out.getvalue())["signals"]
    assert (exported["observation"], exported["approval"]) == ("order_spend", "")


@pytest.mark.parametrize(
    "name", ["Ann Lee", "ann lee", " Ann  Lee ", "\N{FULLWIDTH LATIN CAPITAL LETTER A}nn Lee"]
)
def test_one_person_is_not_two(hub: Hub, name: str) -> None:
    """However the name is written."""
    hub.propose_observation(MENDED, ENTRY, "Tool library of Leeds")
    hub.approve_observation(MENDED, "Ann Lee")
    with pytest.raises(InvalidInputError, match="approved this entry already"):
        hub.approve_observation(MENDED, name)
    assert [len(one.approvals) for one in hub.list_proposals()] == [1]


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1), "Ann\x1bLee"])
def test_an_approval_has_a_name(hub: Hub, name: str) -> None:
    """So that it can be shown."""
    with pytest.raises(InvalidInputError, match="by: must be a name"):
        hub.propose_observation(MENDED, ENTRY, name)
    hub.propose_observation(MENDED, ENTRY, "Tool library of Leeds")
    with pytest.raises(InvalidInputError, match="by: must be a name"):
        hub.approve_observation(MENDED, name)


@pytest.mark.parametrize(
    ("name", "changes", "rule"),
    [
        pytest.param("post_opinion", {}, "POL-1", id="an opinion"),
        pytest.param("goods_origin", {}, "TST-1", id="the origin of goods"),
        pytest.param("friend_score", {}, "ASC-1", id="the conduct of others"),
        pytest.param("health", {}, "SPC-1", id="health"),
        pytest.param("job_performance", {}, "PUR-2", id="work"),
        pytest.param("public_service", {}, "PUR-3", id="public services"),
        pytest.param("internet_use", {}, "PUR-4", id="connectivity"),
        pytest.param("rent", {}, "PUR-4", id="housing"),
        pytest.param(MENDED, {"reads": "posts: liked"}, "DCL-1", id="a source outside the closed list"),
        pytest.param(MENDED, {"en": "Comics from Japan that you repaired"}, "TST-1", id="taste in its words"),
    ],
)
def test_what_can_never_be_approved_cannot_even_be_proposed(
    hub: Hub, name: str, changes: dict[str, Any], rule: str
) -> None:
    """By the rule that refuses it."""
    with pytest.raises(GuardRefusedError) as refused:
        hub.propose_observation(name, evolve(ENTRY, **changes), "Tool library of Leeds")
    assert {finding.rule for finding in refused.value.findings} == {rule}
    assert hub.list_proposals() == []


def test_an_approval_is_of_the_entry_that_was_proposed(shop: Partner, hub: Hub) -> None:
    """Another entry under its id is refused, and cannot be proposed beside it."""
    approve(hub)
    changed = evolve(ENTRY, computed="1 for each thing that the person repaired in the shop")
    assert not_approved(shop, manifest(evolve(REPAIRED, proposal=changed), name="sesame-mended"))
    with pytest.raises(InvalidInputError, match="was proposed already"):
        hub.propose_observation(MENDED, changed, "Tool library of Leeds")
    with pytest.raises(InvalidInputError, match="no entry item_washed was proposed"):
        hub.approve_observation("item_washed", "Ann Lee")


def test_a_policy_in_doubt_waits_for_a_persons_review(hub: Hub, hub_path: Path, clock: Clock) -> None:
    """The hub keeps the name of the person; a policy without doubt needs none."""
    doubted = evolve(policy(weighting(kind("retail.order.kept"))), name="loan-library", digest="")
    with pytest.raises(InvalidInputError, match="reviewed_by: needs a review: PUR-5"):
        hub.set_policy(doubted)
    with pytest.raises(InvalidInputError, match="reviewed_by"):
        hub.set_policy(doubted, reviewed_by="  ")
    hub.set_policy(doubted, reviewed_by="Ann Lee")
    clock.advance(minutes=1)
    hub.set_policy(policy(weighting(kind("retail.order.kept")), version=2))
    assert [row[5] for row in rows(hub_path, policy_table)] == ["Ann Lee", None]


def test_entries_are_observations() -> None:
    """The entry that is proposed here is one that the catalogue lacks."""
    assert isinstance(ENTRY, Observation)
    assert MENDED not in observations()


def test_a_registration_in_doubt_is_accepted_and_logged(
    shop: Partner, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the partner's number and the rules; the text of the name is in no log."""
    reader = ConsumerDeclaration("loan-library", BENEFITS, "retail")
    shop.register(make_manifest(consumers=[reader], name="sesame-lending"))
    logged = capsys.readouterr().err
    assert logged.count("review_needed") == 1
    assert "PUR-5" in logged
    assert "loan" not in logged
    shop.register(manifest(kind("retail.order.kept"), name="sesame-plain"))
    assert "review_needed" not in capsys.readouterr().err
    assert "sesame-lending 1.0" in hub.list_partners()[0].plugins
