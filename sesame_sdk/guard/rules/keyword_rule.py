"""Base classes of the built-in rules: those that refuse names of the catalogues, and those that read texts.

The catalogues decide: what they lack cannot be declared. Word lists are the second net, for titles and names.
A text is refused for what it says plainly; a name that may mean something else is sent to a person's review.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar

from sesame_sdk.catalogue import effects, observations
from sesame_sdk.guard.labels import CHECKED_ON, label_consumer, label_effect, label_kind, label_policy
from sesame_sdk.guard.text.keyword_match import UNREADABLE, find_mention, is_plain
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import Terms

MAX_MENTION = 60
_WORD = re.compile("[A-Za-z]+")
_NOT_REFUSED = "choose an entry of the catalogue: sesame observations list"


def kind_texts(kind: SignalKind) -> Iterator[str]:
    """The texts that say what a kind records: its name after the context, its title, and its own proposal."""
    yield from (kind.name.partition(".")[2], kind.title)
    if proposal := kind.proposal:
        yield from (kind.observation.replace("_", " "), proposal.en, proposal.zh, proposal.computed)
        yield from (proposal.reads, proposal.unit)


def own_words_removed(kind: SignalKind) -> Iterator[str]:
    """The texts of a kind without the words of its observation's id, which the catalogue uses of it too."""
    own = kind.observation.split("_")
    for text in kind_texts(kind):
        yield _WORD.sub(lambda word: "…" if word[0].casefold().removesuffix("s") in own else word[0], text)


def policy_names(policy: Policy) -> Iterator[str]:
    """A policy's own names, its reason codes included. Its kinds are checked as kinds."""
    yield from (policy.name, policy.context)
    yield from sorted({weighting.code for weighting in policy.weightings})


def first_mention(topic: Topic, texts: Iterable[str]) -> str:
    """The first words of `texts` that mention `topic`, short enough for a finding; empty if none do."""
    return next(filter(None, (find_mention(topic, text) for text in texts)), "")[:MAX_MENTION]


class BuiltInRule(GuardRule):
    """A rule of ours, with the day on which its source was checked."""

    dated: ClassVar[date] = CHECKED_ON


class KindRule(BuiltInRule):
    """A rule that refuses observations by name, whatever the catalogue or a proposal says of them."""

    reason: ClassVar[str]
    hint: ClassVar[str] = "remove it, or reword it if something else is meant"

    def check_kind(self, kind: SignalKind) -> Iterator[Finding]:
        """Refuse a kind that declares an observation of this rule."""
        if observations.rule_against(kind.observation) == self.id:
            reason = f"{self.reason}; it declares {kind.observation}, which can never be approved"
            yield self.refuse(label_kind(kind), reason, self.hint)


class TermsRule(BuiltInRule):
    """A rule on terms, which policies and consumers state alike: first on the names of their effects."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy on such terms."""
        yield from super().check_policy(policy)
        yield from self._check_terms(label_policy(policy), policy.terms)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer on such terms."""
        yield from super().check_consumer(consumer)
        yield from self._check_terms(label_consumer(consumer), consumer.terms)

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            if effects.rule_against(effect.effect) == self.id:
                reason = f"no score may have the effect {effect.effect}, and no release will add it"
                yield self.refuse(label_effect(about, effect), reason, _NOT_REFUSED + " --effects")


class KeywordRule(BuiltInRule):
    """A rule that reads texts for a topic."""

    topic: ClassVar[Topic]
    reason: ClassVar[str]
    hint: ClassVar[str] = "remove it, or reword it if something else is meant"

    def _check_texts(self, about: str, texts: Iterable[str]) -> Iterator[Finding]:
        mention = first_mention(self.topic, texts)
        if mention == UNREADABLE:
            yield self.refuse(about, "it has too much text to check", "use fewer and plainer characters")
        elif mention:
            yield self.refuse(about, f"{self.reason}; it mentions '{mention}'", self.hint)

    def _check_names(self, about: str, names: Iterable[str]) -> Iterator[Finding]:
        """Refuse a name for what it says plainly, and ask for a review of what may mean something else."""
        names = tuple(names)
        if plain := next((name for name in names if is_plain(self.topic, name)), ""):
            yield from self._check_texts(about, (plain,))
        elif mention := first_mention(self.topic, names):
            reason = f"its name mentions '{mention}', which may mean something else: {self.reason}"
            hint = "have a person review it and record the name: --reviewed-by NAME; or use another name"
            yield Finding(self.id, Action.REVIEW, about, reason, hint, self.source, self.dated)


class UseRule(KeywordRule, TermsRule):
    """A rule on what a score may be used for: in effects, and in the names of policies and consumers."""

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy with such an effect, or whose names mention the topic."""
        yield from super().check_policy(policy)
        yield from self._check_names(label_policy(policy), policy_names(policy))

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer with such an effect, or whose names mention the topic."""
        yield from super().check_consumer(consumer)
        yield from self._check_names(label_consumer(consumer), (consumer.name, consumer.context))
