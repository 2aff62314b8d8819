"""Rules on the outcomes of a score: PRP-1, ADM-1, PRC-1, MAT-1.

An effect is an entry of the catalogue, which says what it does, to whom, and after what conduct. A policy
adds the band, and a percentage of a discount.
"""

from collections.abc import Iterator

from sesame_sdk.catalogue.closed_lists import closed_lists
from sesame_sdk.catalogue.effects import EffectEntry, Side
from sesame_sdk.guard.labels import label_consumer, label_effect, label_policy, truncate
from sesame_sdk.guard.purposes import MATCHMAKING_RANKING
from sesame_sdk.guard.rules.keyword_rule import TermsRule
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import ConsumerDeclaration
from sesame_sdk.model.policy import Policy, Weighting
from sesame_sdk.model.terms import Effect, Ranking, Terms


class Proportionality(TermsRule):
    """PRP-1: no consequence is heavier than the conduct behind it, and no band is a verdict on people."""

    id = "PRP-1"
    source = "AIA 5(1)(c)(ii); GL 167"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy with effects that can apply after too little conduct, or with bands of its own."""
        yield from super().check_policy(policy)
        for effect in policy.terms.effects:
            if effect.known and effect.known.direction is Side.BELOW:
                yield from self._check_reach(policy, effect, effect.known)
        bands = closed_lists().bands
        for band in policy.bands:
            if band.name not in bands:
                about = truncate(f"policy {policy.name}, band {band.name}")
                hint = f"use A to E, or one of: {', '.join(bands[5:])}"
                yield self.refuse(about, "the name of the band is not of the closed list", hint)

    def _check_reach(self, policy: Policy, effect: Effect, entry: EffectEntry) -> Iterator[Finding]:
        about = label_effect(label_policy(policy), effect)
        start = next(band.start for band in policy.bands if band.name == effect.band)
        lighter = [each for each in policy.weightings if each.can_lower and _is_lighter(each, entry)]
        lowest = round(policy.base + sum(weighting.floor for weighting in lighter), 2)
        if policy.base < start:
            reason = "it would apply to people who did nothing: the base is below the band"
            yield self.refuse(about, reason, "choose a band that starts at or below the base")
        elif max(lowest, policy.low) < start:
            kinds = truncate(", ".join(sorted(weighting.kind.name for weighting in lighter)), 150)
            reason = f"conduct too light for a {entry.consequence.value} could cause it: {kinds}"
            hint = "choose a review or a lower band, or raise the floors of these kinds"
            yield self.refuse(about, reason, hint)


def _is_lighter(weighting: Weighting, entry: EffectEntry) -> bool:
    """Whether the conduct of a kind is too light for an effect; of an unknown kind it is."""
    gravity = weighting.kind.known.gravity if weighting.kind.known else None
    return gravity is None or entry.gravity is None or gravity.weight < entry.gravity.weight


class HumanDecisions(TermsRule):
    """ADM-1: a person who can overturn it decides on each limit; the catalogue has no other."""

    id = "ADM-1"
    source = "GDPR 22; CJEU C-634/21"


class Prices(TermsRule):
    """PRC-1: no price is above the ordinary one, and a discount is in the price list for all to see."""

    id = "PRC-1"
    source = "PIPL 24; GL 177"

    def _check_terms(self, about: str, terms: Terms) -> Iterator[Finding]:
        yield from super()._check_terms(about, terms)
        for effect in terms.effects:
            if effect.known and effect.known.priced and not effect.percent:
                reason, hint = "it does not say how large the discount is", "set percent: percent = 5"
                yield self.refuse(label_effect(about, effect), reason, hint)
            elif effect.percent and not (effect.known and effect.known.priced):
                reason, hint = "it changes no price", "leave out percent, or choose the effect discount"
                yield self.refuse(label_effect(about, effect), reason, hint)


class Rankings(TermsRule):
    """MAT-1: a ranking shows its main parameters, and offers an order without the score."""

    id = "MAT-1"
    source = "PIPL 24"

    def check_policy(self, policy: Policy) -> Iterator[Finding]:
        """Refuse a policy that ranks, or is for ranking, and does not say how."""
        yield from super().check_policy(policy)
        ranks = MATCHMAKING_RANKING in policy.purposes or _ranks(policy.terms)
        yield from self._check_ranking(label_policy(policy), policy.terms.ranking, ranks=ranks)

    def check_consumer(self, consumer: ConsumerDeclaration) -> Iterator[Finding]:
        """Refuse a consumer that ranks, or is for ranking, and does not say how."""
        yield from super().check_consumer(consumer)
        ranks = consumer.purpose == MATCHMAKING_RANKING or _ranks(consumer.terms)
        yield from self._check_ranking(label_consumer(consumer), consumer.terms.ranking, ranks=ranks)

    def _check_ranking(self, about: str, ranking: Ranking | None, *, ranks: bool) -> Iterator[Finding]:
        if ranking is None and not ranks:
            return
        ranking, lists = ranking or Ranking(), closed_lists()
        if "score" not in ranking.parameters:
            reason = "it ranks people by their score and does not show it"
            yield self.refuse(about, reason, 'list the main parameters: parameters = ["relevance", "score"]')
        elif unknown := sorted(set(ranking.parameters) - set(lists.ranking_parameters)):
            reason = f"the parameter '{truncate(unknown[0], 60)}' is not of the closed list"
            yield self.refuse(about, reason, f"use some of: {', '.join(lists.ranking_parameters)}")
        if ranking.other_order not in lists.ranking_orders:
            reason = "it offers no order without the score that is of the closed list"
            yield self.refuse(about, reason, f"set other_order to one of: {', '.join(lists.ranking_orders)}")


def _ranks(terms: Terms) -> bool:
    return any(effect.known and effect.known.ranks for effect in terms.effects)
