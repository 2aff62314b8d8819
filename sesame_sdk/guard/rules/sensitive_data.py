"""Rules on what a kind is about: POL-1, SPC-1, TST-1, ASC-1, BIO-1, LOC-1, RGT-1.

They look at what was declared, and then, in case something was declared away, at the words. None
knows a sign: rewarding conformity is the same pressure as punishing its lack (GL 169).
"""

from collections.abc import Iterator

from sesame_sdk.guard.data_categories import refusing_rule
from sesame_sdk.guard.labels import clipped, of_kind, of_policy
from sesame_sdk.guard.rules.keyword_rule import SpokenRule, texts_of_kind, texts_of_policy
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import Conduct, Sensitivity, SignalKind


class KindRule(SpokenRule):
    """A rule that refuses kinds of a topic, whoever declares it or hides it, whichever way it counts."""

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that declares the topic, or speaks of it."""
        refused = sorted(iri for iri in kind.categories if refusing_rule(iri) == self.id)
        if refused:
            named = clipped(refused[0], 100)
            yield self.refuse(of_kind(kind), f"{self.reason}; it is declared as {named}", self.hint)
        elif self.declared(kind):
            yield self.refuse(of_kind(kind), f"{self.reason}; it is declared so", self.hint)
        else:
            yield from self._words(of_kind(kind), texts_of_kind(kind))

    def declared(self, kind: SignalKind) -> bool:  # noqa: ARG002 - most have nothing beside categories
        """Whether the kind says so elsewhere than in its categories."""
        return False


class ContentRule(KindRule):
    """The same, in a policy's own words too."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that speaks of the topic in its own words. Its kinds have a door of their own."""
        yield from self._words(of_policy(policy), texts_of_policy(policy))


class Politics(ContentRule):
    """POL-1: politics, protest, unions, criticism of institutions; penalty or reward."""

    id = "POL-1"
    source = "GDPR 9; GL 168"
    topic = Topic.POLITICS
    reason = "opinions, protest and unions may neither cost nor earn points"
    hint = "leave it out; if it is about something else, say so in other words"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared political."""
        return kind.sensitivity is Sensitivity.POLITICAL


class SpecialCategories(ContentRule):
    """SPC-1: religion, health, sex life, ethnicity, genetics, biometrics, or a purchase that reveals them."""

    id = "SPC-1"
    source = "GDPR 9; CJEU C-21/23"
    topic = Topic.SPECIAL
    reason = "it would reveal a special category of personal data"
    hint = "leave it out, and keep purchases that reveal it out of your totals"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared to reveal a special category."""
        return kind.sensitivity is Sensitivity.SPECIAL


class Taste(ContentRule):
    """TST-1: taste, culture, language, origin of goods or media; penalty or reward."""

    id = "TST-1"
    source = "GL 165, 167"
    topic = Topic.TASTE
    reason = "what a person likes, speaks or buys from where may neither cost nor earn points"
    hint = "count that orders were kept, not what was in them"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared a matter of taste."""
        return kind.sensitivity is Sensitivity.TASTE


class OtherPeople(ContentRule):
    """ASC-1: what somebody else did: friends, family, neighbours, area."""

    id = "ASC-1"
    source = "WP251"
    topic = Topic.OTHERS
    reason = "only a person's own conduct counts, never that of people around them"
    hint = "leave it out; if it is the person's own conduct, say so in other words"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared somebody else's conduct."""
        return kind.conduct is Conduct.OTHERS


class Biometrics(ContentRule):
    """BIO-1: biometrics and emotion, from which sensitive traits are read."""

    id = "BIO-1"
    source = "AIA 5(1)(g); GL 271-273"
    topic = Topic.BIOMETRICS
    reason = "body, face, voice and feelings may neither cost nor earn points"
    hint = "leave it out; count what a person did, not how they look or feel"


class Locations(KindRule):
    """LOC-1: places and trails. Our own: where somebody goes gives away most of what else is refused."""

    id = "LOC-1"
    source = "our own, after GDPR 5(1)(c)"
    topic = Topic.LOCATION
    reason = "where a person is or goes may neither cost nor earn points"
    hint = "leave it out; count that it was done, not where"


class Rights(KindRule):
    """RGT-1: the use of one's rights: complaints, disputes, withdrawals, looking at one's own score.

    Only of kinds: handling disputes is a purpose that a policy may well speak of.
    """

    id = "RGT-1"
    source = "our own, after GDPR 7(3), 12(2)"
    topic = Topic.RIGHTS
    reason = "using a right may neither cost nor earn points"
    hint = "leave it out; count what it was about, once somebody there has confirmed it"
