"""Rules on what a kind may do to a score: CTX-1, INF-1, RET-1."""

from collections.abc import Iterator
from math import exp2

from sesame_sdk.guard.labels import READ_ON, of_kind, of_weighting
from sesame_sdk.guard.rules.keyword_rule import first_words, texts_of_kind
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import Evidence, Polarity, SignalKind

#: In days. The longest half-life, or life, of what can lower a score.
TEN_YEARS = 3650


def contexts_that_count(grant: Grant) -> frozenset[str]:
    """Whose kinds may count in the score that `grant` opens: its own context, and the crossings agreed to.

    Scoring leaves every other context out (rule CTX-1).
    """
    own = () if grant.context is None else (grant.context,)
    return frozenset((*own, *grant.crossings))


class Contexts(GuardRule):
    """CTX-1: a kind of another context may not lower a score, and none may count beyond what it was for."""

    id = "CTX-1"
    source = "AIA 5(1)(c)(i); GL 163, 166"
    dated = READ_ON

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind whose name belongs to one context and whose declaration to another."""
        if not _belongs(kind.name, kind.context):
            yield self.refuse(
                of_kind(kind), "its name begins with another context than it declares", "let the two agree"
            )

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse what reaches across contexts to take points, or takes them with a reward."""
        for weighting in policy.weightings:
            about, kind = of_weighting(policy, weighting), weighting.kind
            if kind.context != policy.context and _could_lower(weighting):
                reason = f"a kind of the context {kind.context} could lower a score of {policy.context}"
                yield self.refuse(
                    about, reason, "set floor = 0 and polarity = 'reward', or leave the kind out"
                )
            if kind.polarity is Polarity.REWARD and _takes(weighting):
                reason = "a kind that is a reward only could lower the score"
                yield self.refuse(about, reason, "set floor = 0 and a weight of 0 or more")

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting that says another context, or a wider use, than its kind was registered for."""
        about = of_weighting(policy, weighting)
        if weighting.kind.context != kind.context:
            reason = f"the kind is registered for the context {kind.context}"
            yield self.refuse(about, reason, f"set context = '{kind.context}'")
        if kind.polarity is Polarity.REWARD and weighting.kind.polarity is not Polarity.REWARD:
            reason = "the kind is registered as a reward only and could lower the score"
            yield self.refuse(about, reason, "set floor = 0 and polarity = 'reward'")


class Inferences(GuardRule):
    """INF-1: only what was observed may lower a score, and nothing else may be passed off as it."""

    id = "INF-1"
    source = "GDPR 5(1)(d); GL 159"
    dated = READ_ON

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that was not observed, or speaks of a guess, and may count both ways."""
        if kind.evidence is not Evidence.OBSERVED and kind.polarity is not Polarity.REWARD:
            yield self._refuse(of_kind(kind), kind.evidence)
        elif kind.polarity is not Polarity.REWARD and (
            said := first_words(Topic.GUESSES, texts_of_kind(kind))
        ):
            reason = f"it says that it was observed and speaks of '{said}'; only that may lower a score"
            yield self.refuse(of_kind(kind), reason, "count what somebody there has seen or confirmed")

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a kind that was not observed, says that it is a reward, and yet takes points."""
        for weighting in policy.weightings:
            kind = weighting.kind
            passed = kind.evidence is Evidence.OBSERVED or kind.polarity is not Polarity.REWARD
            if not passed and _takes(weighting):  # what is no reward was judged as a kind
                yield self._refuse(of_weighting(policy, weighting), kind.evidence)

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting that says other evidence than its kind was registered with."""
        if weighting.kind.evidence is not kind.evidence:
            reason = (
                f"the kind's evidence is registered as {kind.evidence.value}, "
                f"not {weighting.kind.evidence.value}"
            )
            yield self.refuse(
                of_weighting(policy, weighting), reason, f"set evidence = '{kind.evidence.value}'"
            )

    def _refuse(self, about: str, evidence: Evidence) -> Finding:
        reason = f"it is {evidence.value}, and only what was observed may lower a score"
        return self.refuse(about, reason, "set floor = 0 and polarity = 'reward', or observe it instead")


class Retention(GuardRule):
    """RET-1: what can lower a score must fade or expire, and within ten years in effect."""

    id = "RET-1"
    source = "GDPR 5(1)(e)"
    dated = READ_ON

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a lowering kind that neither halves nor expires within ten years."""
        for weighting in policy.weightings:
            if weighting.can_lower and not _ends(weighting):
                reason = "it can lower a score and neither fades nor expires within ten years"
                hint = f"set half_life_days or expires_days, to {TEN_YEARS} at most"
                yield self.refuse(of_weighting(policy, weighting), reason, hint)


def _belongs(kind: str, context: str) -> bool:
    return kind.split(".", 1)[0] == context


def _could_lower(weighting: Weighting) -> bool:
    return weighting.can_lower or weighting.kind.polarity is not Polarity.REWARD


def _takes(weighting: Weighting) -> bool:
    return weighting.can_lower or weighting.weight < 0


def _ends(weighting: Weighting) -> bool:
    spans = (weighting.half_life_days, weighting.expires_days)
    return any(days is not None and days <= TEN_YEARS for days in spans) and _fades(weighting)


def _fades(weighting: Weighting) -> bool:
    """Whether what one unit does today has halved in ten years; a weight far over the floor hides that."""
    if weighting.expires_days is not None and weighting.expires_days <= TEN_YEARS:
        return True
    left = abs(weighting.weight) * exp2(-TEN_YEARS / (weighting.half_life_days or TEN_YEARS))
    return left <= abs(weighting.floor) / 2
