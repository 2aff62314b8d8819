"""Categories of personal data: seven that a kind may be made of, and why the others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk.guard.data_categories import ALLOWED, REFUSED, find_refusing_rule
from sesame_sdk.guard.dpv import PD, load_hierarchy, walk_broader

CATEGORIES = load_hierarchy("categories")
SPECIAL = "dpv:SpecialCategoryPersonalData"

SORTED = {
    "POL-1": "PoliticalAffiliation PoliticalOpinion TradeUnionMembership Opinion Thought",
    "SPC-1": """
        Religion ReligiousBelief PhilosophicalBelief MedicalHealth Health MentalHealth Prescription BloodType
        DNACode Genetic Disability DrugTestResult FamilyHealthHistory Sexual SexualPreference Fetish Ethnicity
        EthnicOrigin Race SkinTone Gender Nationality Citizenship BirthPlace BirthCountry Vulnerability
    """,
    "BIO-1": "Biometric Fingerprint FacialPrint FacialExpression Retina Emotion Mood Picture",
    "TST-1": """
        Preference Favourite FavouriteMusic FavouriteFood FavouriteColour Interest Like Dislike Intention
        PrivacyPreference Language Accent Dialect Country TVViewingBehaviour BrowsingBehaviour BrowserHistory
        BrowsingReferral LinkClicked
    """,
    "ASC-1": """
        Family FamilyStructure Parent Sibling Offspring Marriage Divorce Relationship MaritalStatus
        SocialNetwork Friend Acquaintance Association Connection GroupMembership GroupProfile Household
    """,
    "LOC-1": """
        Location TravelHistory CurrentLocation GPSCoordinate HomeLocation WorkLocation Domicile Residency
        PhysicalAddress PostalCode City Street Geographic
    """,
    "DCL-1": """
        Financial FinancialStatus Credit CreditScore CreditRecord Income IncomeBracket LoanRecord Insurance
        Salary Tax Ownership HouseOwned PurchasesAndSpendingHabit Transactional Behavioural Social Job
        Professional Education Criminal CriminalConviction Personality Attitude Character SocialStatus
        GeneralReputation SocialMedia Communication EmailContent CallLog IPAddress UserAgent Name Passport Age
        PerformanceAtWork BankAccount External Internal Tracking Profile VehicleUsage AuthenticationHistory
    """,
}


@pytest.mark.parametrize(
    ("rule", "name"), [(rule, name) for rule, names in SORTED.items() for name in names.split()]
)
def test_a_category_is_refused_by_the_rule_that_it_belongs_to(rule: str, name: str) -> None:
    """By its own listing, or that of the nearest broader category."""
    assert name in CATEGORIES
    assert find_refusing_rule(f"{PD}{name}") == rule


def test_seven_are_allowed_each_with_its_use() -> None:
    """The closed list, term by term."""
    names = "Purchase Sale Transaction ServiceConsumptionBehaviour SocialBehaviour Reliability OfficialID"
    assert {f"{PD}{name}" for name in names.split()} == set(ALLOWED)
    assert {iri.removeprefix(PD) for iri in ALLOWED} <= set(CATEGORIES)
    assert all(find_refusing_rule(iri) is None for iri in ALLOWED)
    assert all(sentence.endswith(".") and len(sentence) > 30 for sentence in ALLOWED.values())


@given(st.sampled_from(sorted(CATEGORIES)))
def test_what_is_narrower_than_refused_is_refused_and_nothing_else_gets_in(name: str) -> None:
    """The rules reach down the whole hierarchy, and no allowed category lies under a refused one."""
    rule = find_refusing_rule(f"{PD}{name}")
    assert (rule is None) is (f"{PD}{name}" in ALLOWED)
    walked = {wider for level in walk_broader(name, CATEGORIES) for wider in level}
    over = {rule for rule, names in REFUSED.items() if names & walked}
    assert rule in over if over else rule in {None, "DCL-1"}


@given(st.sampled_from(sorted(name for name, above in CATEGORIES.items() if SPECIAL in above)))
def test_no_special_category_is_merely_undeclared(name: str) -> None:
    """What DPV calls special is refused as such: beliefs, health, sex life, origin, politics, biometrics."""
    assert find_refusing_rule(f"{PD}{name}") in {"POL-1", "SPC-1", "BIO-1"}


def test_the_hierarchy_holds_together() -> None:
    """231 categories, each broader one listed too, and all under what DPV itself names."""
    assert len(CATEGORIES) == 231
    above = {wider for wide in CATEGORIES.values() for wider in wide}
    assert above - set(CATEGORIES) == {"dpv:PersonalData", "dpv:SensitivePersonalData", SPECIAL}
    assert all(above for above in CATEGORIES.values())
    listed = {name for names in REFUSED.values() for name in names}
    assert listed <= {*CATEGORIES, "dpv:SensitivePersonalData", SPECIAL}


@pytest.mark.parametrize(
    "iri",
    [
        *("", " ", "Purchase", "pd:Purchase", f"{PD}purchase", f"{PD}Purchase ", f"{PD}Purchase#Religion"),
        *(f"{PD}Anything", f"{PD}dpv:PersonalData", "https://w3id.org/dpv#Purchase", PD, "x" * 10_000),
        PD.replace("https", "http") + "Purchase",
    ],
    ids=lambda iri: repr(iri[:50]),
)
def test_what_is_not_on_the_list_is_undeclared(iri: str) -> None:
    """The IRI is compared whole."""
    assert find_refusing_rule(iri) == "DCL-1"
