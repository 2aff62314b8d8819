"""Rules on who may read a score and why: PUR-1 to PUR-6, CON-1.

A purpose is checked wherever it is stated, and against the effects that are to serve it. PUR-2 to PUR-6 also
refuse effects and observations by name, and read the names of policies and consumers.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import ClassVar

from sesame_sdk.catalogue.effects import effects
from sesame_sdk.guard.data_categories import PURCHASE, SALE, TRANSACTION
from sesame_sdk.guard.labels import (
    label_consumer,
    label_effect,
    label_policy,
    label_reading,
    label_weighting,
    truncate,
)
from sesame_sdk.guard.purposes import FRAUD_PREVENTION, MISUSE_PREVENTION, find_refusing_rule
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, KindRule, UseRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Direction, Grant, ReadRequest
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Terms

_TRANSACTIONS = frozenset((PURCHASE, SALE, TRANSACTION))


class PurposeRule(BuiltInRule):
    """A rule that refuses one family of purposes, wherever a purpose is stated."""

    reason: ClassVar[str]
    hint: ClassVar[str]

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy made for such a purpose."""
        yield from super().check_policy(policy)
        for purpose in sorted(set(policy.purposes)):
            yield from self._check_purpose(label_policy(policy), purpose)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that reads for such a purpose."""
        yield from super().check_consumer(consumer)
        yield from self._check_purpose(label_consumer(consumer), consumer.purpose)

    # A hub checks every read, and nearly always without findings: a generator would cost more.
    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:
        """Refuse a read for such a purpose."""
        if find_refusing_rule(reading.purpose) != self.id:
            return ()
        return self._check_purpose(label_reading(reading), reading.purpose)

    def _check_purpose(self, about: str, purpose: str) -> Iterator[Finding]:
        if find_refusing_rule(purpose) == self.id:
            shown = truncate(purpose, 100).strip() or "(empty)"
            yield self.refuse(about, f"{self.reason}: {shown}", self.hint)


class StatedPurposes(PurposeRule):
    """PUR-1: a purpose is stated, allowed, within its condition, and the one that the person consented to."""

    id = "PUR-1"
    source = "GDPR 5(1)(b), 6(4)"
    reason = "this purpose is not allowed"
    hint = "use the full IRI of an allowed purpose"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without a purpose, with one that is not allowed, or against its condition."""
        yield from super().check_policy(policy)
        if not policy.purposes:
            yield self.refuse(label_policy(policy), "it states no purpose", self.hint)
        yield from self._check_conditions(policy)
        yield from self._check_effects(label_policy(policy), policy.purposes, policy.terms)
        served = {iri for effect in policy.terms.effects if effect.known for iri in effect.known.purpose_iris}
        for purpose in sorted(set(policy.purposes) & served_purposes() - served):
            reason = f"none of its effects serves its purpose {_short(purpose)}"
            names = [name for name, entry in effects().items() if purpose in entry.purpose_iris]
            yield self.refuse(label_policy(policy), reason, f"add one of: {', '.join(names)}"[:400])

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer whose purpose is not allowed, or does not need its effects."""
        yield from super().check_consumer(consumer)
        yield from self._check_effects(label_consumer(consumer), (consumer.purpose,), consumer.terms)

    def _check_effects(self, about: str, purposes: Iterable[str], terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            if effect.known and not set(purposes) & set(effect.known.purpose_iris):
                reason = "it serves none of the stated purposes"
                hint = f"state {' or '.join(effect.known.purpose_iris)}, or remove the effect"
                yield self.refuse(label_effect(about, effect), reason, hint)

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:
        """Refuse a read whose purpose is not allowed, or is not that of the grant."""
        findings = super().check_read(reading)
        if reading.grant is None or reading.grant.purpose == reading.purpose:
            return findings
        reason = "the person consented to another purpose"
        hint = "ask the person to consent to this purpose, or read for the purpose of the grant"
        return (*findings, self.refuse(label_reading(reading), reason, hint))

    def _check_conditions(self, policy: Policy) -> Iterator[Finding]:
        for weighting in policy.weightings:
            about, kind = label_weighting(policy, weighting), weighting.kind
            categories = kind.known.category_iris if kind.known else ()
            if FRAUD_PREVENTION in policy.purposes and not _TRANSACTIONS.issuperset(categories):
                reason = "a score for fraud prevention may be made of transactions only"
                yield self.refuse(
                    about, reason, "remove the kind, or the purpose FraudPreventionAndDetection"
                )
            if MISUSE_PREVENTION in policy.purposes and kind.context != policy.context:
                reason = "a score for misuse prevention may be made of the platform's own data only"
                yield self.refuse(
                    about, reason, "remove the kind, or the purpose MisusePreventionAndDetection"
                )


@cache
def served_purposes() -> frozenset[str]:
    """The purposes that some effect of the catalogue serves."""
    return frozenset(iri for entry in effects().values() for iri in entry.purpose_iris)


def _short(purpose: str) -> str:
    return purpose.rsplit("#", 1)[-1].rsplit(":", 1)[-1]


class ProhibitedUseRule(KindRule, UseRule, PurposeRule):
    """A rule on what a score may not decide, nor be made of: whether cost or reward."""


class Work(ProhibitedUseRule):
    """PUR-2: hiring, firing, judging work."""

    id = "PUR-2"
    source = "AIA annex III(4); GL 168"
    topic = Topic.WORK
    reason = "a score may not decide on a person's work"


class PublicServices(ProhibitedUseRule):
    """PUR-3: public services, benefits, policing, justice, migration, voting."""

    id = "PUR-3"
    source = "AIA annex III(5)(a), (6)-(8); GL 167-168"
    topic = Topic.PUBLIC_SERVICES
    reason = "a score may not decide on public services, nor serve the state against a person"


class Essentials(ProhibitedUseRule):
    """PUR-4: internet access or speed, housing, utilities, health, school, transport; also as a reward."""

    id = "PUR-4"
    source = "GL 168; AIA annex III(3), (5)"
    topic = Topic.ESSENTIALS
    reason = "a score may not decide on essential services, not even as a reward"


class Credit(ProhibitedUseRule):
    """PUR-5: credit, insurance."""

    id = "PUR-5"
    source = "Directive 2023/2225 art. 18(3); GL 170, 182"
    topic = Topic.CREDIT
    reason = "a score may not decide on credit or insurance"


class Resale(ProhibitedUseRule):
    """PUR-6: resale, onward sharing."""

    id = "PUR-6"
    source = "GDPR 5(1)(b)"
    topic = Topic.RESALE
    reason = "a score may not be sold or shared with others"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        if terms.reshare:
            yield self.refuse(about, "readers could share the score with others", "set reshare = false")


class Consent(BuiltInRule):
    """CON-1: the person's consent is valid now, and covers this reader and this score."""

    id = "CON-1"
    source = "GDPR 7(3)"

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:
        """Refuse a read without a valid grant."""
        if reading.grant is not None and _covers(reading.grant, reading):
            return ()
        # One wording for every failure: the response must not reveal who is known here.
        reason = "no valid consent covers this read"
        return (self.refuse(label_reading(reading), reason, "ask the person to grant it"),)


def _covers(grant: Grant, reading: ReadRequest) -> bool:
    same = (grant.partner, grant.context) == (reading.partner, reading.context)
    return same and grant.direction is Direction.READ and grant.is_valid(reading.at)
