"""Rules on what a kind declares and how it may influence a score: DCL-1, EXP-1, CTX-1, INF-1, RET-1.

An entry of the catalogue satisfies them by its tests. A proposed entry is checked here as the catalogue is
there.
"""

from collections.abc import Iterator
from math import exp2

from sesame_sdk.catalogue import effects, observations
from sesame_sdk.catalogue.closed_lists import closed_lists, currencies, is_source
from sesame_sdk.catalogue.observations import Evidence, Measure, Observation
from sesame_sdk.guard.data_categories import ALLOWED, find_refusing_rule
from sesame_sdk.guard.dpv import PD
from sesame_sdk.guard.labels import (
    label_consumer,
    label_effect,
    label_kind,
    label_policy,
    label_weighting,
    truncate,
)
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, KindRule, first_mention, kind_texts
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

#: In days: the longest half-life or lifetime of what can lower a score.
TEN_YEARS_IN_DAYS = 3650
_PROPOSE = "or propose an entry to the hub: sesame observations propose"
_MIN_WORDS, _MIN_CHARACTERS = 3, 4


class Declarations(KindRule):
    """DCL-1: a kind records an observation of the catalogue, and policies take it for that. Our own."""

    id = "DCL-1"
    source = "GDPR 14(1)(d)"
    reason = "nothing may be computed from it"
    hint = f"use categories among {', '.join(sorted(iri.removeprefix(PD) for iri in ALLOWED))}"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind of no observation of the catalogue, or against what its observation says."""
        yield from super().check_kind(kind)
        about = label_kind(kind)
        if kind.known is None:
            if observations.rule_against(kind.observation) is None:
                near = ", ".join(observations.nearest_observations(kind.observation))
                reason = f"the catalogue of observations has no {kind.observation}"
                yield self.refuse(about, reason, f"use one of the nearest: {near}; {_PROPOSE}")
        else:
            yield from self._check_currency(about, kind, kind.known)
        if kind.proposal:
            yield from self._check_proposal(about, kind, kind.proposal)
        if mention := first_mention(Topic.EXTERNAL_RECORDS, kind_texts(kind)):
            reason = f"its observation does not cover what it mentions: '{mention}'"
            yield self.refuse(about, reason, "remove it, or reword it if something else is meant")

    def _check_currency(self, about: str, kind: SignalKind, entry: Observation) -> Iterator[Finding]:
        if entry.measure is Measure.MONEY and kind.currency not in currencies():
            reason = "it is measured in money, and its currency is no code of ISO 4217"
            yield self.refuse(about, reason, "set currency = 'EUR', or the code of another")
        elif entry.measure is not Measure.MONEY and kind.currency:
            reason = f"it has a currency, and {kind.observation} is not measured in money"
            yield self.refuse(about, reason, "leave out the currency")

    def _check_proposal(self, about: str, kind: SignalKind, entry: Observation) -> Iterator[Finding]:
        if kind.observation in observations.observations():
            yield self.refuse(about, "it proposes an entry that the catalogue has", "leave out the proposal")
        if not is_source(entry.reads):
            systems = ", ".join(closed_lists().sources)
            reason = "the proposed entry reads from no source system and event of the closed list"
            yield self.refuse(about, reason, f"write reads = 'system: event'; the systems are {systems}")
        if strange := sorted(set(entry.contexts) - set(closed_lists().contexts)):
            reason = f"the proposed entry is of no known sphere: '{truncate(strange[0], 60)}'"
            yield self.refuse(about, reason, f"use some of: {', '.join(closed_lists().contexts)}")
        for iri in entry.category_iris:
            if find_refusing_rule(iri) == self.id:
                reason = f"{truncate(iri, 200)} is not an allowed category of personal data"
                yield self.refuse(about, reason, self.hint)
        if entry.lowers == (entry.gravity is None):
            reason = "the proposed entry must state a gravity if it lowers a score, and none if it raises one"
            yield self.refuse(about, reason, "set gravity = 'minor', or remove it")

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a weight against the polarity of its observation, and unknown effects."""
        for weighting in policy.weightings:
            if weighting.kind.known:
                yield from self._check_sign(policy, weighting, weighting.kind.known)
        yield from self._check_effects(label_policy(policy), policy.terms)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer with unknown effects."""
        yield from self._check_effects(label_consumer(consumer), consumer.terms)

    def _check_sign(self, policy: Policy, weighting: Weighting, entry: Observation) -> Iterator[Finding]:
        about, name = label_weighting(policy, weighting), weighting.kind.observation
        if entry.lowers and (weighting.weight > 0 or weighting.cap):
            reason = f"{name} lowers a score, and it is weighted as if it raised one"
            yield self.refuse(about, reason, "set a weight below 0 and a floor, and no cap")
        elif not entry.lowers and (weighting.weight < 0 or weighting.can_lower):
            reason = f"{name} raises a score, and it is weighted as if it lowered one"
            yield self.refuse(about, reason, "set a weight above 0 and a cap, and no floor")

    def _check_effects(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            if effect.known is None and effects.rule_against(effect.effect) is None:
                near = ", ".join(effects.nearest_effects(effect.effect))
                reason = f"the catalogue of effects has no {effect.effect}"
                yield self.refuse(label_effect(about, effect), reason, f"use one of the nearest: {near}")

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting that declares its kind differently from the registered kind."""
        for field in ("observation", "currency", "proposal"):
            declared, registered = getattr(weighting.kind, field), getattr(kind, field)
            if declared != registered:
                reason = f"the kind is registered with another {field}"
                shown = "that of the registration" if field == "proposal" else f"'{registered}'"
                yield self.refuse(label_weighting(policy, weighting), reason, f"set {field} = {shown}")

    def refuse_unapproved(self, kind: SignalKind) -> Finding:
        """The finding about a proposed entry that the operators of the hub have not approved."""
        reason = f"the entry {kind.observation} is proposed, and not approved by two people of the hub"
        hint = "have two people approve it: sesame observations approve; or use an entry of the catalogue"
        return self.refuse(label_kind(kind), reason, hint)


class SpecificReasons(BuiltInRule):
    """EXP-1: the reason beside the points tells a person what they are for. The catalogue has the reasons."""

    id = "EXP-1"
    source = "Reg B 1002.9(b)(2); CJEU C-203/22, 62"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a proposed entry whose reason is too short to say anything, in either language."""
        entry = kind.proposal
        if entry and (len(entry.en.split()) < _MIN_WORDS or len(entry.zh) < _MIN_CHARACTERS):
            reason = f"a reason of the proposed entry is too short: '{truncate(entry.en, 60)}'"
            hint = "say what the person did, in English and Chinese: 'Orders that you kept'"
            yield self.refuse(label_kind(kind), reason, hint)


def counted_contexts(grant: Grant) -> frozenset[str]:
    """The contexts whose kinds count in a grant's score: its own, and the crossings agreed to (CTX-1)."""
    own = () if grant.context is None else (grant.context,)
    return frozenset((*own, *grant.crossings))


class Contexts(BuiltInRule):
    """CTX-1: nothing of another context, or of an unrelated sphere of life, lowers a score."""

    id = "CTX-1"
    source = "AIA 5(1)(c)(i); GL 163, 166"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind of another context that lowers the score, and kinds that lower from apart."""
        lowering = [each for each in policy.weightings if _lowers(each)]
        for weighting in lowering:
            if (context := weighting.kind.context) != policy.context:
                reason = f"a kind of the context {context} could lower a score of {policy.context}"
                yield self.refuse(label_weighting(policy, weighting), reason, "remove the kind")
        spheres = [set(each.kind.known.contexts) for each in lowering if each.kind.known]
        if spheres and not set.intersection(*spheres):
            reason = "what lowers its score comes from spheres of life that are not related"
            hint = "make a policy for each, with a context of its own"
            yield self.refuse(label_policy(policy), reason, hint)


class Inferences(BuiltInRule):
    """INF-1: only what was observed may lower a score."""

    id = "INF-1"
    source = "GDPR 5(1)(d); GL 159"
    reason = "only observations may lower a score"
    hint = "count what a person has seen or confirmed"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that was not observed, or mentions an inference, and lowers a score."""
        if observations.rule_against(kind.observation) == self.id:
            reason = f"{self.reason}; it declares {kind.observation}, which can never be approved"
            yield self.refuse(label_kind(kind), reason, self.hint)
        if not (entry := kind.known) or not entry.lowers:
            return
        if entry.evidence is not Evidence.OBSERVED:
            yield self.refuse(label_kind(kind), f"it is {entry.evidence}; {self.reason}", self.hint)
        elif mention := first_mention(Topic.INFERENCES, kind_texts(kind)):
            reason = f"it lowers a score and mentions '{mention}'; {self.reason}"
            yield self.refuse(label_kind(kind), reason, self.hint)


class Retention(BuiltInRule):
    """RET-1: what can lower a score fades or expires within ten years."""

    id = "RET-1"
    source = "GDPR 5(1)(e)"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind that can lower the score and neither halves nor expires within ten years."""
        for weighting in policy.weightings:
            known = weighting.kind.known  # an unknown one is refused, and has no defaults
            if known and weighting.can_lower and not _ends(weighting):
                reason = "it can lower a score and does not fade or expire within ten years"
                hint = f"set half_life_days or expires_days to at most {TEN_YEARS_IN_DAYS}"
                yield self.refuse(label_weighting(policy, weighting), reason, hint)


def _lowers(weighting: Weighting) -> bool:
    known = weighting.kind.known
    return weighting.can_lower or weighting.weight < 0 or bool(known and known.lowers)


def _ends(weighting: Weighting) -> bool:
    """Whether one unit expires, or its effect halves; a weight far above the floor prevents the latter."""
    half_life, expiry = weighting.half_life_days, weighting.expires_days
    if expiry is not None and expiry <= TEN_YEARS_IN_DAYS:
        return True
    if half_life is None or half_life > TEN_YEARS_IN_DAYS:
        return False
    remaining = abs(weighting.weight) * exp2(-TEN_YEARS_IN_DAYS / half_life)
    return remaining <= abs(weighting.floor) / 2
