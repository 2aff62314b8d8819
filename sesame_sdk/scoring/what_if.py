"""What if: the score for signals of which some do not exist. An estimate, never stored.

Rules:
    * the policy's kinds alone, at most `MOST_SUPPOSED` signals, and values that the kind may have
    * the very same SQL text, on the person's signals and the supposed ones together
    * it says in words that it is an estimate
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Estimate, Hypothetical
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Polarity
from sesame_sdk.scoring.explain import score_of
from sesame_sdk.scoring.hypothetical import Held, Trial
from sesame_sdk.scoring.policy_text import number, points
from sesame_sdk.scoring.scorecard import microseconds

MOST_SUPPOSED = 100
#: Whoever would send what nobody sends for the person; no issuer is called so.
_SOMEBODY = ""


def what_if(held: Iterable[Held], supposed: Iterable[Hypothetical], policy: Policy, as_of: date) -> Estimate:
    """The score for `held` and `supposed` together.

    Args:
        held: the person's signals that count.
        supposed: signals that are not there; 0 to `MOST_SUPPOSED`.
        policy: how the score is made.
        as_of: the day.

    Raises:
        InvalidInputError: too many, a kind that the policy does not weigh, or a value against its polarity.
    """
    asked, real = tuple(supposed), list(held)
    _check(asked, policy)
    with Trial(policy, as_of) as trial:
        now = score_of(trial, real)
        then = score_of(trial, [*real, *_as_held(asked, real, as_of)])
    return Estimate(then, now, asked, _words(then, now, len(asked)))


def _check(supposed: Sequence[Hypothetical], policy: Policy) -> None:
    if len(supposed) > MOST_SUPPOSED:
        raise InvalidInputError(f"must be at most {MOST_SUPPOSED}, not {len(supposed)}", field="supposed")
    kinds = {weighting.kind.name: weighting.kind for weighting in policy.weightings}
    for one in supposed:
        if one.kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise InvalidInputError(
                f"{policy.name} does not weigh {one.kind}", field="kind", hint=f"it weighs: {known}"
            )
        if kinds[one.kind].polarity is Polarity.REWARD and one.value < 0:
            raise InvalidInputError(f"{one.kind} cannot be less than 0", field="value", hint="give 0 or more")


def _as_held(supposed: Iterable[Hypothetical], held: Iterable[Held], as_of: date) -> list[Held]:
    senders: dict[str, Counter[str]] = {}
    for signal in held:
        senders.setdefault(signal.kind, Counter())[signal.partner] += 1
    return [
        Held(
            one.partner or _usual(senders.get(one.kind)), one.kind, one.value, microseconds(one.day or as_of)
        )
        for one in supposed
    ]


def _usual(senders: Counter[str] | None) -> str:
    """Who sends most of a kind; of equals the first by name."""
    return min(senders, key=lambda partner: (-senders[partner], partner)) if senders else _SOMEBODY


def _words(then: Score | None, now: Score | None, supposed: int) -> str:
    signals = "1 signal that does" if supposed == 1 else f"{supposed} signals that do"
    with_them = f"with {signals} not exist" if supposed else "with nothing added"
    if then is None:
        return f"This is an estimate: {with_them} there would be no score. Nothing was stored."
    change = f", {_signed(then.points - now.points)} from now" if now else ""
    return (
        f"This is an estimate: {with_them} the score would be {points(then.points)}, "
        f"'{then.band}'{change}. Nothing was stored."
    )


def _signed(change: float) -> str:
    rounded = round(change, 2)
    return f"+{number(rounded)}" if rounded > 0 else number(rounded)
