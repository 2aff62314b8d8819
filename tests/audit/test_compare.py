"""What a change does to whom: nothing where nothing changes, and what it says where something does."""

import pytest

from sesame_sdk.audit.audit import audit
from sesame_sdk.audit.report.model import GroupChange, PolicyChange
from sesame_sdk.audit.simulation.population import Group
from sesame_sdk.model.policy import Policy
from tests.audit.policies import ORDERS, SPEND, crowd, shop, tied


def change(new: Policy, old: Policy, **settings: object) -> PolicyChange:
    """From `old` to `new`."""
    found = audit(new, crowd(4000, **settings), baseline=old).change
    assert found
    return found


def test_a_policy_against_itself_moves_nobody() -> None:
    """All zeros, everybody in the band where they were, PSI 0."""
    found = change(shop(), shop())
    assert all(
        (each.share_rising, each.share_falling, each.mean_change, each.largest_fall) == (0, 0, 0, 0)
        for each in found.groups.values()
    )
    assert (found.gained_score, found.lost_score) == (0, 0)
    assert found.psi.value == 0
    assert found.shares[len(found.shares) // 2] == 1
    for at, line in enumerate(found.band_transitions):
        assert line[at] == 1
        assert sum(line) == 1


def test_everybody_comes_first_and_the_groups_make_it_up() -> None:
    """Every person who has a score under both is in exactly one group."""
    groups = change(shop(spend=0.05), shop()).groups
    assert list(groups) == ["all people", "group A", "group B"]
    assert groups["all people"].people == groups["group A"].people + groups["group B"].people


def test_a_greater_weight_on_spending_lifts_and_never_lowers() -> None:
    """And lifts those with more income by more."""
    found = change(shop(spend=0.06), shop(), correlation=tied(income=0.8)).groups
    assert found["all people"].share_falling == 0 == found["all people"].largest_fall
    assert found["all people"].share_rising > 0.5
    assert found["group A"].mean_change > 1.2 * found["group B"].mean_change > 0


def test_a_smaller_weight_lowers_and_says_by_how_much_at_worst() -> None:
    """Falls are told as they are."""
    found = change(shop(orders=0.2), shop(orders=1.0)).groups["all people"]
    assert found.share_rising == 0
    assert found.share_falling > 0.5
    assert found.largest_fall < found.mean_change < 0


def test_gains_are_shared_out_over_bins_that_hold_them_all() -> None:
    """Edges rise, one more than there are bins, as far up as down: the middle bin is around 0."""
    found = change(shop(orders=2.0), shop())
    assert len(found.edges) == len(found.shares) + 1
    assert list(found.edges) == sorted(found.edges)
    assert sum(found.shares) == pytest.approx(1)
    assert found.edges[0] == -found.edges[-1]


def test_people_who_gain_or_lose_a_score_are_counted_and_not_called_risen_or_fallen() -> None:
    """A policy that weighs spending alone leaves some without a score, and the other way round."""
    narrower, wider = shop(SPEND), shop(SPEND, ORDERS)
    less, more = change(narrower, wider), change(wider, narrower)
    assert (less.gained_score, more.lost_score) == (0, 0)
    assert less.lost_score == more.gained_score > 0
    assert less.groups["all people"].people == more.groups["all people"].people


def test_bands_cross_from_the_old_names_to_the_new_ones() -> None:
    """Where the new policy has other bands, the table has its columns."""
    new = shop(old='name = "known"\nfrom = 560', new='name = "member"\nfrom = 555')
    found = change(new, shop())
    assert found.bands_before == ("ordinary", "known", "good")
    assert found.bands_after == ("ordinary", "member", "good")
    ordinary, known, good = found.band_transitions
    assert ordinary[1] > 0
    assert known == (0, 1, 0)
    assert good == (0, 0, 1)


def test_the_audited_policy_fares_as_it_does_alone() -> None:
    """The older one is result with the same people, and changes nothing for the newer."""
    alone = audit(shop(), crowd(2000)).simulation
    beside = audit(shop(), crowd(2000), baseline=shop(SPEND, orders=3)).simulation
    assert alone
    assert beside
    assert alone.distribution == beside.distribution
    assert alone.rewards == beside.rewards
    differ = {a.id for a, b in zip(alone.metrics, beside.metrics, strict=True) if a != b}
    assert differ == {"PSI-1"}


def test_a_group_with_nobody_to_compare_moves_by_nothing() -> None:
    """And not by NaN, which no JSON could say."""
    groups = (Group("group A", 0.999), Group("group B", 0.001))
    found = audit(shop(), crowd(100, groups=groups), baseline=shop()).change
    assert found
    assert found.groups.get("group B", GroupChange(0, 0, 0, 0, 0)).mean_change == 0
