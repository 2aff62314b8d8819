"""The contract of a plugin, as a pytest class with one test for each thing that is asked of it.

    TestContract = plugin_contract("sesame_retail", events=[Order(...), ...])

Under that name pytest finds it, in any repository. A test that fails says what is wrong, a line each,
and how to mend it; what cannot be asked because something before it failed is skipped.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis.strategies import SearchStrategy

from sesame_sdk.testing.contract.consumer_checks import Standing
from sesame_sdk.testing.contract.consumer_tests import Using
from sesame_sdk.testing.contract.loading_tests import Loading
from sesame_sdk.testing.contract.plugin_under_test import Samples, Tested
from sesame_sdk.testing.contract.provider_tests import Speaking


class PluginContract(Using, Speaking, Loading):
    """What the SDK asks of a plugin."""


def plugin_contract(
    module: str,
    *,
    events: Samples = (),
    requests: Samples = (),
    strategy: SearchStrategy[Any] | None = None,
    points: Sequence[float] = (350.0, 550.0, 950.0),
    ordinary: float = 500.0,
    standing: Standing | None = None,
) -> type[PluginContract]:
    """A pytest class that holds a plugin to the contract.

    Args:
        module: what its entry point names.
        events: honest sample events of its provider, which together give every kind that it declares;
            where it has several providers, a list for each by name.
        requests: sample requests of its consumer, in the same way.
        strategy: draws further events, honest or not, with Hypothesis.
        points: scores that the policy of the consumer's context can give.
        ordinary: the score that this policy starts everybody at.
        standing: of an answer and a subject, how well the subject comes off; more is better. With it
            the contract can also see whether somebody without a score is worse off for it.

    Raises:
        Misconfigured: `module` is not the name of one.
    """
    tested = Tested(module, events, requests, points, ordinary, strategy, standing)
    asked_with = {
        "test_drawn_events_are_answered": strategy is not None,  # a strategy objects to being asked itself
        "test_no_score_is_no_worse": standing is not None,
        "test_its_signals_are_the_same_elsewhere": bool(events),
    }
    # Not even skipped: a skipped test would say that something is amiss with the plugin.
    left_out = {name: None for name, given in asked_with.items() if not given}
    return type("PluginContract", (PluginContract,), {"tested": tested, **left_out})
