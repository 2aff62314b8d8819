"""Base classes of the built-in rules, and of the rules that search texts for a topic.

A keyword rule finds the first text that mentions its topic. Texts are sorted, so that the same content in
another order gives the same finding. Each effect is searched by itself: the finding names the one to change.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.guard.labels import CHECKED_ON, label_consumer, label_effect, label_policy
from sesame_sdk.guard.text.keyword_match import UNREADABLE, find_mention
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

MAX_MENTION = 60


def kind_texts(kind: SignalKind) -> Iterator[str]:
    """All texts of a kind."""
    yield from (kind.name, kind.unit, kind.reason, kind.title, kind.description, *sorted(kind.sources))


def policy_texts(policy: Policy) -> Iterator[str]:
    """A policy's own texts, its reason codes included. Its kinds are checked as kinds."""
    yield from (policy.name, policy.context, policy.aim, *sorted(band.name for band in policy.bands))
    yield from sorted({weighting.code for weighting in policy.weightings})


def first_mention(topic: Topic, texts: Iterable[str]) -> str:
    """The first words of `texts` that mention `topic`, short enough for a finding; empty if none do."""
    return next(filter(None, (find_mention(topic, text) for text in texts)), "")[:MAX_MENTION]


class BuiltInRule(GuardRule):
    """A rule of ours, with the day on which its source was checked."""

    dated: ClassVar[date] = CHECKED_ON


class KeywordRule(BuiltInRule):
    """A rule that refuses texts that mention a topic."""

    topic: ClassVar[Topic]
    reason: ClassVar[str]
    hint: ClassVar[str] = "remove it, or reword it if something else is meant"

    def _check_texts(self, about: str, texts: Iterable[str]) -> Iterator[Finding]:
        mention = first_mention(self.topic, texts)
        if mention == UNREADABLE:
            yield self.refuse(about, "it has too much text to check", "use fewer and plainer characters")
        elif mention:
            yield self.refuse(about, f"{self.reason}; it mentions '{mention}'", self.hint)


class UseRule(KeywordRule):
    """A rule that refuses a topic where a policy or a consumer says what the score is for."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy whose name, aim, bands or effects mention the topic, as a penalty or a reward."""
        yield from super().check_policy(policy)
        yield from self._check_texts(label_policy(policy), policy_texts(policy))
        yield from self._check_effects(label_policy(policy), policy.terms)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer whose name, context or effects mention the topic."""
        yield from super().check_consumer(consumer)
        yield from self._check_texts(label_consumer(consumer), (consumer.name, consumer.context))
        yield from self._check_effects(label_consumer(consumer), consumer.terms)

    def _check_effects(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            yield from self._check_texts(label_effect(about, effect), (effect.name,))
