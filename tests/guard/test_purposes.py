"""PUR-1 to PUR-6 by DPV's hierarchy: what is narrower than a refused purpose is refused as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.dpv import DPV, load_hierarchy, walk_broader
from sesame_sdk.guard.purposes import ALLOWED, NAME_PATTERNS, REFUSED, find_refusing_rule

PURPOSES = load_hierarchy("purposes")
TERMS = st.sampled_from(sorted(PURPOSES))


@given(TERMS)
def test_every_term_is_allowed_or_refused_with_its_broader_ones(term: str) -> None:
    """PUR-2 to PUR-6 reach down; nothing but the allowed list lets anything in."""
    rule = find_refusing_rule(f"{DPV}{term}")
    assert (rule is None) is (f"{DPV}{term}" in ALLOWED)
    above = {find_refusing_rule(f"{DPV}{wider}") for level in walk_broader(term, PURPOSES) for wider in level}
    if above & set(REFUSED):
        assert rule in REFUSED
        assert rule in above


def test_no_allowed_term_is_narrower_than_a_refused_one() -> None:
    """Else the two lists would contradict each other."""
    for iri in ALLOWED:
        walked = {wider for level in walk_broader(iri.removeprefix(DPV), PURPOSES) for wider in level}
        assert not any(walked & names for names in REFUSED.values())


def test_both_listings_know_the_same_rules_and_only_terms_that_exist() -> None:
    """A misspelt term would refuse nothing."""
    assert list(REFUSED) == list(NAME_PATTERNS)
    assert all(names <= set(PURPOSES) for names in REFUSED.values())


@pytest.mark.parametrize(
    ("term", "rule"),
    [
        ("RecruitmentTargetedAdvertising", "PUR-2"),
        ("PersonnelPerformancePrediction", "PUR-2"),
        ("ProvideOfficialStatistics", "PUR-3"),
        ("PoliticalCampaign", "PUR-3"),
        ("ImproveHealthcare", "PUR-4"),
        ("CounterMoneyLaundering", "PUR-5"),
        ("DataAltruism", "PUR-6"),
    ],
)
def test_a_term_is_refused_by_its_nearest_listing(term: str, rule: str) -> None:
    """In whatever vocabulary, prefix or capitals it is written."""
    for written in (f"{DPV}{term}", f"dpv:{term}", term.lower(), f"https://example.org/terms/{term.upper()}"):
        assert find_refusing_rule(written) == rule


@pytest.mark.parametrize("term", ["CommunicationForCustomerCare", "MaintainFraudDatabase"])
def test_narrower_than_allowed_is_not_allowed(term: str) -> None:
    """The list of what is allowed is closed: each purpose is on it itself."""
    assert find_refusing_rule(f"{DPV}{term}") == "PUR-1"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("VendorSelectionAssessment", "PUR-1"),
        ("ProductSelection", "PUR-1"),
        ("ElectionMonitoring", "PUR-3"),
        ("LocalElections", "PUR-3"),
    ],
)
def test_a_selection_is_not_an_election(name: str, rule: str) -> None:
    """The refusal names the right reason."""
    assert find_refusing_rule(f"urn:example:{name}") == rule
