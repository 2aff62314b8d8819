"""How long a policy has signals kept, and how long they can matter: what DATA-1 compares.

Of a policy's readers none holds a signal: they get points and band. What is held is held by the
hub, so there is one recipient, a field for each kind, and

    kept   = the kind's expires_days; a hundred years where it never expires
    needed = the shortest of: its expiry, seven half-lives, ten years; 0 for a kind that can move nothing

After seven half-lives a signal is worth less than a hundredth of what it was. Ten years is the longest that
rule RET-1 lets anything weigh. A policy whose kinds expire by then keeps no more than it needs.
"""

from typing import Final

from sesame_sdk.model.policy import Policy, Weighting

FOREVER: Final = 36_500.0
LONGEST_NEED: Final = 3650.0
HALF_LIVES: Final = 7.0


def kept_and_needed(policy: Policy) -> tuple[list[float], list[float]]:
    """Days for each kind, in the order of the policy: how long it is kept, and how long it can matter."""
    kept = [each.expires_days or FOREVER for each in policy.weightings]
    return kept, [_needed(each) for each in policy.weightings]


def _needed(weighting: Weighting) -> float:
    if weighting.weight == 0 or weighting.floor == weighting.cap:
        return 0.0
    fading = HALF_LIVES * weighting.half_life_days if weighting.half_life_days else LONGEST_NEED
    return min(weighting.expires_days or LONGEST_NEED, fading, LONGEST_NEED)
