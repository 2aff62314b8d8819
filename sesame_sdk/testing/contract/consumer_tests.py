"""The part of a plugin's contract that holds for what it makes of scores."""

from sesame_sdk.testing.contract import consumer_checks
from sesame_sdk.testing.contract.asking import OfPlugin, ask_if, hold


class Using(OfPlugin):
    """What is asked of a plugin's consumers."""

    def test_it_names_subjects_purely(self) -> None:
        """`subjects()` gives pseudonyms, the same each time, and touches nothing."""
        ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            hold(consumer_checks.wants(consumer, requests))

    def test_it_uses_scores_purely(self) -> None:
        """`use()` answers the same each time, and touches nothing."""
        ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            hold(consumer_checks.impure(consumer, requests, self.tested.points))

    def test_it_can_do_without_scores(self) -> None:
        """Whoever of the subjects has no score, `use()` answers."""
        ask_if(self.tested.why_not_use())
        for consumer, requests in self.tested.consumers:
            hold(consumer_checks.fails_without(consumer, requests, self.tested.points))

    def test_no_score_is_no_worse(self) -> None:
        """Where all others have the ordinary score, who has none comes off no worse than with it (NOS-1)."""
        standing = self.tested.standing
        ask_if(self.tested.why_not_use() or ("" if standing else "no standing was given"))
        for consumer, requests in self.tested.consumers:
            if standing is not None:
                hold(consumer_checks.disadvantages(consumer, requests, self.tested.ordinary, standing))
