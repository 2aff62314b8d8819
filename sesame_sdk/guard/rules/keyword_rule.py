"""What rules read in words: of kinds, of policies, of consumers; and the shape of rules that read them.

A rule that reads finds the first text that speaks of its topic. Texts come in an order of their own, not
in that of the entries, so that the same things said in another order give the same finding. Each effect is
read by itself: the finding says which one to mend.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.labels import READ_ON, of_consumer, of_effect, of_policy
from sesame_sdk.guard.text.keyword_match import UNREADABLE, mentioned
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms


def texts_of_kind(kind: SignalKind) -> Iterator[str]:
    """All that a kind says in words."""
    yield from (kind.name, kind.unit, kind.reason, kind.title, kind.description, *sorted(kind.sources))


def texts_of_policy(policy: Policy) -> Iterator[str]:
    """What a policy says of itself, its reason codes among it. Its kinds have a door of their own."""
    yield from (policy.name, policy.context, policy.aim, *sorted(band.name for band in policy.bands))
    yield from sorted({weighting.code for weighting in policy.weightings})


def first_words(topic: Topic, texts: Iterable[str]) -> str:
    """The first words of `texts` that are about `topic`, short enough to be told; empty if none."""
    return next(filter(None, (mentioned(topic, text) for text in texts)), "")[:60]


class SpokenRule(GuardRule):
    """A rule that refuses a topic where it is spoken of."""

    dated: ClassVar[date] = READ_ON
    topic: ClassVar[Topic]
    reason: ClassVar[str]
    hint: ClassVar[str]

    def _words(self, about: str, texts: Iterable[str]) -> Iterator[Finding]:
        found = first_words(self.topic, texts)
        if found == UNREADABLE:
            yield self.refuse(
                about, "it has more text than can be judged", "say it in fewer, plainer characters"
            )
        elif found:
            yield self.refuse(about, f"{self.reason}; it speaks of '{found}'", self.hint)


class UseRule(SpokenRule):
    """A rule that refuses a topic where a policy or a consumer says what the score is for and does."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy whose name, aim, bands or effects speak of it, as a penalty or a reward."""
        yield from super().check_policy(policy)
        yield from self._words(of_policy(policy), texts_of_policy(policy))
        yield from self._effects(of_policy(policy), policy.terms)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer whose name, context or effects speak of it."""
        yield from super().check_consumer(consumer)
        yield from self._words(of_consumer(consumer), (consumer.name, consumer.context))
        yield from self._effects(of_consumer(consumer), consumer.terms)

    def _effects(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            yield from self._words(of_effect(about, effect), (effect.name,))
