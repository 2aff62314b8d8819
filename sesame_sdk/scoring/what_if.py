"""Estimates the score for signals of which some do not exist. Estimates are never stored.

Rules:
    * only the policy's kinds, at most `MAX_SUPPOSED` signals, and values that the kind may have
    * the same scoring SQL, on the person's signals and the supposed ones together
    * the text says that it is an estimate
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.explanation import Estimate, Hypothetical
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.model.signals import Polarity
from sesame_sdk.scoring.explain import build_score
from sesame_sdk.scoring.hypothetical import CountedSignal
from sesame_sdk.scoring.policy_text import format_number, format_points
from sesame_sdk.scoring.scorecard import to_microseconds

MAX_SUPPOSED = 100
#: The sender of a kind that no partner sends for the person; no issuer has this name.
_NEW_PARTNER = ""


def estimate_score(
    signals: Iterable[CountedSignal], supposed: Iterable[Hypothetical], policy: Policy, as_of: date
) -> Estimate:
    """The score for real and supposed signals together.

    Args:
        signals: the person's signals that count.
        supposed: signals that do not exist; 0 to `MAX_SUPPOSED`.
        policy: how the score is made.
        as_of: the day.

    Raises:
        InvalidInputError: too many, a kind that the policy does not have, or a value against its polarity.
    """
    added, real = tuple(supposed), list(signals)
    _check(added, policy)
    now = build_score(real, policy, as_of)
    then = build_score([*real, *_as_counted(added, real, as_of)], policy, as_of)
    return Estimate(then, now, added, _describe(then, now, len(added)))


def _check(supposed: Sequence[Hypothetical], policy: Policy) -> None:
    if len(supposed) > MAX_SUPPOSED:
        raise InvalidInputError(f"must be at most {MAX_SUPPOSED}, not {len(supposed)}", field="supposed")
    kinds = {weighting.kind.name: weighting.kind for weighting in policy.weightings}
    for one in supposed:
        if one.kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise InvalidInputError(
                f"{one.kind} is not a kind of the policy {policy.name}",
                field="kind",
                hint=f"use one of: {known}",
            )
        if kinds[one.kind].polarity is Polarity.REWARD and one.value < 0:
            raise InvalidInputError(f"{one.kind} must not be negative", field="value", hint="use 0 or more")


def _as_counted(
    supposed: Iterable[Hypothetical], real: Iterable[CountedSignal], as_of: date
) -> list[CountedSignal]:
    senders: dict[str, Counter[str]] = {}
    for signal in real:
        senders.setdefault(signal.kind, Counter())[signal.partner] += 1
    return [
        CountedSignal(
            one.partner or _usual_sender(senders.get(one.kind)),
            one.kind,
            one.value,
            to_microseconds(one.occurred_on or as_of),
        )
        for one in supposed
    ]


def _usual_sender(senders: Counter[str] | None) -> str:
    """The partner that sends most of a kind; among equals the first by name."""
    return min(senders, key=lambda partner: (-senders[partner], partner)) if senders else _NEW_PARTNER


def _describe(then: Score | None, now: Score | None, supposed: int) -> str:
    signals = "1 signal that does" if supposed == 1 else f"{supposed} signals that do"
    with_them = f"with {signals} not exist" if supposed else "with nothing added"
    if then is None:
        return f"This is an estimate: {with_them} there would be no score. Nothing was stored."
    change = f", {_signed(then.points - now.points)} from now" if now else ""
    return (
        f"This is an estimate: {with_them} the score would be {format_points(then.points)}, "
        f"'{then.band}'{change}. Nothing was stored."
    )


def _signed(change: float) -> str:
    rounded = round(change, 2)
    return f"+{format_number(rounded)}" if rounded > 0 else format_number(rounded)
