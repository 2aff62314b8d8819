"""Rules on who may read and why: PUR-1 to PUR-6, CON-1.

A purpose is judged wherever it is stated. In case the stated one is harmless and the effects are not,
PUR-2 to PUR-6 also read what policies and consumers say of themselves.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.data_categories import PURCHASE, SALE, TRANSACTION
from sesame_sdk.guard.labels import READ_ON, clipped, of_consumer, of_policy, of_reading, of_weighting
from sesame_sdk.guard.purposes import FRAUD_PREVENTION, MISUSE_PREVENTION, refusing_rule
from sesame_sdk.guard.rules.keyword_rule import UseRule
from sesame_sdk.guard.rules.terms import TermsRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Direction, Grant, Reading
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import Terms

_TRANSACTIONS = frozenset((PURCHASE, SALE, TRANSACTION))


class PurposeRule(GuardRule):
    """A rule that refuses one family of purposes, wherever a purpose is stated."""

    dated: ClassVar[date] = READ_ON
    reason: ClassVar[str]
    hint: ClassVar[str]

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy made for such a purpose."""
        yield from super().check_policy(policy)
        for purpose in sorted(set(policy.purposes)):
            yield from self._judge_purpose(of_policy(policy), purpose)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that reads for such a purpose."""
        yield from super().check_consumer(consumer)
        yield from self._judge_purpose(of_consumer(consumer), consumer.purpose)

    # A hub asks at every read, and nearly always finds nothing: no generator is made for that.
    def check_read(self, reading: Reading) -> Iterable[Finding]:
        """Refuse a read for such a purpose."""
        if refusing_rule(reading.purpose) != self.id:
            return ()
        return self._judge_purpose(of_reading(reading), reading.purpose)

    def _judge_purpose(self, about: str, purpose: str) -> Iterator[Finding]:
        if refusing_rule(purpose) == self.id:
            named = clipped(purpose, 100).strip() or "(empty)"
            yield self.refuse(about, f"{self.reason}: {named}", self.hint)


class StatedPurpose(PurposeRule):
    """PUR-1: a purpose is stated, known, held to its condition, and the one that the person agreed to."""

    id = "PUR-1"
    source = "GDPR 5(1)(b), 6(4)"
    reason = "this is not a purpose that scores may be read for"
    hint = "state one of the allowed purposes by its whole IRI"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without a purpose, with one that is not allowed, or against its condition."""
        yield from super().check_policy(policy)
        if not policy.purposes:
            yield self.refuse(of_policy(policy), "it does not say what its score may be read for", self.hint)
        if FRAUD_PREVENTION in policy.purposes:
            yield from self._only_transactions(policy)
        if MISUSE_PREVENTION in policy.purposes:
            yield from self._only_its_own(policy)

    def check_read(self, reading: Reading) -> Iterable[Finding]:
        """Refuse a read whose purpose is not allowed, or is not that of the grant."""
        found = super().check_read(reading)
        if reading.grant is None or reading.grant.purpose == reading.purpose:
            return found
        reason = "the person agreed to another purpose"
        hint = "ask the person for this purpose, or read for theirs"
        return (*found, self.refuse(of_reading(reading), reason, hint))

    def _only_transactions(self, policy: Policy) -> Iterator[Finding]:
        for weighting in policy.weightings:
            if not _TRANSACTIONS.issuperset(weighting.kind.categories):
                reason = "a score that is read to prevent fraud is made of transactions only"
                hint = "leave the kind out, or the purpose FraudPreventionAndDetection"
                yield self.refuse(of_weighting(policy, weighting), reason, hint)

    def _only_its_own(self, policy: Policy) -> Iterator[Finding]:
        for weighting in policy.weightings:
            if weighting.kind.context != policy.context:
                reason = "a score that is read to prevent misuse is made of the platform's own data only"
                hint = "leave the kind out, or the purpose MisusePreventionAndDetection"
                yield self.refuse(of_weighting(policy, weighting), reason, hint)


class StakeRule(UseRule, PurposeRule):
    """A rule on what a score may not decide on: as a purpose, and as an effect, whether cost or reward."""

    hint = "leave it out: scores are not for this; if something else is meant, say so in other words"


class Work(StakeRule):
    """PUR-2: hiring, firing, judging work."""

    id = "PUR-2"
    source = "AIA annex III(4); GL 168"
    topic = Topic.WORK
    reason = "a score may not decide on somebody's work"


class PublicServices(StakeRule):
    """PUR-3: public services, benefits, policing, justice, migration, voting."""

    id = "PUR-3"
    source = "AIA annex III(5)(a), (6)-(8); GL 167-168"
    topic = Topic.PUBLIC_SERVICES
    reason = "a score may not serve the state against a person, nor open or close public services"


class Essentials(StakeRule):
    """PUR-4: internet access or speed, housing, utilities, health, school, transport; also as a reward."""

    id = "PUR-4"
    source = "GL 168; AIA annex III(3), (5)"
    topic = Topic.ESSENTIALS
    reason = "a score may not decide on what people need to live, not even as a reward"


class Money(StakeRule):
    """PUR-5: credit, insurance."""

    id = "PUR-5"
    source = "Directive 2023/2225 art. 18(3); GL 170, 182"
    topic = Topic.MONEY
    reason = "a score may not decide on credit or insurance"


class Resale(StakeRule, TermsRule):
    """PUR-6: resale, onward sharing."""

    id = "PUR-6"
    source = "GDPR 5(1)(b)"
    topic = Topic.RESALE
    reason = "a score may not be sold or passed on"

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        if terms.reshare:
            yield self.refuse(about, "readers could pass the score on", "set reshare = false")


class Consent(GuardRule):
    """CON-1: the person's consent stands at this moment, and covers this reader and this score."""

    id = "CON-1"
    source = "GDPR 7(3)"
    dated = READ_ON

    def check_read(self, reading: Reading) -> Iterable[Finding]:
        """Refuse a read without a valid grant."""
        if reading.grant is not None and _covers(reading.grant, reading):
            return ()
        # One wording for every way of failing: the answer must not tell who is known here.
        reason = "there is no consent to this read that is valid now"
        return (self.refuse(of_reading(reading), reason, "ask the person to grant it"),)


def _covers(grant: Grant, reading: Reading) -> bool:
    return (
        grant.direction is Direction.READ
        and grant.partner == reading.partner
        and grant.context == reading.context
        and grant.valid(reading.at)
    )
