"""The trial: what the guard does with every policy of the corpora.

The catalogues decide. A harmful idea can be declared truthfully, and is refused, or as the entry that is most
like it, and is then a lie: that entry says so. Lies are counted: the second net reads titles and names only.
"""

from collections import Counter

import pytest

from sesame_sdk.catalogue import effects, observations
from sesame_sdk.catalogue.effects import Side
from sesame_sdk.catalogue.observations import Measure
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Terms
from tests.guard.builders import policy
from tests.guard.red_team.corpora import Entry, HarmfulEntry, HonestEntry, load_harmful, load_honest

GUARD = Guard()
HARMFUL, HONEST = load_harmful(), load_honest()
PLAIN_OBSERVATION, PLAIN_EFFECT = "order_kept", "gift"
#: For what follows below a band, beside an observation that raises: grave enough for all of it.
GRAVE = "fraud_confirmed"


def declare(entry: Entry, observation: str, effect: str) -> Policy:
    """The entry as a policy of one observation and one effect, with the operator's own names and title."""
    context = (entry.kind or "shop.order.kept").partition(".")[0]
    title = (entry.reason or entry.effect)[:100]
    weightings = [_weighting(SignalKind(entry.kind or "shop.order.kept", observation, title=title))]
    known = effects.effects().get(effect)
    below = entry.below if known is None else known.direction is Side.BELOW
    if below and not weightings[0].can_lower:
        weightings.append(_weighting(SignalKind(f"{context}.other.confirmed", GRAVE)))
    return Policy(
        name=entry.policy,
        version=1,
        context=context,
        base=550.0,
        low=350.0,
        high=950.0,
        bands=(Band("ordinary", 350.0), Band("known", 450.0), Band("good", 600.0)),
        weightings=tuple(weightings),
        purposes=known.purpose_iris[:1] if known else ("https://w3id.org/dpv#PersonalisedBenefits",),
        disputes="https://shop.example/disputes",
        terms=Terms(
            effects=(Effect(effect, "known" if below else "good", 5.0 if known and known.priced else 0.0),),
            ranking=Ranking(("relevance", "score"), "newest first") if known and known.ranks else None,
        ),
    )


def _weighting(kind: SignalKind) -> Weighting:
    entry = observations.observations().get(kind.observation)
    if entry and entry.measure is Measure.MONEY:
        kind = SignalKind(kind.name, kind.observation, "EUR", kind.title)
    weight, floor, cap = (-100.0, -300.0, 0.0) if entry and entry.lowers else (4.0, 0.0, 100.0)
    return Weighting(kind, weight, floor, cap, 50.0, half_life_days=180.0, expires_days=730.0)


def refusals(findings: tuple[Finding, ...]) -> set[str]:
    """Ids of the rules that refuse."""
    return {finding.rule for finding in findings if finding.action is Action.REFUSE}


def _declare_truthfully(entry: HarmfulEntry) -> Policy:
    names = (entry.truth, PLAIN_EFFECT) if entry.records else (PLAIN_OBSERVATION, entry.truth)
    return declare(entry, *names)


def _declare_falsely(entry: HarmfulEntry) -> Policy:
    names = (entry.nearest, PLAIN_EFFECT) if entry.records else (PLAIN_OBSERVATION, entry.nearest)
    return declare(entry, *names)


def test_no_harmful_policy_passes_by_its_truthful_declaration() -> None:
    """The guard refuses what it would record or bring about, whatever else the policy says."""
    passed = [entry.id for entry in HARMFUL if not refusals(GUARD.check_policy(_declare_truthfully(entry)))]
    assert passed == []


def test_nearly_every_truthful_declaration_is_refused_by_the_rule_that_its_idea_breaks() -> None:
    """The catalogues know by name what can never be approved; DCL-1 refuses all else."""
    by_rule = [
        entry for entry in HARMFUL if entry.harm in refusals(GUARD.check_policy(_declare_truthfully(entry)))
    ]
    assert len(by_rule) >= 0.9 * len(HARMFUL)


@pytest.mark.parametrize("entry", HARMFUL, ids=[entry.id for entry in HARMFUL])
def test_the_nearest_entry_of_the_catalogues_contradicts_each_harmful_idea(entry: HarmfulEntry) -> None:
    """So that declaring it is a lie about what is computed, or about what follows."""
    if entry.records:
        nearest = observations.observations()[entry.nearest]
        assert entry.contradicts in nearest.excludes or entry.contradicts in nearest.computed
    else:
        assert entry.contradicts in effects.effects()[entry.nearest].excludes


def test_lies_are_counted() -> None:
    """With the operator's names and titles, the second net catches a part of them, and no more is claimed."""
    counts = Counter(_caught(GUARD.check_policy(_declare_falsely(entry))) for entry in HARMFUL)
    assert counts["refused"] >= 10
    assert counts["refused"] + counts["review"] >= 40


def _caught(findings: tuple[Finding, ...]) -> str:
    if refusals(findings):
        return "refused"
    return "review" if any(finding.action is Action.REVIEW for finding in findings) else "passed"


@pytest.mark.parametrize(
    ("harm", "terms"),
    [
        ("ENR-1", {"default_on": True}),
        ("ENR-1", {"mandatory": True}),
        ("ENR-1", {"bundled": True}),
        ("NOS-1", {"no_score": "deny"}),
        ("PUR-6", {"reshare": True}),
        ("MIN-1", {"minimum_age": 12}),
        ("VIS-1", {"visibility": "public"}),
    ],
)
def test_harmful_terms_are_refused_where_the_terms_say_so(harm: str, terms: dict[str, object]) -> None:
    """Joining by default, no score as a low one, resale, minors and publicity have keys of their own."""
    assert harm in refusals(GUARD.check_policy(policy(**terms)))


@pytest.mark.parametrize("entry", HONEST, ids=[entry.id for entry in HONEST])
def test_no_honest_policy_is_refused(entry: HonestEntry) -> None:
    """It can be expressed by the catalogues, and its names and titles are no reason to refuse it."""
    findings = GUARD.check_policy(declare(entry, entry.observation, entry.entry))
    assert [str(finding) for finding in findings if finding.action is Action.REFUSE] == []


def test_few_honest_policies_need_a_review() -> None:
    """At most one of ten, and only for a word that has another meaning too."""
    reviewed = [
        entry.id
        for entry in HONEST
        if GUARD.check_policy(declare(entry, entry.observation, entry.entry)) != ()
    ]
    assert len(reviewed) <= 0.1 * len(HONEST)


def test_what_harms_can_never_be_proposed_under_its_own_name() -> None:
    """No approval of a hub helps: the names are refused by the lists of what can never be approved."""
    records = [entry for entry in HARMFUL if entry.records]
    assert [entry.id for entry in records if observations.rule_against(entry.truth) is None] == []
    grants = [entry for entry in HARMFUL if not entry.records]
    assert [entry.id for entry in grants if effects.rule_against(entry.truth) is None] == []


@pytest.mark.parametrize(
    "name",
    [
        *("costume_returned_clean", "instrument_tuned", "seed_returned", "key_returned"),
        *("machine_cleaned_after_use", "parcel_taken_in", "cake_collected", "translation_accepted"),
        *("subtitle_accepted", "bicycle_repaired_for_member", "garden_path_mown", "chairs_put_away"),
        *("workshop_held", "guided_walk_held", "skill_taught", "bug_report_confirmed", "flag_upheld"),
        *("dishes_washed", "race_finished", "reading_held", "songs_recorded", "bottle_refilled"),
        *("orientation_completed", "language_meeting_kept", "night_stay_kept", "guests_hosted"),
        *("family_day_held", "tool_lent_again", "march_booking_kept", "basket_returned"),
        *("hour_volunteered", "ride_share_kept", "civic_hall_booking_kept"),
    ],
)
def test_an_honest_name_can_be_proposed(name: str) -> None:
    """The lists of what can never be approved hold no word of these."""
    assert observations.rule_against(name) is None


def test_the_catalogues_do_not_contain_what_they_refuse_by_name() -> None:
    """An entry of the catalogue is no name of a harmful idea."""
    truths = {entry.truth for entry in HARMFUL}
    assert truths & (set(observations.observations()) | set(effects.effects())) == set()
