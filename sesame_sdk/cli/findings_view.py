"""What the guard found, as people and programs see it: one table, wherever it was found.

Rules:
    * the table goes to stderr: a program that reads stdout gets no table for data
    * ``--json`` prints the refusal on stdout, in the form that it has over HTTP (`model.problem`)
    * colour says what words say too: red refuses, yellow warns
"""

import sys
from collections.abc import Sequence

from rich.text import Text

from sesame_sdk.cli.console import emit, stderr
from sesame_sdk.cli.tables import rendered
from sesame_sdk.errors import FindingLike, GuardRefusedError
from sesame_sdk.model.finding import Action
from sesame_sdk.model.problem_details import problem
from sesame_sdk.text import terminal_text

#: Line numbers in a file, one for each finding; None where it is not known.
Lines = Sequence[int | None]


def show_refusal(refused: GuardRefusedError, *, as_json: bool) -> None:
    """Print a refusal with all its findings."""
    _headline("refused by the guard:", refused.field or _count(refused.findings), "bold red")
    if as_json:
        emit(problem(refused, **({"lines": refused.lines} if refused.lines else {})))
    elif refused.findings:
        show_findings(refused.findings, refused.lines)
    else:
        _headline("it says:", refused.message, "bold")


def show_warnings(findings: Sequence[FindingLike], lines: Lines = ()) -> None:
    """Print what the guard let pass with a warning; nothing, if there is nothing."""
    if findings:
        _headline("the guard warns:", _count(findings), "bold yellow")
        show_findings(findings, lines)


def show_findings(findings: Sequence[FindingLike], lines: Lines = ()) -> None:
    """Print a table of findings: rule, line if it is known, about, reason, mend, source."""
    numbered = zip(findings, lines or [None] * len(findings), strict=True)
    rows = [_row(finding, line, with_line=any(lines)) for finding, line in numbered]
    styles = ["bold yellow" if _warns(finding) else "bold red" for finding in findings]
    sys.stderr.write(rendered(rows, stream=sys.stderr, styles=styles))


def _row(finding: FindingLike, line: int | None, *, with_line: bool) -> dict[str, object]:
    return {
        "rule": f"{finding.rule} warns" if _warns(finding) else finding.rule,
        **({"line": line} if with_line else {}),
        "about": getattr(finding, "about", None),
        "reason": finding.reason,
        "to mend it": getattr(finding, "hint", None),
        "source": getattr(finding, "source", None),
    }


def _warns(finding: FindingLike) -> bool:
    return getattr(finding, "action", None) is Action.WARN


def _count(findings: Sequence[FindingLike]) -> str:
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"


def _headline(what: str, message: str, style: str) -> None:
    stderr().print(Text.assemble((what, style), " ", terminal_text(message)), soft_wrap=True)
