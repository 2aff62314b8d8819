"""Rules on how a kind may influence a score: CTX-1, INF-1, RET-1."""

from collections.abc import Iterator
from math import exp2

from sesame_sdk.guard.labels import label_kind, label_weighting
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, first_mention, kind_texts
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import Evidence, Polarity, SignalKind

#: In days: the longest half-life or lifetime of what can lower a score.
TEN_YEARS_IN_DAYS = 3650


def counted_contexts(grant: Grant) -> frozenset[str]:
    """The contexts whose kinds count in the score that `grant` opens: its own, and the crossings agreed to.

    Scoring excludes every other context (rule CTX-1).
    """
    own = () if grant.context is None else (grant.context,)
    return frozenset((*own, *grant.crossings))


class Contexts(BuiltInRule):
    """CTX-1: a kind of another context may not lower a score, and none may count beyond its declaration."""

    id = "CTX-1"
    source = "AIA 5(1)(c)(i); GL 163, 166"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind whose name and declaration are of different contexts."""
        if not _is_of_context(kind.name, kind.context):
            yield self.refuse(
                label_kind(kind),
                "its name begins with another context than it declares",
                "make the two agree",
            )

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind of another context, or a reward, that can lower the score."""
        for weighting in policy.weightings:
            about, kind = label_weighting(policy, weighting), weighting.kind
            if kind.context != policy.context and _may_lower(weighting):
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
        if weighting.kind.evidence is not kind.evidence:
            reason = (
                f"the kind's evidence is registered as {kind.evidence.value}, "
                f"not {weighting.kind.evidence.value}"
            )
            yield self.refuse(
                label_weighting(policy, weighting), reason, f"set evidence = '{kind.evidence.value}'"
            )

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


def _is_of_context(kind: str, context: str) -> bool:
    return kind.split(".", 1)[0] == context


def _may_lower(weighting: Weighting) -> bool:
    return weighting.can_lower or weighting.kind.polarity is not Polarity.REWARD


def _takes_points(weighting: Weighting) -> bool:
    return weighting.can_lower or weighting.weight < 0


def _ends(weighting: Weighting) -> bool:
    spans = (weighting.half_life_days, weighting.expires_days)
    return any(days is not None and days <= TEN_YEARS_IN_DAYS for days in spans) and _fades(weighting)


def _fades(weighting: Weighting) -> bool:
    """Whether the effect of one unit halves in ten years; a weight far above the floor prevents that."""
    if weighting.expires_days is not None and weighting.expires_days <= TEN_YEARS_IN_DAYS:
        return True
    remaining = abs(weighting.weight) * exp2(
        -TEN_YEARS_IN_DAYS / (weighting.half_life_days or TEN_YEARS_IN_DAYS)
    )
    return remaining <= abs(weighting.floor) / 2
