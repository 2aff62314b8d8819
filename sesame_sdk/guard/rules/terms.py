"""Rules on the terms of a score: VIS-1, ENR-1, NOS-1, MIN-1, DSP-1."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.labels import READ_ON, clipped, of_consumer, of_grant, of_policy, of_reading
from sesame_sdk.guard.rules.keyword_rule import UseRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant, Reading
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import ADULT, Terms

#: A page, an address of mail, a telephone; or a house, which has a number and some words beside it.
_ADDRESS = re.compile(r"https?://[^\s/]|[^\s@]@[^\s@]+\.[^\s@]")
_TELEPHONE, _HOUSE = re.compile(r"(?:\D*\d){5}"), re.compile(r"\d")
_FEWEST_WORDS = 4
_REFUSES = re.compile(r"\b(?:not?(?!\.)|none|never|nothing|nobody|without|cannot)\b|[不无無]", re.IGNORECASE)


class TermsRule(GuardRule):
    """A rule on terms, which policies and consumers state alike."""

    dated: ClassVar[date] = READ_ON

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy on such terms."""
        yield from super().check_policy(policy)
        yield from self._judge_terms(of_policy(policy), policy.terms)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer on such terms."""
        yield from super().check_consumer(consumer)
        yield from self._judge_terms(of_consumer(consumer), consumer.terms)

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        raise NotImplementedError


class Visibility(UseRule, TermsRule):
    """VIS-1: a score is seen by its person, and by whom they let read."""

    id = "VIS-1"
    source = "GDPR 25(2)"
    topic = Topic.PUBLICITY
    reason = "a score is not shown in public, nor people listed by it"
    hint = "leave it out; if something else is meant, say so in other words"

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        if terms.visibility != "private":
            reason = f"the score would be '{clipped(terms.visibility, 32)}', not private"
            yield self.refuse(about, reason, "set visibility = 'private'")


class Joining(UseRule, TermsRule):
    """ENR-1: people join because they said yes, to this alone."""

    id = "ENR-1"
    source = "GDPR 4(11), 7; EDPB 05/2020, 13"
    topic = Topic.JOINING
    reason = "nobody is made to join, nor in without having said yes"
    hint = "leave it out; if something else is meant, say so in other words"

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        if terms.default_on:
            yield self.refuse(about, "people would be in unless they say no", "set default_on = false")
        if terms.mandatory:
            yield self.refuse(about, "people would have to join", "set mandatory = false")
        if terms.bundled:
            yield self.refuse(about, "something else would depend on joining", "set bundled = false")


class NoScore(TermsRule):
    """NOS-1: people without a score get the ordinary service."""

    id = "NOS-1"
    source = "GDPR 7(3); EDPB 05/2020, 46-48; GL 177"

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        if terms.no_score != "neutral":
            treated = clipped(terms.no_score, 32)
            reason = f"people without a score would be treated as '{treated}', not as everybody else"
            yield self.refuse(about, reason, "set no_score = 'neutral'")


class Adults(UseRule, TermsRule):
    """MIN-1: only people who are known to be 18 carry a score. The age is our choice."""

    id = "MIN-1"
    source = "GDPR 8; 18 is our choice"
    topic = Topic.MINORS
    reason = "people under 18 carry no score"
    hint = "leave them out; if something else is meant, say so in other words"

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        if terms.minimum_age < ADULT:
            reason = f"people of {terms.minimum_age} could carry the score"
            yield self.refuse(about, reason, f"set minimum_age = {ADULT}")

    def check_grant(self, grant: Grant) -> Iterator[Finding]:
        """Refuse to record a grant by somebody who is under 18, or of unknown age."""
        if not grant.adult:
            reason = f"the person is not known to be {ADULT} or older"
            hint = "record it as that of an adult once that is known, or not at all"
            yield self.refuse(of_grant(grant), reason, hint)

    def check_read(self, reading: Reading) -> Iterable[Finding]:
        """Refuse a read under such a grant: the second line, since none can be recorded."""
        if reading.grant is None or reading.grant.adult:
            return ()
        # In general words: the answer must not tell who is known here, nor who is under age.
        reason = f"a score is read with the consent of somebody known to be {ADULT} or older"
        return (self.refuse(of_reading(reading), reason, "ask the person to grant it"),)


class Disputes(GuardRule):
    """DSP-1: a person can say where a signal is wrong, and it stops counting while that is open."""

    id = "DSP-1"
    source = "GDPR 16, 18, 22(3); FCRA 1681i"
    dated = READ_ON

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that names no way to dispute, or that counts what is disputed."""
        if not _is_way(policy.disputes):
            reason = "it does not say where a person disputes a signal"
            yield self.refuse(of_policy(policy), reason, "set disputes to a page or an address")
        if policy.disputed_count:
            reason = "a signal would go on counting while it is disputed"
            yield self.refuse(of_policy(policy), reason, "set disputed_count = false")


def _is_way(told: str) -> bool:
    """Whether `told` may be where somebody can be reached; a refusal with a number in it is not."""
    if _ADDRESS.search(told):
        return True
    house = _HOUSE.search(told) and len(told.split()) >= _FEWEST_WORDS
    return bool(_TELEPHONE.match(told) or house) and not _REFUSES.search(told)
