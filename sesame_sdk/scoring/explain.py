"""From the rows of the one SQL text to scores with reasons, and from a score to all that a person is told.

Rules:
    * a reason against somebody is what took points; what one lacks is no reason, but a way upwards
    * reasons against come first, the one that cost most before the others, and four at most (EXP-1,
      Regulation B, 12 CFR 1002.9(b)(2)); the rest is folded, and never left out
    * base and contributions add up to the points exactly; what the policy's range cut off is one of them
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.explanation import Explanation
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring.hypothetical import Held, Trial
from sesame_sdk.scoring.policy_text import policy_words, range_words
from sesame_sdk.scoring.recourse.search import outlook
from sesame_sdk.scoring.recourse.steps import Senders
from sesame_sdk.scoring.scorecard import hundredths as in_hundredths

#: Reasons against a score that are shown first (EXP-1).
MOST_ADVERSE = 4


def explain(
    held: Iterable[Held], policy: Policy, as_of: date, senders: Mapping[str, Senders] | None = None
) -> Explanation | None:
    """All that a person is told of a score; None if there is none.

    Args:
        held: the person's signals that count.
        policy: how the score is made.
        as_of: the day.
        senders: who can send which kind for the person; see `counterfactual.outlook`.
    """
    signals = list(held)
    with Trial(policy, as_of) as trial:
        score = score_of(trial, signals)
        if score is None:
            return None
        ahead = outlook(trial, signals, score, senders)
    against = adverse(score, most=None)
    return Explanation(
        score=score,
        adverse=against[:MOST_ADVERSE],
        folded=against[MOST_ADVERSE:],
        lifted=tuple(part for part in score.contributions if part.kind and part.hundredths > 0),
        outlook=ahead,
        words=policy_words(policy),
        disputes=policy.disputes,
    )


def adverse(score: Score, most: int | None = MOST_ADVERSE) -> tuple[Contribution, ...]:
    """The principal reasons against a score: the `most` kinds that took most points, in that order.

    None of them, if no kind took any: then nothing speaks against the person. What the range cut off is
    not among them, since it says nothing of what the person did.
    """
    return tuple(part for part in score.contributions if part.kind and part.hundredths < 0)[:most]


def score_of(trial: Trial, held: Iterable[Held]) -> Score | None:
    """The score of somebody with these signals."""
    (parts,) = trial.parts([held])
    rows = ((0, kind, hundredths) for kind, hundredths in parts.items())
    return scores(rows, trial.policy, trial.as_of).get(0)


def scores(
    rows: Iterable[tuple[Any, str, int]], policy: Policy, as_of: date, *, reasons: bool = True
) -> dict[Any, Score]:
    """Everybody's score, by subject, from rows of (subject, kind, hundredths) in any order.

    Args:
        rows: what an engine gave for this policy and day.
        policy: whose words explain the points.
        as_of: the day.
        reasons: whether to say what each kind added or took, in the order of `Score.contributions`.
    """
    totals: dict[Any, int] = {}
    parts: dict[Any, list[tuple[str, int]]] = {}
    for subject, kind, hundredths in rows:
        if not kind:
            totals[subject] = hundredths
        elif reasons:
            parts.setdefault(subject, []).append((kind, hundredths))
    known_by = policy.digest or policy_digest(policy)
    words = {
        weighting.kind.name: (weighting.kind.reason, weighting.code or weighting.kind.name)
        for weighting in policy.weightings
    }
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
    total: int,
    parts: Iterable[tuple[str, int]],
    words: Mapping[str, tuple[str, str]],
    policy: Policy,
) -> tuple[Contribution, ...]:
    found = [Contribution(kind, hundredths, *words[kind]) for kind, hundredths in parts]
    if not found:
        return ()
    cut = total - in_hundredths(policy.base) - sum(part.hundredths for part in found)
    ordered = sorted(found, key=_adverse_first)
    if cut:
        ordered.append(Contribution("", cut, range_words(policy, above=cut < 0)))
    return tuple(ordered)


def _adverse_first(part: Contribution) -> tuple[bool, int, str]:
    return part.hundredths >= 0, -abs(part.hundredths), part.kind
