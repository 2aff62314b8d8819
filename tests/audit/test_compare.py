"""The effects of a policy change: none without a change, and the reported ones with one."""

import pytest

from sesame_sdk.audit.audit import audit
from sesame_sdk.audit.report.model import GroupChange, PolicyChange
from sesame_sdk.audit.simulation.population import Group
from sesame_sdk.model.policy import Policy
from tests.audit.policies import ORDERS, SPEND, crowd, shop, tied


def change(new: Policy, old: Policy, **settings: object) -> PolicyChange:
    """From `old` to `new`."""
    result = audit(new, crowd(4000, **settings), baseline=old).change
    assert result
    return result


def test_a_policy_compared_with_itself_changes_no_score() -> None:
    """All zeros, everybody in the band where they were, PSI 0."""
    result = change(shop(), shop())
    assert all(
        (each.share_rising, each.share_falling, each.mean_change, each.largest_fall) == (0, 0, 0, 0)
        for each in result.groups.values()
    )
    assert (result.gained_score, result.lost_score) == (0, 0)
    assert result.psi.value == 0
    assert result.shares[len(result.shares) // 2] == 1
    for at, line in enumerate(result.band_transitions):
        assert line[at] == 1
        assert sum(line) == 1


def test_all_people_come_first_and_are_the_sum_of_the_groups() -> None:
    """Every person who has a score under both is in exactly one group."""
    groups = change(shop(spend=0.05), shop()).groups
    assert list(groups) == ["all people", "group A", "group B"]
    assert groups["all people"].people == groups["group A"].people + groups["group B"].people


def test_a_greater_weight_on_spending_lifts_and_never_lowers() -> None:
    """And lifts those with more income by more."""
    result = change(shop(spend=0.06), shop(), correlation=tied(income=0.8)).groups
    assert result["all people"].share_falling == 0 == result["all people"].largest_fall
    assert result["all people"].share_rising > 0.5
    assert result["group A"].mean_change > 1.2 * result["group B"].mean_change > 0


def test_a_smaller_weight_lowers_scores_and_reports_the_largest_fall() -> None:
    """Falls are reported as they are."""
    result = change(shop(orders=0.2), shop(orders=1.0)).groups["all people"]
    assert result.share_rising == 0
    assert result.share_falling > 0.5
    assert result.largest_fall < result.mean_change < 0


def test_gains_are_shared_out_over_bins_that_hold_them_all() -> None:
    """Edges rise, one more than there are bins, as far up as down: the middle bin is around 0."""
    result = change(shop(orders=2.0), shop())
    assert len(result.edges) == len(result.shares) + 1
    assert list(result.edges) == sorted(result.edges)
    assert sum(result.shares) == pytest.approx(1)
    assert result.edges[0] == -result.edges[-1]


def test_people_who_gain_or_lose_a_score_count_as_neither_risen_nor_fallen() -> None:
    """A policy that weighs spending alone leaves some without a score, and the other way round."""
    narrower, wider = shop(SPEND), shop(SPEND, ORDERS)
    less, more = change(narrower, wider), change(wider, narrower)
    assert (less.gained_score, more.lost_score) == (0, 0)
    assert less.lost_score == more.gained_score > 0
    assert less.groups["all people"].people == more.groups["all people"].people


def test_bands_cross_from_the_old_names_to_the_new_ones() -> None:
    """Where the new policy has other bands, the table has its columns."""
    new = shop(old='name = "known"\nfrom = 560', new='name = "regular"\nfrom = 555')
    result = change(new, shop())
    assert result.bands_before == ("ordinary", "known", "good")
    assert result.bands_after == ("ordinary", "regular", "good")
    ordinary, known, good = result.band_transitions
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


def test_a_group_without_common_scores_has_zero_change() -> None:
    """And not by NaN, which no JSON could say."""
    groups = (Group("group A", 0.999), Group("group B", 0.001))
    result = audit(shop(), crowd(100, groups=groups), baseline=shop()).change
    assert result
    assert result.groups.get("group B", GroupChange(0, 0, 0, 0, 0)).mean_change == 0
