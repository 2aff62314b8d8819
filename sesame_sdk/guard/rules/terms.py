"""Rules on the terms of a score: VIS-1, ENR-1, NOS-1, MIN-1, DSP-1."""

import re
from collections.abc import Iterable, Iterator

from sesame_sdk.guard.labels import label_policy, label_reading, truncate
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, TermsRule, UseRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.grant import Grant, ReadRequest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.terms import ADULT, Terms

#: A URL or e-mail address; a telephone number; or a house number with some words beside it.
_ADDRESS = re.compile(r"https?://[^\s/]|[^\s@]@[^\s@]+\.[^\s@]")
_TELEPHONE, _HOUSE = re.compile(r"(?:\D*\d){5}"), re.compile(r"\d")
_MIN_WORDS = 4
_REFUSAL = re.compile(r"\b(?:not?(?!\.)|none|never|nothing|nobody|without|cannot)\b|[不无無]", re.IGNORECASE)


class Visibility(UseRule):
    """VIS-1: only the person, and the readers they granted access, see a score."""

    id = "VIS-1"
    source = "GDPR 25(2)"
    topic = Topic.PUBLICITY
    reason = "a score may not be public, nor people listed by it"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        if terms.visibility != "private":
            reason = f"the visibility of the score is '{truncate(terms.visibility, 32)}', not private"
            yield self.refuse(about, reason, "set visibility = 'private'")


class Enrolment(UseRule):
    """ENR-1: people join by their own consent, given to this alone."""

    id = "ENR-1"
    source = "GDPR 4(11), 7; EDPB 05/2020, 13"
    topic = Topic.FORCED_ENROLMENT
    reason = "joining may be neither mandatory nor automatic"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        if terms.default_on:
            yield self.refuse(about, "people would be enrolled unless they opt out", "set default_on = false")
        if terms.mandatory:
            yield self.refuse(about, "joining would be mandatory", "set mandatory = false")
        if terms.bundled:
            yield self.refuse(about, "another service would depend on joining", "set bundled = false")


class NoScore(TermsRule):
    """NOS-1: people without a score get the ordinary service."""

    id = "NOS-1"
    source = "GDPR 7(3); EDPB 05/2020, 46-48; GL 177"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        if terms.no_score != "neutral":
            shown = truncate(terms.no_score, 32)
            reason = f"people without a score would not get the ordinary service: '{shown}'"
            yield self.refuse(about, reason, "set no_score = 'neutral'")


class MinimumAge(UseRule):
    """MIN-1: only people who are known to be 18 have a score. The age is our choice."""

    id = "MIN-1"
    source = "GDPR 8; 18 is our choice"
    topic = Topic.MINORS
    reason = "people under 18 may not have a score"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        if terms.minimum_age < ADULT:
            reason = f"the minimum age is {terms.minimum_age}, below {ADULT}"
            yield self.refuse(about, reason, f"set minimum_age = {ADULT}")

    def check_grant(self, grant: Grant) -> Iterator[Finding]:
        """Refuse to record a grant of a person who is under 18, or of unknown age."""
        if not grant.adult:
            reason = f"the person is not known to be {ADULT} or older"
            hint = "verify the age first, then record the grant as that of an adult"
            about = truncate(f"grant to {grant.direction.value}, to {grant.partner}")  # never the person
            yield self.refuse(about, reason, hint)

    def check_read(self, reading: ReadRequest) -> Iterable[Finding]:
        """Refuse a read under such a grant. A second check: no such grant can be recorded."""
        if reading.grant is None or reading.grant.adult:
            return ()
        # General wording: the response must not reveal who is known here, nor who is under age.
        reason = f"a read needs the consent of a person known to be {ADULT} or older"
        return (self.refuse(label_reading(reading), reason, "ask the person to grant it"),)


class Disputes(BuiltInRule):
    """DSP-1: a person can dispute a signal, and it does not count while the dispute is open."""

    id = "DSP-1"
    source = "GDPR 16, 18, 22(3); FCRA 1681i"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without a contact for disputes, or that counts disputed signals."""
        if not _is_contact(policy.disputes):
            reason = "it has no contact for disputes"
            yield self.refuse(label_policy(policy), reason, "set disputes to a page or an address")
        if policy.disputed_count:
            reason = "a disputed signal would go on counting"
            yield self.refuse(label_policy(policy), reason, "set disputed_count = false")


def _is_contact(text: str) -> bool:
    """Whether `text` may be a page, an address or a number; a refusal with a number in it is not."""
    if _ADDRESS.search(text):
        return True
    house = _HOUSE.search(text) and len(text.split()) >= _MIN_WORDS
    return bool(_TELEPHONE.match(text) or house) and not _REFUSAL.search(text)
