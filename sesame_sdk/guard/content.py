"""Rules on what a kind is about: POL-1, SPC-1, TST-1, ASC-1.

They look at what was declared, and then, in case something was declared away, at the words. None
knows a sign: rewarding conformity is the same pressure as punishing its lack (GL 169).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.lexicon import UNREADABLE, mentioned
from sesame_sdk.guard.subject import READ_ON, of_kind, of_policy
from sesame_sdk.guard.words import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signal import Conduct, Sensitivity, SignalKind


class ContentRule(GuardRule):
    """A rule that refuses a topic, whoever declares it or hides it, and whichever way it counts."""

    dated: ClassVar[date] = READ_ON
    topic: ClassVar[Topic]
    reason: ClassVar[str]
    mend: ClassVar[str]

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind itself says that it is about the topic."""
        raise NotImplementedError

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that declares the topic or speaks of it."""
        if self.declared(kind):
            yield self.refuse(of_kind(kind), f"{self.reason}; it is declared so", self.mend)
        else:
            words = (kind.name, kind.unit, kind.reason, kind.title, kind.description, *kind.sources)
            yield from self._words(of_kind(kind), words)

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that speaks of the topic in its own words. Its kinds have a door of their own."""
        bands = (band.name for band in policy.bands)
        yield from self._words(of_policy(policy), (policy.name, policy.context, policy.aim, *bands))

    def _words(self, about: str, texts: Iterable[str]) -> Iterator[Finding]:
        found = next(filter(None, (mentioned(self.topic, text) for text in texts)), "")
        if found == UNREADABLE:
            yield self.refuse(
                about, "it has more text than can be judged", "say it in fewer, plainer characters"
            )
        elif found:
            yield self.refuse(about, f"{self.reason}; it speaks of '{found[:60]}'", self.mend)


class Politics(ContentRule):
    """POL-1: politics, protest, unions, criticism of institutions; penalty or reward."""

    id = "POL-1"
    source = "GDPR 9; GL 168"
    topic = Topic.POLITICS
    reason = "opinions, protest and unions may neither cost nor earn points"
    mend = "leave it out; if it is about something else, say so in other words"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared political."""
        return kind.sensitivity is Sensitivity.POLITICAL


class SpecialCategories(ContentRule):
    """SPC-1: religion, health, sex life, ethnicity, genetics, biometrics, or a purchase that reveals them."""

    id = "SPC-1"
    source = "GDPR 9; CJEU C-21/23"
    topic = Topic.SPECIAL
    reason = "it would reveal a special category of personal data"
    mend = "leave it out, and keep purchases that reveal it out of your totals"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared to reveal a special category."""
        return kind.sensitivity is Sensitivity.SPECIAL


class Taste(ContentRule):
    """TST-1: taste, culture, language, origin of goods or media; penalty or reward."""

    id = "TST-1"
    source = "GL 165, 167"
    topic = Topic.TASTE
    reason = "what a person likes, speaks or buys from where may neither cost nor earn points"
    mend = "count that orders were kept, not what was in them"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared a matter of taste."""
        return kind.sensitivity is Sensitivity.TASTE


class OtherPeople(ContentRule):
    """ASC-1: what somebody else did: friends, family, neighbours, area."""

    id = "ASC-1"
    source = "WP251"
    topic = Topic.OTHERS
    reason = "only a person's own conduct counts, never that of people around them"
    mend = "leave it out; if it is the person's own conduct, say so in other words"

    def declared(self, kind: SignalKind) -> bool:
        """Whether the kind is declared somebody else's conduct."""
        return kind.conduct is Conduct.OTHERS
