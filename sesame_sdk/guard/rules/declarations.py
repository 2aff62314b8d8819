"""Rules on what a kind must say of itself: DCL-1, EXP-1."""

from collections.abc import Iterator

from sesame_sdk.guard.data_categories import ALLOWED, refusing_rule
from sesame_sdk.guard.dpv_categories import PD
from sesame_sdk.guard.labels import READ_ON, clipped, of_kind, of_weighting
from sesame_sdk.guard.rules.keyword_rule import first_words, texts_of_kind
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.guard.text.vagueness import says_nothing
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import SignalKind


class Declared(GuardRule):
    """DCL-1: a kind says what it is made of, it may be made of that, and policies say the same. Our own."""

    id = "DCL-1"
    source = "GDPR 14(1)(d)"
    dated = READ_ON
    hint = f"name one or more of {', '.join(sorted(iri.removeprefix(PD) for iri in ALLOWED))} of {PD}"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that names no category, or one that no score may be made of."""
        if not kind.categories:
            reason = "it does not say what personal data it is made of"
            yield self.refuse(of_kind(kind), reason, f"set categories: {self.hint}")
        refused = [iri for iri in sorted(set(kind.categories)) if refusing_rule(iri) == self.id]
        for iri in refused:
            reason = f"{clipped(iri, 200)} is no category that a score may be made of"
            yield self.refuse(of_kind(kind), reason, self.hint)
        if not refused and (said := first_words(Topic.RECORDS, texts_of_kind(kind))):
            reason = f"it is declared as something else, and speaks of '{said}'"
            yield self.refuse(of_kind(kind), reason, "leave it out; if something else is meant, say so")

    def check_registered(self, policy: Policy, weighting: Weighting, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a weighting that takes its kind to be something else than it was registered as."""
        told = _meaning(kind)
        for field, said in _meaning(weighting.kind).items():
            if said != told[field]:
                reason = f"the kind is registered with another {field}"
                hint = f"set {field} = {clipped(told[field], 300)}"
                yield self.refuse(of_weighting(policy, weighting), reason, hint)


class Explained(GuardRule):
    """EXP-1: the reason beside the points tells a person what they are for."""

    id = "EXP-1"
    source = "Reg B 1002.9(b)(2); CJEU C-203/22, 62"
    dated = READ_ON

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a reason that is generic, a single word, or the kind's own name."""
        if says_nothing(kind.reason, kind.name):
            reason = f"its reason tells a person nothing: '{clipped(kind.reason.strip(), 60)}'"
            yield self.refuse(of_kind(kind), reason, "say what the person did: 'Orders that you sent back'")


def _meaning(kind: SignalKind) -> dict[str, str]:
    """As a policy file writes it."""
    return {
        "unit": f"'{kind.unit}'",
        "sensitivity": f"'{kind.sensitivity.value}'",
        "conduct": f"'{kind.conduct.value}'",
        "categories": str(sorted(set(kind.categories))),
    }
