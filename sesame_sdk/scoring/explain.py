"""Builds scores with reasons from the rows of the scoring SQL, and explanations from scores.

Rules:
    * an adverse reason is a kind that took points; what a person lacks is recourse, and not a reason
    * adverse reasons come first, in the order of what they cost, and four at most (EXP-1, Regulation B,
      12 CFR 1002.9(b)(2)); the rest is shown in one line, and never omitted
    * base and contributions add up to the points exactly; what the policy's range cuts off is one of them
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.explanation import Explanation
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring.hypothetical import CountedSignal, score_by_kind
from sesame_sdk.scoring.policy_text import describe_policy, describe_range
from sesame_sdk.scoring.recourse.options import Senders
from sesame_sdk.scoring.recourse.search import find_next_band
from sesame_sdk.scoring.scorecard import to_hundredths

#: Adverse reasons that are shown first (EXP-1).
MAX_ADVERSE = 4


def explain_score(
    signals: Sequence[CountedSignal],
    policy: Policy,
    as_of: date,
    senders: Mapping[str, Senders] | None = None,
) -> Explanation | None:
    """The explanation of a person's score; None if there is no score.

    Args:
        signals: the person's signals that count.
        policy: how the score is made.
        as_of: the day.
        senders: who can send which kind for the person; see `recourse.search.find_next_band`.
    """
    score = build_score(signals, policy, as_of)
    if score is None:
        return None
    reasons = list_adverse_reasons(score, limit=None)
    return Explanation(
        score=score,
        adverse=reasons[:MAX_ADVERSE],
        further_adverse=reasons[MAX_ADVERSE:],
        positive=tuple(part for part in score.contributions if part.kind and part.hundredths > 0),
        next_band=find_next_band(signals, score, policy, as_of, senders),
        policy_text=describe_policy(policy),
        disputes=policy.disputes,
    )


def list_adverse_reasons(score: Score, limit: int | None = MAX_ADVERSE) -> tuple[Contribution, ...]:
    """The kinds that took most points, in that order; empty if no kind took any.

    What the range cuts off is not among them, since it says nothing of what the person did.
    """
    return tuple(part for part in score.contributions if part.kind and part.hundredths < 0)[:limit]


def build_score(signals: Iterable[CountedSignal], policy: Policy, as_of: date) -> Score | None:
    """The score of a person with these signals."""
    parts = score_by_kind(signals, policy, as_of)
    return build_scores(((0, kind, hundredths) for kind, hundredths in parts.items()), policy, as_of).get(0)


def build_scores(
    rows: Iterable[tuple[Any, str, int]], policy: Policy, as_of: date, *, reasons: bool = True
) -> dict[Any, Score]:
    """The score of every subject, from rows of (subject, kind, hundredths) in any order.

    Args:
        rows: of an engine, for this policy and day.
        policy: that made them; its texts explain the points.
        as_of: the day.
        reasons: whether to include the contributions of kinds.
    """
    totals: dict[Any, int] = {}
    parts: dict[Any, list[tuple[str, int]]] = {}
    for subject, kind, hundredths in rows:
        if not kind:
            totals[subject] = hundredths
        elif reasons:
            parts.setdefault(subject, []).append((kind, hundredths))
    digest = policy.digest or policy_digest(policy)
    texts = {
        weighting.kind.name: (weighting.kind.reason, weighting.code or weighting.kind.name)
        for weighting in policy.weightings
    }
    return {
        subject: Score(
            points=total / 100,
            band=policy.band(total / 100),
            as_of=as_of,
            policy=digest,
            base=policy.base,
            contributions=_contributions(total, parts.get(subject, ()), texts, policy),
        )
        for subject, total in totals.items()
    }


def _contributions(
    total: int,
    parts: Iterable[tuple[str, int]],
    texts: Mapping[str, tuple[str, str]],
    policy: Policy,
) -> tuple[Contribution, ...]:
    contributions = [Contribution(kind, hundredths, *texts[kind]) for kind, hundredths in parts]
    if not contributions:
        return ()
    cut = total - to_hundredths(policy.base) - sum(part.hundredths for part in contributions)
    ordered = sorted(contributions, key=_adverse_first)
    if cut:
        ordered.append(Contribution("", cut, describe_range(policy, above=cut < 0)))
    return tuple(ordered)


def _adverse_first(part: Contribution) -> tuple[bool, int, str]:
    return part.hundredths >= 0, -abs(part.hundredths), part.kind
