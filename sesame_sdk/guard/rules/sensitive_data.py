"""Rules on sensitive content of kinds: POL-1, SPC-1, TST-1, ASC-1, BIO-1, LOC-1, RGT-1.

Each refuses its observations by name, then the categories of a proposal, then the texts, in case something is
not declared. None depends on the sign of the points: rewarding conformity is the same pressure as punishing
its lack (GL 169).
"""

from collections.abc import Iterator

from sesame_sdk.guard.data_categories import find_refusing_rule
from sesame_sdk.guard.labels import label_kind, label_policy, truncate
from sesame_sdk.guard.rules.keyword_rule import (
    KeywordRule,
    KindRule,
    kind_texts,
    own_words_removed,
    policy_names,
)
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind


class TopicRule(KindRule, KeywordRule):
    """A rule that refuses kinds of a topic, declared or not, whichever way they count."""

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that declares the topic, or mentions it."""
        by_name = tuple(super().check_kind(kind))
        yield from by_name
        categories = kind.known.category_iris if kind.known else ()
        refused = sorted(iri for iri in categories if find_refusing_rule(iri) == self.id)
        if refused:
            category = truncate(refused[0], 100)
            yield self.refuse(label_kind(kind), f"{self.reason}; it is declared as {category}", self.hint)
        elif kind.proposal and not by_name:  # the texts of a proposal are what people would read
            yield from self._check_texts(label_kind(kind), kind_texts(kind))
        elif not by_name:
            yield from self._check_names(label_kind(kind), own_words_removed(kind))


class ContentRule(TopicRule):
    """A rule that also reads a policy's own names for the topic."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy whose names mention the topic. Its kinds are checked as kinds."""
        yield from self._check_names(label_policy(policy), policy_names(policy))


class Politics(ContentRule):
    """POL-1: politics, protest, unions, criticism of institutions; penalty or reward."""

    id = "POL-1"
    source = "GDPR 9; GL 168"
    topic = Topic.POLITICS
    reason = "opinions, protest and union membership may neither cost nor earn points"


class SpecialCategories(ContentRule):
    """SPC-1: religion, health, sex life, ethnicity, genetics, biometrics, or a purchase that reveals them."""

    id = "SPC-1"
    source = "GDPR 9; CJEU C-21/23"
    topic = Topic.SPECIAL_CATEGORIES
    reason = "it would reveal a special category of personal data"
    hint = "remove it, and exclude purchases that reveal it from your totals"


class Taste(ContentRule):
    """TST-1: taste, culture, language, origin of goods or media; penalty or reward."""

    id = "TST-1"
    source = "GL 165, 167"
    topic = Topic.TASTE
    reason = "taste, language and the origin of goods may neither cost nor earn points"
    hint = "count that orders were kept, not what was in them"


class OtherPeople(ContentRule):
    """ASC-1: the conduct of other people: friends, family, neighbours, area."""

    id = "ASC-1"
    source = "WP251"
    topic = Topic.OTHER_PEOPLE
    reason = "only a person's own conduct counts, not the conduct of other people"
    hint = "remove it, or reword it if it is the person's own conduct"


class Biometrics(ContentRule):
    """BIO-1: biometrics and emotion, from which sensitive traits are inferred."""

    id = "BIO-1"
    source = "AIA 5(1)(g); GL 271-273"
    topic = Topic.BIOMETRICS
    reason = "body, face, voice and emotions may neither cost nor earn points"
    hint = "remove it; count what a person did, not how they look or feel"


class Locations(TopicRule):
    """LOC-1: locations and movements. Our own: they reveal most of what the other rules refuse."""

    id = "LOC-1"
    source = "our own, after GDPR 5(1)(c)"
    topic = Topic.LOCATION
    reason = "where a person is or goes may neither cost nor earn points"
    hint = "remove it; count that it was done, not where"


class Rights(TopicRule):
    """RGT-1: the use of one's rights: complaints, disputes, withdrawals, looking at one's own score.

    Only of kinds: a policy may well be for handling disputes.
    """

    id = "RGT-1"
    source = "our own, after GDPR 7(3), 12(2)"
    topic = Topic.RIGHTS
    reason = "using a right may neither cost nor earn points"
    hint = "remove it; count what it was about, once a person has confirmed it"
