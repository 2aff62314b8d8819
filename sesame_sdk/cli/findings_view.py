"""Findings of the guard as a table on stderr, or as a problem details object with ``--json``.

The JSON on stdout has the form that a refusal has over HTTP: see `model.finding`. Refusals are red,
warnings yellow; the words say the same.
"""

import sys
from collections.abc import Sequence

from rich.text import Text

from sesame_sdk.cli.console import print_json, stderr
from sesame_sdk.cli.tables import render_table
from sesame_sdk.errors import FindingLike, GuardRefusedError
from sesame_sdk.model.finding import Action, problem
from sesame_sdk.text import terminal_text

#: What follows the rule of a finding that does not refuse.
_SUFFIXES: dict[object, str] = {Action.WARN: " (warning)", Action.REVIEW: " (review)"}
#: Line numbers in a file, one for each finding; None where it is not known.
Lines = Sequence[int | None]


def show_refusal(refused: GuardRefusedError, *, as_json: bool) -> None:
    """Print a refusal and all its findings."""
    _headline("refused by the guard:", refused.field or _count(refused.findings), "bold red")
    if as_json:
        print_json(problem(refused, **({"lines": refused.lines} if refused.lines else {})))
    elif refused.findings:
        show_findings(refused.findings, refused.lines)
    else:
        _headline("reason:", refused.message, "bold")


def show_warnings(findings: Sequence[FindingLike], lines: Lines = ()) -> None:
    """Print warnings, if there are any."""
    if findings:
        _headline("warnings of the guard:", _count(findings), "bold yellow")
        show_findings(findings, lines)


def show_findings(findings: Sequence[FindingLike], lines: Lines = ()) -> None:
    """Print a table of findings: rule, line if it is known, about, reason, hint, source."""
    numbered = zip(findings, lines or [None] * len(findings), strict=True)
    rows = [_row(finding, line, with_line=any(lines)) for finding, line in numbered]
    styles = ["bold yellow" if _is_warning(finding) else "bold red" for finding in findings]
    sys.stderr.write(render_table(rows, stream=sys.stderr, styles=styles))


def _row(finding: FindingLike, line: int | None, *, with_line: bool) -> dict[str, object]:
    return {
        "rule": finding.rule + _SUFFIXES.get(getattr(finding, "action", None), ""),
        **({"line": line} if with_line else {}),
        "about": getattr(finding, "about", None),
        "reason": finding.reason,
        "hint": getattr(finding, "hint", None),
        "source": getattr(finding, "source", None),
    }


def _is_warning(finding: FindingLike) -> bool:
    return getattr(finding, "action", None) in _SUFFIXES


def _count(findings: Sequence[FindingLike]) -> str:
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"


def _headline(what: str, message: str, style: str) -> None:
    stderr().print(Text.assemble((what, style), " ", terminal_text(message)), soft_wrap=True)
