"""An explanation as a person reads it: tables of reasons, then sentences of what would have to change.

Red is what took points, green what lifted; without colours the sign says the same.
"""

import sys

import click

from sesame_sdk.cli.tables import rendered
from sesame_sdk.model.explanation import Estimate, Explanation, Outlook, Step, Waiting, Way
from sesame_sdk.model.score import Contribution, Score
from sesame_sdk.scoring import policy_text
from sesame_sdk.scoring.explain import MAX_ADVERSE, adverse_reasons
from sesame_sdk.text import terminal_text

_TOOK, _LIFTED, _TOTAL, _PLAIN = "red", "green", "bold", ""
_Row = tuple[dict[str, object], str]


def print_explanation(person: str, found: Explanation) -> None:
    """The reasons, the way to the next band, the policy in words, and where to say that it is wrong."""
    _print_reasons(f"{person} on {found.score.as_of}, policy {found.score.policy}", found.score)
    if not found.adverse:
        _say("Nothing takes points away.")
    for line in _outlook(found):
        _say(line)
    _say("How this score is made:")
    for line in found.words:
        _say(f"  {line}")
    if found.disputes:
        _say(f"If a signal is wrong, say so: {found.disputes}")


def print_estimate(person: str, found: Estimate) -> None:
    """The estimated score with its reasons, and that it is an estimate."""
    if found.score is not None:
        _print_reasons(f"{person}, an estimate for {found.score.as_of}", found.score)
    _say(found.words)


def _print_reasons(title: str, score: Score) -> None:
    rows = [
        *_adverse_rows(score),
        *((_row(part), _LIFTED) for part in score.contributions if part.kind and part.hundredths > 0),
        *((_row(part), _PLAIN) for part in score.contributions if part.kind and not part.hundredths),
        (_line(_amount(score.base), "Where everybody starts"), _PLAIN),
        *((_row(part), _PLAIN) for part in score.contributions if not part.kind),
        (_line(_amount(score.points), f"Score: {score.band}"), _TOTAL),
    ]
    # Not click.echo, which would take the colours out again where FORCE_COLOR asks for them.
    sys.stdout.write(rendered([row for row, _ in rows], title, styles=[style for _, style in rows]))


def _adverse_rows(score: Score) -> list[_Row]:
    """The principal reasons against the score; what is beyond them stands in one line."""
    folded = adverse_reasons(score, limit=None)[MAX_ADVERSE:]
    rows = [(_row(part), _TOOK) for part in adverse_reasons(score)]
    if folded:
        sum_of_them = sum(part.hundredths for part in folded) / 100
        rows.append(
            (_line(_amount(sum_of_them), f"{len(folded)} more, that cost less (--json has all)"), _TOOK)
        )
    return rows


def _row(part: Contribution) -> dict[str, object]:
    return _line(_amount(part.points), part.reason, part.code or None)


def _line(points: str, reason: str, code: str | None = None) -> dict[str, object]:
    return {"points": points, "reason": reason, "code": code}


def _amount(points: float) -> str:
    return f"{points:,.2f}"


def _outlook(found: Explanation) -> list[str]:
    ahead = found.outlook
    if ahead is None:
        return [f"'{found.score.band}' is the highest band."]
    goal = f"To reach '{ahead.band}' ({policy_text.points(ahead.missing)} away):"
    wait = _waiting(ahead.waiting)
    if not ahead.ways and not wait:
        return [f"{goal} nothing that you can do by yourself reaches it today, nor does waiting alone."]
    cheapest = [_way(ahead.ways[0])] if ahead.ways else []
    first = f"{goal} {', or '.join([*cheapest, *wait])}."
    return [first, *_others(ahead)]


def _others(ahead: Outlook) -> list[str]:
    notes = [f"  or {_way(way)}." for way in ahead.ways[1:]]
    if ahead.waiting.until:
        notes.append(f"  Waiting alone does not reach it before {ahead.waiting.until}.")
    if ahead.waiting.day and ahead.waiting.fades:
        notes.append("  While you wait, what lifts your score fades too; that is counted in.")
    return notes


def _way(way: Way) -> str:
    return " and ".join(_step(step) for step in way.steps)


def _step(step: Step) -> str:
    amount = f"{step.unit} {step.units:,}" if policy_text.is_money(step.unit) else f"{step.units:,}"
    at = ", ".join(
        f"{f'{place.units:,} ' if len(step.places) > 1 else ''}at {place.partner or 'a partner new to you'}"
        for place in step.places
    )
    return f"{amount} more of '{step.reason}' {at} ({policy_text.points(step.points)})"


def _waiting(waiting: Waiting) -> list[str]:
    return [f"wait until {waiting.day}"] if waiting.day else []


def _say(line: str) -> None:
    click.echo(terminal_text(line))
