"""Rules on what a kind declares and how it may influence a score: DCL-1, EXP-1, CTX-1, INF-1, RET-1."""

from collections.abc import Iterator
from math import exp2

from sesame_sdk.guard.data_categories import ALLOWED, find_refusing_rule
from sesame_sdk.guard.dpv import PD
from sesame_sdk.guard.labels import label_kind, label_weighting, truncate
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, first_mention, kind_texts
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.guard.text.vagueness import is_vague
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import Evidence, Polarity, SignalKind

#: In days: the longest half-life or lifetime of what can lower a score.
TEN_YEARS_IN_DAYS = 3650


class DeclaredCategories(BuiltInRule):
    """DCL-1: a kind declares allowed categories of personal data, and policies declare the same. Our own."""

    id = "DCL-1"
    source = "GDPR 14(1)(d)"
    hint = f"use one or more of {', '.join(sorted(iri.removeprefix(PD) for iri in ALLOWED))} of {PD}"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind without a category, or with one that no score may be made of."""
        if not kind.categories:
            reason = "it declares no category of personal data"
            yield self.refuse(label_kind(kind), reason, f"set categories: {self.hint}")
        refused = [iri for iri in sorted(set(kind.categories)) if find_refusing_rule(iri) == self.id]
        for iri in refused:
            reason = f"{truncate(iri, 200)} is not an allowed category of personal data"
            yield self.refuse(label_kind(kind), reason, self.hint)
        if not refused and (mention := first_mention(Topic.EXTERNAL_RECORDS, kind_texts(kind))):
            reason = f"its declared categories do not cover what it mentions: '{mention}'"
            yield self.refuse(label_kind(kind), reason, "remove it, or reword it if something else is meant")

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting that declares its kind differently from the registered kind."""
        registered = _declaration(kind)
        for field, declared in _declaration(weighting.kind).items():
            if declared != registered[field]:
                reason = f"the kind is registered with another {field}"
                hint = f"set {field} = {truncate(registered[field], 300)}"
                yield self.refuse(label_weighting(policy, weighting), reason, hint)


class SpecificReasons(BuiltInRule):
    """EXP-1: the reason beside the points tells a person what they are for."""

    id = "EXP-1"
    source = "Reg B 1002.9(b)(2); CJEU C-203/22, 62"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a reason that is generic, a single word, or the kind's own name."""
        if is_vague(kind.reason, kind.name):
            reason = f"its reason is too vague: '{truncate(kind.reason.strip(), 60)}'"
            hint = "say what the person did: 'Orders that you sent back'"
            yield self.refuse(label_kind(kind), reason, hint)


def _declaration(kind: SignalKind) -> dict[str, str]:
    """The fields that must agree, as a policy file writes them."""
    return {
        "unit": f"'{kind.unit}'",
        "sensitivity": f"'{kind.sensitivity.value}'",
        "conduct": f"'{kind.conduct.value}'",
        "categories": str(sorted(set(kind.categories))),
    }


def counted_contexts(grant: Grant) -> frozenset[str]:
    """The contexts whose kinds count in a grant's score: its own, and the crossings agreed to (CTX-1)."""
    own = () if grant.context is None else (grant.context,)
    return frozenset((*own, *grant.crossings))


class Contexts(BuiltInRule):
    """CTX-1: a kind of another context may not lower a score, and none may count beyond its declaration."""

    id = "CTX-1"
    source = "AIA 5(1)(c)(i); GL 163, 166"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind whose name and declaration are of different contexts."""
        if kind.name.split(".", 1)[0] != kind.context:
            reason = "its name begins with another context than it declares"
            yield self.refuse(label_kind(kind), reason, "make the two agree")

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind of another context, or a reward, that can lower the score."""
        for weighting in policy.weightings:
            about, kind = label_weighting(policy, weighting), weighting.kind
            may_lower = weighting.can_lower or kind.polarity is not Polarity.REWARD
            if kind.context != policy.context and may_lower:
                reason = f"a kind of the context {kind.context} could lower a score of {policy.context}"
                yield self.refuse(about, reason, "set floor = 0 and polarity = 'reward', or remove the kind")
            if kind.polarity is Polarity.REWARD and _takes_points(weighting):
                reason = "a reward-only kind could lower the score"
                yield self.refuse(about, reason, "set floor = 0 and a weight of 0 or more")

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting with another context, or a wider use, than its kind was registered for."""
        about = label_weighting(policy, weighting)
        if weighting.kind.context != kind.context:
            reason = f"the kind is registered for the context {kind.context}"
            yield self.refuse(about, reason, f"set context = '{kind.context}'")
        if kind.polarity is Polarity.REWARD and weighting.kind.polarity is not Polarity.REWARD:
            reason = "the kind is registered as reward-only and could lower the score"
            yield self.refuse(about, reason, "set floor = 0 and polarity = 'reward'")


class Inferences(BuiltInRule):
    """INF-1: only what was observed may lower a score."""

    id = "INF-1"
    source = "GDPR 5(1)(d); GL 159"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that was not observed, or mentions an inference, and may count both ways."""
        if kind.evidence is not Evidence.OBSERVED and kind.polarity is not Polarity.REWARD:
            yield self._refuse(label_kind(kind), kind.evidence)
        elif kind.polarity is not Polarity.REWARD and (
            mention := first_mention(Topic.INFERENCES, kind_texts(kind))
        ):
            reason = (
                f"it is declared as observed and mentions '{mention}'; only observations may lower a score"
            )
            yield self.refuse(label_kind(kind), reason, "count what a person has seen or confirmed")

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind that was not observed and can lower the score although it is declared a reward."""
        for weighting in policy.weightings:
            kind = weighting.kind
            unobserved_reward = kind.evidence is not Evidence.OBSERVED and kind.polarity is Polarity.REWARD
            if unobserved_reward and _takes_points(weighting):  # other polarities are refused as a kind
                yield self._refuse(label_weighting(policy, weighting), kind.evidence)

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting with other evidence than its kind was registered with."""
        given, registered = weighting.kind.evidence, kind.evidence
        if given is not registered:
            reason = f"the kind's evidence is registered as {registered.value}, not {given.value}"
            hint = f"set evidence = '{registered.value}'"
            yield self.refuse(label_weighting(policy, weighting), reason, hint)

    def _refuse(self, about: str, evidence: Evidence) -> Finding:
        reason = f"it is {evidence.value}; only observations may lower a score"
        return self.refuse(about, reason, "set floor = 0 and polarity = 'reward', or use observed data")


class Retention(BuiltInRule):
    """RET-1: what can lower a score fades or expires within ten years."""

    id = "RET-1"
    source = "GDPR 5(1)(e)"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind that can lower the score and neither halves nor expires within ten years."""
        for weighting in policy.weightings:
            if weighting.can_lower and not _ends(weighting):
                reason = "it can lower a score and does not fade or expire within ten years"
                hint = f"set half_life_days or expires_days to at most {TEN_YEARS_IN_DAYS}"
                yield self.refuse(label_weighting(policy, weighting), reason, hint)


def _takes_points(weighting: Weighting) -> bool:
    return weighting.can_lower or weighting.weight < 0


def _ends(weighting: Weighting) -> bool:
    """Whether one unit expires, or its effect halves; a weight far above the floor prevents the latter."""
    half_life, expiry = weighting.half_life_days, weighting.expires_days
    if expiry is not None and expiry <= TEN_YEARS_IN_DAYS:
        return True
    if half_life is None or half_life > TEN_YEARS_IN_DAYS:
        return False
    remaining = abs(weighting.weight) * exp2(-TEN_YEARS_IN_DAYS / half_life)
    return remaining <= abs(weighting.floor) / 2
