"""From the rows of the one SQL text to scores with reasons."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring.scorecard import hundredths as in_hundredths


def scores(
    rows: Iterable[tuple[Any, str, int]], policy: Policy, as_of: date, *, reasons: bool = True
) -> dict[Any, Score]:
    """Everybody's score, by subject, from rows of (subject, kind, hundredths) in any order.

    Args:
        rows: what an engine gave for this policy and day.
        policy: whose words explain the points.
        as_of: the day.
        reasons: whether to say what each kind added or took, biggest effects first. Base and
            contributions add up to the points exactly; what the policy's range cut off is one of them.
    """
    totals: dict[Any, int] = {}
    parts: dict[Any, list[tuple[str, int]]] = {}
    for subject, kind, hundredths in rows:
        if not kind:
            totals[subject] = hundredths
        elif reasons:
            parts.setdefault(subject, []).append((kind, hundredths))
    known_by = policy.digest or policy_digest(policy)
    words = {weighting.kind.name: weighting.kind.reason for weighting in policy.weightings}
    return {
        subject: Score(
            points=total / 100,
            band=policy.band(total / 100),
            as_of=as_of,
            policy=known_by,
            base=policy.base,
            contributions=_contributions(total, parts.get(subject, ()), words, policy),
        )
        for subject, total in totals.items()
    }


def _contributions(
    total: int, parts: Iterable[tuple[str, int]], words: dict[str, str], policy: Policy
) -> tuple[Contribution, ...]:
    found = [Contribution(kind, hundredths, words[kind]) for kind, hundredths in parts]
    if not found:
        return ()
    cut = total - in_hundredths(policy.base) - sum(part.hundredths for part in found)
    if cut:
        end = f"above {policy.high:g}" if cut < 0 else f"below {policy.low:g}"
        found.append(Contribution("", cut, f"The score does not go {end}"))
    return tuple(sorted(found, key=lambda part: (-abs(part.hundredths), part.kind)))
