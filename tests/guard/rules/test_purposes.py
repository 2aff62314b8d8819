"""PUR-1 to PUR-6 and CON-1: who may read, and why."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk.catalogue.effects import Side, effects
from sesame_sdk.guard.guard import Guard, needs_review
from sesame_sdk.guard.purposes import (
    ALLOWED,
    CONDITIONS,
    CUSTOMER_CARE,
    DEPOSIT_WAIVER,
    DISPUTE_MANAGEMENT,
    DPV,
    FRAUD_PREVENTION,
    MATCHMAKING_RANKING,
    MISUSE_PREVENTION,
    NAME_PATTERNS,
    find_refusing_rule,
)
from sesame_sdk.model.finding import Action
from sesame_sdk.model.grant import Direction, Grant
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Effect
from tests.guard.builders import (
    GOOD_RANKING,
    NOON,
    consumer,
    grant,
    policy,
    reading,
    refusing,
    rules,
    weighting,
)

GUARD = Guard()

#: A purpose of each family, by the rule that must refuse it.
REFUSED = [
    ("PUR-1", f"{DPV}Purpose"),
    ("PUR-1", f"{DPV}Marketing"),
    ("PUR-1", f"{DPV}ServicePersonalisation"),
    ("PUR-1", "urn:sesame-sdk:purpose:Anything"),
    ("PUR-2", f"{DPV}PersonnelHiring"),
    ("PUR-2", f"{DPV}RecruitmentApplicationScreening"),
    ("PUR-2", f"{DPV}PersonnelPerformanceEvaluation"),
    ("PUR-3", f"{DPV}ImprovePublicServices"),
    ("PUR-3", f"{DPV}SocialWelfareEligibility"),
    ("PUR-3", f"{DPV}ProtectionOfPublicSecurity"),
    ("PUR-3", f"{DPV}PoliticalCampaign"),
    ("PUR-4", f"{DPV}ImproveHealthcare"),
    ("PUR-4", f"{DPV}ImproveTransportMobility"),
    ("PUR-4", "urn:example:InternetSpeed"),
    ("PUR-4", "urn:example:HousingQueueBonus"),
    ("PUR-5", f"{DPV}CreditChecking"),
    ("PUR-5", f"{DPV}CustomerSolvencyMonitoring"),
    ("PUR-5", "urn:example:insurance-premium"),
    ("PUR-6", f"{DPV}SellDataToThirdParties"),
    ("PUR-6", f"{DPV}SellInsightsFromData"),
]


def test_the_allowed_set_is_the_one_of_the_rules() -> None:
    """Five purposes, four more with a condition that the operator answers for, and no others."""
    plain = {"PersonalisedBenefits", "ProvideProductRecommendations", "CustomerCare", "RightsFulfilment"}
    under_conditions = {"FraudPreventionAndDetection", "MisusePreventionAndDetection"}
    named = {f"{DPV}{name}" for name in plain | under_conditions}
    assert named | {DISPUTE_MANAGEMENT, MATCHMAKING_RANKING, DEPOSIT_WAIVER} == ALLOWED
    assert set(CONDITIONS) < ALLOWED
    assert len(CONDITIONS) == 4


#: An effect that serves each purpose that effects serve.
SERVING = {
    iri: Effect(name, "good" if entry.direction is Side.FROM else "ordinary", 5.0 if entry.priced else 0.0)
    for name, entry in effects().items()
    for iri in entry.purpose_iris
}


def serving(*purposes: str, **changes: Any) -> Policy:
    """A policy for purposes, with an effect that serves each."""
    used = {SERVING[purpose] for purpose in purposes if purpose in SERVING}
    return policy(purposes=purposes, effects=tuple(sorted(used, key=str)), ranking=GOOD_RANKING, **changes)


@pytest.mark.parametrize("purpose", sorted(ALLOWED))
def test_an_allowed_purpose_passes_every_check(purpose: str) -> None:
    """Policy, consumer and read."""
    sold = weighting(observation="payment_on_time")
    assert GUARD.check_policy(serving(purpose, weightings=(sold,))) == ()
    assert GUARD.check_consumer(consumer(purpose=purpose, ranking=GOOD_RANKING)) == ()
    assert GUARD.check_read(reading(purpose=purpose, grant=grant(purpose=purpose))) == ()


def test_a_purpose_is_served_by_an_effect_and_an_effect_serves_a_purpose() -> None:
    """PUR-1 both ways for policies; a consumer's effects serve its purpose."""
    (finding,) = GUARD.check_policy(policy(purposes=(CUSTOMER_CARE, DEPOSIT_WAIVER)))
    assert "none of its effects serves its purpose DepositWaiver" in finding.reason
    assert finding.hint == "add one of: deposit_waived"
    (finding,) = GUARD.check_policy(policy(effects=(Effect("free_returns", "good"), Effect("gift", "good"))))
    assert (finding.rule, finding.about) == ("PUR-1", "policy retail-privileges, effect gift")
    assert rules(GUARD.check_policy(policy(effects=()))) == {"PUR-1"}
    assert rules(GUARD.check_consumer(consumer(effects=(Effect("gift", "good"),)))) == {"PUR-1"}


@pytest.mark.parametrize(("rule", "purpose"), REFUSED, ids=[purpose for _, purpose in REFUSED])
def test_a_refused_purpose_passes_no_check(rule: str, purpose: str) -> None:
    """Policy, consumer and read; among allowed ones too, and though the person agreed."""
    sold = weighting(observation="payment_on_time")
    among = serving(*sorted(ALLOWED), purpose, weightings=(sold,))
    assert rules(GUARD.check_policy(among)) == {rule}
    assert rules(GUARD.check_consumer(consumer(purpose=purpose))) == {rule}
    assert rules(GUARD.check_read(reading(purpose=purpose, grant=grant(purpose=purpose)))) == {rule}


def test_every_dpv_term_is_allowed_or_refused_by_name(shared_data: Path) -> None:
    """The whole of DPV 2.3: nine of ours aside, each term has a rule that refuses it."""
    with (shared_data / "dpv-consent" / "purposes.csv").open(encoding="utf-8", newline="") as file:
        iris = [term["iri"] for term in csv.DictReader(file)]
    assert len(iris) == 125
    refused = {iri: find_refusing_rule(iri) for iri in iris}
    assert {iri for iri, rule in refused.items() if rule is None} == {p for p in ALLOWED if p.startswith(DPV)}
    assert set(refused.values()) == {None, "PUR-1", *NAME_PATTERNS}


def test_a_narrower_term_of_a_refused_one_is_refused_by_the_same_family(shared_data: Path) -> None:
    """DPV's hierarchy: what lies under personnel management is PUR-2, whatever its name begins with."""
    with (shared_data / "dpv-consent" / "purposes.csv").open(encoding="utf-8", newline="") as file:
        broader = {term["iri"]: term["hasbroader"].split(";") for term in csv.DictReader(file)}

    def under(iri: str, ancestor: str) -> bool:
        return iri == ancestor or any(under(parent, ancestor) for parent in broader.get(iri, ()) if parent)

    personnel = {iri for iri in broader if under(iri, f"{DPV}HumanResourceManagement")}
    assert len(personnel) > 20
    assert {find_refusing_rule(iri) for iri in personnel} == {"PUR-2"}


@pytest.mark.parametrize(
    "purpose",
    [
        "dpv:CustomerCare",
        "CustomerCare",
        "https://w3id.org/dpv#customercare",
        "http://w3id.org/dpv#CustomerCare",
        "https://w3id.org/dpv#CustomerCare ",
        "https://w3id.org/dpv#CustomerCare#PersonnelHiring",
        "https://evil.example/?https://w3id.org/dpv#CustomerCare",
        "https://w3id.org/dpv#CustomerCar\N{CYRILLIC SMALL LETTER IE}",
        "",
        " ",
        "x" * 100_000,
    ],
    ids=lambda purpose: repr(purpose[:60]),
)
def test_what_looks_like_an_allowed_purpose_is_not_one(purpose: str) -> None:
    """The IRI is compared whole; a finding never repeats a text without end."""
    assert find_refusing_rule(purpose) in {"PUR-1", "PUR-2"}
    assert rules(GUARD.check_policy(serving(CUSTOMER_CARE, purpose))) == {find_refusing_rule(purpose)}
    assert find_refusing_rule(purpose) in rules(GUARD.check_read(reading(purpose=purpose)))


#: Names of each family, in disguise too.
SPOKEN = [
    ("PUR-2", ["An employee is fired", "An interview for the job", "h1ring", "优先录用"]),
    (
        "PUR-3",
        [
            "The police are told",
            "A faster visa at the border",
            "immigration control and a visa office",
            "免签证",
        ],
    ),
    ("PUR-4", ["Slower internet", "Faster broadband", "Ten places up in the housing queue", "网速减半"]),
    (
        "PUR-5",
        ["A higher insurance premium", "A credit check", "m\N{CYRILLIC SMALL LETTER O}rtgage", "贷款优惠"],
    ),
    (
        "PUR-6",
        ["Shared with third parties", "Sold to a data broker", "re-selling of data, resold", "转售给第三方"],
    ),
]


@pytest.mark.parametrize(
    ("rule", "words"), [(rule, words) for rule, all_words in SPOKEN for words in all_words]
)
def test_a_name_that_a_score_is_not_for_is_refused(rule: str, words: str) -> None:
    """PUR-2 to PUR-6 though the purpose is an allowed one: the names of policies and consumers are read."""
    assert rule in refusing(GUARD.check_policy(policy(name=words)))
    assert rule in refusing(GUARD.check_consumer(consumer(name=words)))


@pytest.mark.parametrize(
    ("rule", "effect"),
    [
        *(("PUR-2", name) for name in ("job_offer", "job_interview", "shift_choice")),
        *(("PUR-3", name) for name in ("welfare", "visa", "police_check")),
        *(("PUR-4", name) for name in ("internet_speed", "housing_queue", "rental_check", "travel_ticket")),
        *(("PUR-5", name) for name in ("loan_rate", "credit_limit", "insurance_premium", "cheaper_loan")),
        *(("PUR-6", name) for name in ("score_sold", "data_shared")),
    ],
)
def test_an_effect_that_a_score_is_not_for_is_refused_by_name(rule: str, effect: str) -> None:
    """PUR-2 to PUR-6, for policies and consumers, as a reward and as a burden."""
    wrong = (Effect("free_returns", "good"), Effect(effect, "good"))
    assert rules(GUARD.check_policy(policy(effects=wrong))) == {rule}
    assert rules(GUARD.check_consumer(consumer(effects=wrong))) == {rule}


@pytest.mark.parametrize(
    "name",
    [
        *("hire-policy", "loan-library", "voting-hours", "school-library", "lending-desk", "wine-club"),
        *("film-evenings", "doctor-of-bicycles", "borrowed-tools", "job-lots", "visa", "passports"),
    ],
)
def test_a_name_in_doubt_is_sent_to_a_persons_review(name: str) -> None:
    """The name of an honest trade is never refused: what it may do is in its purposes and effects."""
    for findings in (GUARD.check_policy(policy(name=name)), GUARD.check_consumer(consumer(name=name))):
        assert {finding.action for finding in findings} <= {Action.REVIEW}
    GUARD.admit_policy(policy(name=name))
    assert needs_review(GUARD.check_policy(policy(name="loan-library")))


def test_the_context_gives_a_use_away_too() -> None:
    """PUR-2 and PUR-5 by where the score is from: an allowed purpose, in a context of work or of money."""
    assert rules(GUARD.check_consumer(consumer(context="payroll"))) == {"PUR-2"}
    assert rules(GUARD.check_consumer(consumer(context="credit-line"))) == {"PUR-5"}
    assert rules(GUARD.check_policy(policy(weighting(), context="recruitment"))) == {"PUR-2"}


def test_what_may_be_passed_on_is_resale() -> None:
    """PUR-6 by the terms, for policies and consumers; an allowed purpose does not excuse it."""
    assert rules(GUARD.check_policy(policy(reshare=True))) == {"PUR-6"}
    assert rules(GUARD.check_consumer(consumer(reshare=True))) == {"PUR-6"}


@pytest.mark.parametrize("observation", ["answer_accepted", "membership_month", "identity_verified"])
def test_fraud_is_prevented_by_transactions_only(observation: str) -> None:
    """PUR-1, the purpose's condition: among other purposes and among other kinds too."""
    other = weighting(kind="retail.thing.done", observation=observation)
    refused = serving(CUSTOMER_CARE, FRAUD_PREVENTION, weightings=(weighting(), other))
    assert rules(GUARD.check_policy(refused)) == {"PUR-1"}
    assert GUARD.check_policy(serving(CUSTOMER_CARE, weightings=(weighting(), other))) == ()
    assert GUARD.check_policy(serving(CUSTOMER_CARE, FRAUD_PREVENTION)) == ()


def test_misuse_is_prevented_by_the_platforms_own_data_only() -> None:
    """PUR-1, the purpose's condition: not even upwards from another context."""
    community = weighting(kind="community.post.helpful", observation="answer_accepted")
    (finding,) = GUARD.check_policy(serving(MISUSE_PREVENTION, weightings=(weighting(), community)))
    assert (finding.rule, finding.about) == (
        "PUR-1",
        "policy retail-privileges, kind community.post.helpful",
    )
    assert GUARD.check_policy(policy(weighting(), community)) == ()


def test_a_policy_states_a_purpose() -> None:
    """PUR-1: no purpose is no permission."""
    assert rules(GUARD.check_policy(policy(purposes=(), effects=()))) == {"PUR-1"}


def test_a_purpose_other_than_the_grants_is_refused() -> None:
    """PUR-1: both are allowed purposes, and the person agreed to only one."""
    assert rules(GUARD.check_read(reading(purpose=DISPUTE_MANAGEMENT))) == {"PUR-1"}


LATER = NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    "consent",
    [
        pytest.param(None, id="none was given"),
        pytest.param(grant(given_at=LATER), id="it begins later"),
        pytest.param(grant(expires_at=NOON), id="it expires at this very time"),
        pytest.param(grant(withdrawn_at=NOON), id="it is withdrawn at this very time"),
        pytest.param(grant(withdrawn_at=datetime(2026, 2, 1, tzinfo=UTC)), id="it was withdrawn, and cached"),
        pytest.param(grant(partner="https://other.example"), id="it is another reader's"),
        pytest.param(grant(context="community"), id="it is for another score"),
        pytest.param(
            grant(direction=Direction.SEND, kinds=("retail.order.completed",)),
            id="it is to send, not to read",
        ),
    ],
)
def test_no_valid_consent_no_read(consent: Grant | None) -> None:
    """CON-1, with one wording for all: the response must not reveal who is known here."""
    (finding,) = GUARD.check_read(reading(grant=consent))
    assert finding.rule == "CON-1"
    assert finding.reason == "no valid consent covers this read"


def test_a_valid_consent_covers_the_read() -> None:
    """CON-1: given, not yet expired, not yet withdrawn."""
    assert GUARD.check_read(reading(grant=grant(expires_at=LATER, withdrawn_at=LATER))) == ()


def test_findings_name_no_person() -> None:
    """The pseudonym of the person stays out of what is logged."""
    findings = GUARD.check_read(
        reading(purpose="urn:x:y", grant=grant(subject="pseudonymofada".ljust(26, "a"), withdrawn_at=NOON))
    )
    assert len(findings) == 3
    assert not any("pseudonymofada".ljust(26, "a") in str(finding) + finding.hint for finding in findings)
