"""Rules on what a kind must declare: DCL-1, EXP-1."""

from collections.abc import Iterator

from sesame_sdk.guard.data_categories import ALLOWED, find_refusing_rule
from sesame_sdk.guard.dpv import PD
from sesame_sdk.guard.labels import label_kind, label_weighting, truncate
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, first_mention, kind_texts
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.guard.text.vagueness import is_vague
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.signals import SignalKind


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
            yield self.refuse(
                label_kind(kind), reason, "say what the person did: 'Orders that you sent back'"
            )


def _declaration(kind: SignalKind) -> dict[str, str]:
    """The fields that must agree, as a policy file writes them."""
    return {
        "unit": f"'{kind.unit}'",
        "sensitivity": f"'{kind.sensitivity.value}'",
        "conduct": f"'{kind.conduct.value}'",
        "categories": str(sorted(set(kind.categories))),
    }
