"""Rules on what follows from a score: PRP-1, ADM-1, PRC-1, MAT-1.

A policy says between which bands an effect lies, and how grave the conduct is that lowers. A consumer
says less: at its door only that is judged which needs neither. In case an effect was declared lighter than
it is, its name is read too.
"""

from collections.abc import Iterator

from sesame_sdk.guard.labels import READ_ON, clipped, of_band, of_consumer, of_effect, of_policy, of_weighting
from sesame_sdk.guard.purposes import MATCHMAKING_RANKING
from sesame_sdk.guard.rules.keyword_rule import first_words, texts_of_kind
from sesame_sdk.guard.rules.terms import TermsRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.guard.text.vagueness import is_generic, names_a_standing, names_the_score, says_nothing
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy, Severity, Weighting
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side, Terms


class EffectRule(TermsRule):
    """A rule on each effect by itself."""

    def _judge_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            yield from self._judge_effect(of_effect(about, effect), effect)

    def _judge_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        raise NotImplementedError


class Proportion(EffectRule):
    """PRP-1: a score is for something, and no consequence is heavier than the conduct behind it."""

    id = "PRP-1"
    source = "AIA 5(1)(c)(ii); GL 167"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without an aim, or one whose effects could meet people who did too little."""
        if says_nothing(policy.aim):
            reason = "it does not say what its score is for"
            yield self.refuse(of_policy(policy), reason, "set aim to a sentence that says so")
        yield from super().check_policy(policy)
        for effect in policy.terms.effects:
            if effect.side is Side.BELOW and effect.consequence is not Consequence.BAN:
                yield from self._judge_lowering(policy, effect)
        for band in policy.bands:
            if said := first_words(Topic.STIGMA, [band.name]):
                reason = f"a band would be called '{said}', which is a verdict on people"
                yield self.refuse(of_band(policy, band), reason, "name it by the score: 'low', 'ordinary'")
        yield from self._judge_gravity(policy)

    def _judge_gravity(self, policy: Policy) -> Iterator[Finding]:
        for weighting in policy.weightings:
            light = weighting.can_lower and weighting.severity is Severity.GRAVE
            if light and (said := first_words(Topic.TRIFLES, texts_of_kind(weighting.kind))):
                reason = f"conduct such as '{said}' is not grave"
                yield self.refuse(of_weighting(policy, weighting), reason, "set severity = 'minor'")

    def _judge_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        below = effect.side is Side.BELOW
        if effect.consequence is Consequence.BAN or (below and first_words(Topic.BANS, [effect.name])):
            reason = "a ban is decided about a person, never by a score"
            yield self.refuse(about, reason, "leave it out, and let people judge what people did")
        elif effect.consequence.weight <= Consequence.REVIEW.weight and (
            said := first_words(Topic.BURDENS, [effect.name])
        ):
            reason = f"'{said}' is more than a {effect.consequence.value}"
            hint = "state it below a band, as the limit or suspension that it is, or say it in other words"
            yield self.refuse(about, reason, hint)
        elif said := first_words(Topic.STIGMA, [effect.name]):
            reason = f"'{said}' is a verdict on people"
            yield self.refuse(about, reason, "say what is done, not what somebody is")
        elif effect.side is Side.FROM and effect.consequence.weight:
            reason = f"people would meet a {effect.consequence.value} for having reached a band"
            yield self.refuse(about, reason, "state it below a band, or as the benefit that it is")

    def _judge_lowering(self, policy: Policy, effect: Effect) -> Iterator[Finding]:
        about = of_effect(of_policy(policy), effect)
        start = next(band.start for band in policy.bands if band.name == effect.band)
        # A review is the least that is done to those below, whatever it is called.
        light = _lighter(policy, max(effect.consequence.weight, Consequence.REVIEW.weight))
        lowest = round(policy.base + sum(weighting.floor for weighting in light), 2)
        if policy.base < start:
            reason = "it would meet people who did nothing, since the base lies below the band"
            yield self.refuse(about, reason, "choose a band at or under the base")
        elif max(lowest, policy.low) < start:
            kinds = clipped(", ".join(sorted(weighting.kind.name for weighting in light)), 150)
            reason = (
                f"conduct that is lighter than a {effect.consequence.value} could bring it about: {kinds}"
            )
            hint = "make it lighter, choose a lower band, or raise the floors of these kinds"
            yield self.refuse(about, reason, hint)


class Decisions(EffectRule):
    """ADM-1: what weighs on somebody is decided by a person who may overturn it."""

    id = "ADM-1"
    source = "GDPR 22; CJEU C-634/21"

    def _judge_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        heavy = effect.consequence.weight >= Consequence.LIMIT.weight
        if heavy and effect.decides is Decider.SCORE:
            reason = f"a {effect.consequence.value} would come about by the score alone"
            yield self.refuse(about, reason, "set decides = 'person': somebody who can overturn it")


class Prices(EffectRule):
    """PRC-1: nobody pays more than the ordinary price, and a discount is no secret."""

    id = "PRC-1"
    source = "PIPL 24; GL 177"

    def _judge_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        if effect.price_percent > 0:
            reason = f"people would pay {effect.price_percent:g} percent more than the ordinary price"
            yield self.refuse(about, reason, "set price_percent to 0, or below 0 for a discount")
        elif said := first_words(Topic.SURCHARGES, [effect.name]):
            reason = f"people would pay more than the ordinary price: '{said}'"
            yield self.refuse(
                about, reason, "leave it out; if something else is meant, say so in other words"
            )
        elif effect.price_percent < 0 and not effect.disclosed:
            reason = "those who do not get the discount are not told of it"
            yield self.warn(about, reason, "tell them, and set disclosed = true")


class Rankings(GuardRule):
    """MAT-1: a ranking shows its main parameters, and an order without the score is always offered."""

    id = "MAT-1"
    source = "PIPL 24"
    dated = READ_ON

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that ranks, or is for ranking, and does not say how."""
        ranks = MATCHMAKING_RANKING in policy.purposes or _places(policy.terms)
        yield from self._judge(of_policy(policy), policy.terms.ranking, ranks=ranks)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that ranks, or is for ranking, and does not say how."""
        ranks = consumer.purpose == MATCHMAKING_RANKING or _places(consumer.terms)
        yield from self._judge(of_consumer(consumer), consumer.terms.ranking, ranks=ranks)

    def _judge(self, about: str, ranking: Ranking | None, *, ranks: bool) -> Iterator[Finding]:
        if ranking is None:
            if not ranks:
                return
            ranking = Ranking()
        if not any(map(_tells, ranking.parameters)):
            reason = "it ranks people and does not show by what"
            yield self.refuse(about, reason, "name the main parameters under ranking: 'relevance', 'score'")
        elif not any(map(names_the_score, ranking.parameters)):
            reason = "it ranks people by their score and does not show that it does"
            yield self.refuse(about, reason, "name the score among the parameters: 'relevance', 'score'")
        if names_the_score(ranking.other_order) or names_a_standing(ranking.other_order):
            reason = "the order that it offers without the score speaks of the score"
            yield self.refuse(about, reason, "say only what that order is by: 'newest first'")
        elif is_generic(ranking.other_order):
            reason = "it ranks people and offers no order without the score"
            yield self.refuse(about, reason, "name one as other_order under ranking: 'newest first'")


def _lighter(policy: Policy, weight: int) -> list[Weighting]:
    """The kinds that can lower and are too light for a consequence of this weight."""
    return [one for one in policy.weightings if one.can_lower and one.severity.weight < weight]


def _places(terms: Terms) -> bool:
    """Whether an effect moves people up in an order."""
    return bool(first_words(Topic.PLACINGS, (effect.name for effect in terms.effects)))


def _tells(parameter: str) -> bool:
    return names_the_score(parameter) or not is_generic(parameter)
