"""An explanation as text: a table of reasons, then sentences on what would change the score and what did.

Reasons that took points are red, reasons that added points green; without colours the sign shows it.
"""

from sesame_sdk.cli.console import print_rows, print_text
from sesame_sdk.model.explanation import (
    CorrectedSignal,
    Estimate,
    Explanation,
    NextBand,
    RecoursePlan,
    SignalVersion,
    Step,
)
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring import policy_text
from sesame_sdk.scoring.explain import MAX_ADVERSE, list_adverse_reasons

_REMOVED, _ADDED, _TOTAL, _PLAIN = "red", "green", "bold", ""
_StyledRow = tuple[dict[str, object], str]


def print_explanation(person: str, explanation: Explanation) -> None:
    """The reasons, the way to the next band, the policy in words, and where to dispute a signal."""
    score = explanation.score
    _print_reasons(f"{person} on {score.as_of}, policy {score.policy}", score)
    lines = [] if explanation.adverse else ["Nothing takes points away."]
    lines += [*_outlook(explanation), *map(_correction, explanation.corrections), "How this score is made:"]
    lines += [f"  {line}" for line in explanation.policy_text]
    if explanation.disputes:
        lines.append(f"To dispute a signal: {explanation.disputes}")
    for line in lines:
        print_text(line)


def print_estimate(person: str, estimate: Estimate) -> None:
    """The estimated score with its reasons, and a sentence that it is an estimate."""
    if estimate.score is not None:
        _print_reasons(f"{person}, an estimate for {estimate.score.as_of}", estimate.score)
    print_text(estimate.description)


def _print_reasons(title: str, score: Score) -> None:
    kinds = [part for part in score.contributions if part.kind]
    rows = [
        *_adverse_rows(score),
        *((_row(part), _ADDED) for part in kinds if part.hundredths > 0),
        *((_row(part), _PLAIN) for part in kinds if not part.hundredths),
        (_line(score.base, "Starting points of everybody"), _PLAIN),
        *((_row(part), _PLAIN) for part in score.contributions if not part.kind),
        (_line(score.points, f"Score: {score.band}"), _TOTAL),
    ]
    print_rows([row for row, _ in rows], title=title, styles=[style for _, style in rows])


def _adverse_rows(score: Score) -> list[_StyledRow]:
    """The principal reasons that took points; the others are summed up in one row."""
    rest = list_adverse_reasons(score, limit=None)[MAX_ADVERSE:]
    rows = [(_row(part), _REMOVED) for part in list_adverse_reasons(score)]
    if rest:
        total = sum(part.hundredths for part in rest) / 100
        rows.append((_line(total, f"{len(rest)} more, each with a smaller effect (all: --json)"), _REMOVED))
    return rows


def _row(part: Contribution) -> dict[str, object]:
    return _line(part.points, part.reason, part.code or None)


def _line(points: float, reason: str, code: str | None = None) -> dict[str, object]:
    return {"points": f"{points:,.2f}", "reason": reason, "code": code}


def _outlook(explanation: Explanation) -> list[str]:
    outlook = explanation.next_band
    if outlook is None:
        return [f"'{explanation.score.band}' is the highest band."]
    goal = f"To reach '{outlook.name}' ({policy_text.format_points(outlook.missing_points)} away):"
    options = [_way(way) for way in outlook.plans[:1]]
    if outlook.waiting.reached_on:
        options.append(f"wait until {outlook.waiting.reached_on}")
    if not options:
        return [f"{goal} nothing that you can do alone reaches it today, nor does waiting."]
    return [f"{goal} {', or '.join(options)}.", *_alternatives(outlook)]


def _correction(signal: CorrectedSignal) -> str:
    before = ", ".join(_version(version) for version in signal.before)
    return f"{signal.partner} corrected {signal.kind} to {_version(signal.stands)}; before: {before}."


def _version(version: SignalVersion) -> str:
    at = f"{version.occurred_at:%Y-%m-%d %H:%M:%S}"
    return f"{version.value:,.10g} at {at} (message {version.envelope})"


def _alternatives(outlook: NextBand) -> list[str]:
    lines = [f"  or {_way(way)}." for way in outlook.plans[1:]]
    if outlook.waiting.searched_until:
        lines.append(f"  WaitingTime alone does not reach it before {outlook.waiting.searched_until}.")
    if outlook.waiting.reached_on and outlook.waiting.points_decay:
        lines.append("  While you wait, reasons that add points fade too; that is included.")
    return lines


def _way(way: RecoursePlan) -> str:
    return " and ".join(_step(step) for step in way.steps)


def _step(step: Step) -> str:
    amount = f"{step.unit} {step.units:,}" if policy_text.is_money(step.unit) else f"{step.units:,}"
    at = ", ".join(
        f"{f'{place.units:,} ' if len(step.partners) > 1 else ''}at {place.partner or 'a partner new to you'}"
        for place in step.partners
    )
    return f"{amount} more of '{step.reason}' {at} ({policy_text.format_points(step.points)})"
