"""Builds scores with reasons from the rows of the scoring SQL, explanations from scores, and estimates.

An adverse reason is a kind that took points; what a person lacks is recourse, and not a reason. They come
first, in the order of what they cost, and four at most (EXP-1, Regulation B, 12 CFR 1002.9(b)(2)); the rest
is shown in one line, and never omitted. Base and contributions add up to the points exactly; what the
policy's range cuts off is one of them.

An estimate is the score for signals of which some do not exist. Estimates are never stored.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from attrs import evolve

from sesame_sdk.catalogue.observations import Language
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.explanation import Estimate, Explanation, Hypothetical, Step
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring.engines import CountedSignal, score_by_kind
from sesame_sdk.scoring.policy_text import describe_policy, format_number, format_points
from sesame_sdk.scoring.recourse.search import Senders, find_next_band
from sesame_sdk.scoring.scorecard import to_hundredths, to_microseconds

T = TypeVar("T", Contribution, Step)
#: Adverse reasons that are shown first (EXP-1).
MAX_ADVERSE = 4
MAX_SUPPOSED = 100
#: The sender of a kind that no partner sends for the person; no issuer has this name.
_NEW_PARTNER = ""


def explain_score(
    signals: Sequence[CountedSignal],
    policy: Policy,
    as_of: date,
    senders: Mapping[str, Senders] | None = None,
) -> Explanation | None:
    """The explanation of a person's score; None if there is no score. `senders`: see `find_next_band`."""
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


def in_language(explanation: Explanation, policy: Policy, language: Language) -> Explanation:
    """The same explanation with the catalogue's words in a language. All other texts stay English."""
    words = {each.kind.name: each.kind.entry.reason(language) for each in policy.weightings}

    def translate(parts: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(evolve(part, reason=words.get(part.kind, part.reason)) for part in parts)

    band = explanation.next_band
    if band:
        band = evolve(band, plans=tuple(evolve(plan, steps=translate(plan.steps)) for plan in band.plans))
    return evolve(
        explanation,
        score=evolve(explanation.score, contributions=translate(explanation.score.contributions)),
        adverse=translate(explanation.adverse),
        further_adverse=translate(explanation.further_adverse),
        positive=translate(explanation.positive),
        next_band=band,
    )


def list_adverse_reasons(score: Score, limit: int | None = MAX_ADVERSE) -> tuple[Contribution, ...]:
    """The kinds that took most points, in that order, without what the range cuts off."""
    return tuple(part for part in score.contributions if part.kind and part.hundredths < 0)[:limit]


def build_score(signals: Iterable[CountedSignal], policy: Policy, as_of: date) -> Score | None:
    """The score of a person with these signals."""
    parts = score_by_kind(signals, policy, as_of)
    return build_scores(((0, kind, hundredths) for kind, hundredths in parts.items()), policy, as_of).get(0)


def build_scores(
    rows: Iterable[tuple[Any, str, int]], policy: Policy, as_of: date, *, reasons: bool = True
) -> dict[Any, Score]:
    """The score of every subject, from an engine's rows in any order; with contributions if `reasons`."""
    totals: dict[Any, int] = {}
    parts: dict[Any, list[tuple[str, int]]] = {}
    for subject, kind, hundredths in rows:
        if not kind:
            totals[subject] = hundredths
        elif reasons:
            parts.setdefault(subject, []).append((kind, hundredths))
    digest = policy.digest or policy_digest(policy)
    texts = {
        weighting.kind.name: (weighting.kind.reason, weighting.code or weighting.kind.observation)
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
    total: int, parts: Iterable[tuple[str, int]], texts: Mapping[str, tuple[str, str]], policy: Policy
) -> tuple[Contribution, ...]:
    contributions = [Contribution(kind, hundredths, *texts[kind]) for kind, hundredths in parts]
    if not contributions:
        return ()
    cut = total - to_hundredths(policy.base) - sum(part.hundredths for part in contributions)
    ordered = sorted(contributions, key=lambda part: (part.hundredths >= 0, -abs(part.hundredths), part.kind))
    if cut:
        end = f"above {policy.high:g}" if cut < 0 else f"below {policy.low:g}"
        ordered.append(Contribution("", cut, f"The score does not go {end}"))
    return tuple(ordered)


def estimate_score(
    signals: Iterable[CountedSignal], supposed: Iterable[Hypothetical], policy: Policy, as_of: date
) -> Estimate:
    """The score, by the scoring SQL, for real and supposed signals; those may be an `InvalidInputError`."""
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
            message = f"{one.kind} is not a kind of the policy {policy.name}"
            raise InvalidInputError(message, field="kind", hint=f"use one of: {', '.join(sorted(kinds))}")
        if one.value < 0:
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
    rounded = round(then.points - now.points, 2) if now else 0.0
    change = f", {'+' if rounded > 0 else ''}{format_number(rounded)} from now" if now else ""
    return (
        f"This is an estimate: {with_them} the score would be {format_points(then.points)}, "
        f"'{then.band}'{change}. Nothing was stored."
    )
