"""Rules on the outcomes of a score: PRP-1, ADM-1, PRC-1, MAT-1.

A policy states which bands an effect applies to, and how severe the conduct behind a lower score is. A
consumer states neither, so it is checked only for what needs neither. Names of effects are searched too, in
case an effect is declared milder than it is.
"""

from collections.abc import Iterator

from sesame_sdk.guard.labels import label_consumer, label_effect, label_policy, label_weighting, truncate
from sesame_sdk.guard.purposes import MATCHMAKING_RANKING
from sesame_sdk.guard.rules.keyword_rule import BuiltInRule, first_mention, kind_texts
from sesame_sdk.guard.rules.terms import TermsRule
from sesame_sdk.guard.text.topics import Topic
from sesame_sdk.guard.text.vagueness import is_generic, is_vague, mentions
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy, Severity
from sesame_sdk.model.terms import Consequence, Decider, Effect, Ranking, Side, Terms


class EffectRule(TermsRule):
    """A rule on each effect by itself."""

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        for effect in terms.effects:
            yield from self._check_effect(label_effect(about, effect), effect)

    def _check_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        raise NotImplementedError


class Proportionality(EffectRule):
    """PRP-1: a score has an aim, and no consequence is heavier than the conduct behind it."""

    id = "PRP-1"
    source = "AIA 5(1)(c)(ii); GL 167"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy without an aim, or with effects that can apply after too little conduct."""
        if is_vague(policy.aim):
            reason = "the aim of the score is missing or too vague"
            yield self.refuse(label_policy(policy), reason, "set aim to a sentence that says what it is for")
        yield from super().check_policy(policy)
        for effect in policy.terms.effects:
            if effect.side is Side.BELOW and effect.consequence is not Consequence.BAN:
                yield from self._check_reach(policy, effect)
        for band in policy.bands:
            if mention := first_mention(Topic.STIGMA, [band.name]):
                reason = f"the band name '{mention}' judges people"
                about = truncate(f"policy {policy.name}, band {band.name}")
                yield self.refuse(about, reason, "name the score: 'low', 'ordinary'")
        for weighting in policy.weightings:
            grave = weighting.can_lower and weighting.severity is Severity.GRAVE
            if grave and (mention := first_mention(Topic.MINOR_CONDUCT, kind_texts(weighting.kind))):
                reason = f"conduct such as '{mention}' is not grave"
                yield self.refuse(label_weighting(policy, weighting), reason, "set severity = 'minor'")

    def _check_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        below = effect.side is Side.BELOW
        if effect.consequence is Consequence.BAN or (below and first_mention(Topic.BANS, [effect.name])):
            reason = "a ban needs a decision about the person, and cannot follow from a score"
            yield self.refuse(about, reason, "remove it, and let people decide on what people did")
        elif effect.consequence.weight <= Consequence.REVIEW.weight and (
            mention := first_mention(Topic.RESTRICTIONS, [effect.name])
        ):
            reason = f"'{mention}' is more than a {effect.consequence.value}"
            hint = "declare it below a band, as the limit or suspension that it is, or reword it"
            yield self.refuse(about, reason, hint)
        elif mention := first_mention(Topic.STIGMA, [effect.name]):
            reason = f"the effect name '{mention}' judges people"
            yield self.refuse(about, reason, "say what is done, not what a person is")
        elif effect.side is Side.FROM and effect.consequence.weight:
            reason = f"a {effect.consequence.value} would apply to people who reached a band"
            yield self.refuse(about, reason, "declare it below a band, or as the benefit that it is")

    def _check_reach(self, policy: Policy, effect: Effect) -> Iterator[Finding]:
        about = label_effect(label_policy(policy), effect)
        start = next(band.start for band in policy.bands if band.name == effect.band)
        # An effect below a band counts as a review at least, whatever it is declared as.
        weight = max(effect.consequence.weight, Consequence.REVIEW.weight)
        lighter = [each for each in policy.weightings if each.can_lower and each.severity.weight < weight]
        lowest = round(policy.base + sum(weighting.floor for weighting in lighter), 2)
        if policy.base < start:
            reason = "it would apply to people who did nothing: the base is below the band"
            yield self.refuse(about, reason, "choose a band that starts at or below the base")
        elif max(lowest, policy.low) < start:
            kinds = truncate(", ".join(sorted(weighting.kind.name for weighting in lighter)), 150)
            reason = f"conduct too light for a {effect.consequence.value} could cause it: {kinds}"
            hint = "choose a lighter consequence or a lower band, or raise the floors of these kinds"
            yield self.refuse(about, reason, hint)


class HumanDecisions(EffectRule):
    """ADM-1: a person who can overturn it decides what restricts somebody."""

    id = "ADM-1"
    source = "GDPR 22; CJEU C-634/21"

    def _check_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        heavy = effect.consequence.weight >= Consequence.LIMIT.weight
        if heavy and effect.decides is Decider.SCORE:
            reason = f"the score alone would decide a {effect.consequence.value}"
            yield self.refuse(about, reason, "set decides = 'person': somebody who can overturn it")


class Prices(EffectRule):
    """PRC-1: no price is above the ordinary one, and discounts are disclosed."""

    id = "PRC-1"
    source = "PIPL 24; GL 177"

    def _check_effect(self, about: str, effect: Effect) -> Iterator[Finding]:
        if effect.price_percent > 0:
            reason = f"the price would be {effect.price_percent:g} percent above the ordinary price"
            yield self.refuse(about, reason, "set price_percent to 0, or below 0 for a discount")
        elif mention := first_mention(Topic.SURCHARGES, [effect.name]):
            reason = f"the price would be above the ordinary price: it mentions '{mention}'"
            yield self.refuse(about, reason, "remove it, or reword it if something else is meant")
        elif effect.price_percent < 0 and not effect.disclosed:
            reason = "the discount is not disclosed to people who do not get it"
            yield self.warn(about, reason, "disclose it to them, and set disclosed = true")


class Rankings(BuiltInRule):
    """MAT-1: a ranking shows its main parameters, and offers an order without the score."""

    id = "MAT-1"
    source = "PIPL 24"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that ranks, or is for ranking, and does not say how."""
        ranks = MATCHMAKING_RANKING in policy.purposes or _boosts_rank(policy.terms)
        yield from self._check_ranking(label_policy(policy), policy.terms.ranking, ranks=ranks)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that ranks, or is for ranking, and does not say how."""
        ranks = consumer.purpose == MATCHMAKING_RANKING or _boosts_rank(consumer.terms)
        yield from self._check_ranking(label_consumer(consumer), consumer.terms.ranking, ranks=ranks)

    def _check_ranking(self, about: str, ranking: Ranking | None, *, ranks: bool) -> Iterator[Finding]:
        if ranking is None and not ranks:
            return
        ranking = ranking or Ranking()
        if not any(mentions(name, "score") or not is_generic(name) for name in ranking.parameters):
            reason = "it ranks people and does not show its main parameters"
            yield self.refuse(about, reason, "list the main parameters under ranking: 'relevance', 'score'")
        elif not any(mentions(name, "score") for name in ranking.parameters):
            reason = "it ranks people by their score and does not show it"
            yield self.refuse(about, reason, "list the score among the parameters: 'relevance', 'score'")
        if mentions(ranking.other_order, "score") or mentions(ranking.other_order, "reputation"):
            reason = "the order that it offers without the score mentions the score"
            yield self.refuse(about, reason, "say only what that order is by: 'newest first'")
        elif is_generic(ranking.other_order):
            reason = "it ranks people and offers no order without the score"
            yield self.refuse(about, reason, "set other_order under ranking: 'newest first'")


def _boosts_rank(terms: Terms) -> bool:
    return bool(first_mention(Topic.RANK_BOOSTS, (effect.name for effect in terms.effects)))
