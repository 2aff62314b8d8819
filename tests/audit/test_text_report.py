"""The report in a terminal: whole at 80 columns, and the same words without colour."""

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from sesame_sdk.audit.report.model import Report
from sesame_sdk.audit.report.text_report import Sparkline, render_text
from sesame_sdk.text import html_text
from tests.audit import reports

every_report = pytest.mark.parametrize(
    "report", [pytest.param(make(), id=name) for name, make in reports.REPORTS.items()]
)


def shown(report: Report, *, width: int = 80, colours: bool = False, encoding: str = "utf-8") -> str:
    """What a console of that kind prints."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    system = "truecolor" if colours else None
    console = Console(file=file, width=width, force_terminal=colours, color_system=system)
    console.print(render_text(report))
    file.seek(0)
    return file.read()


@every_report
def test_it_fits_eighty_columns(report: Report) -> None:
    """Nothing is cut off: what is too long goes on in the next line."""
    text = shown(report)
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@every_report
def test_colour_repeats_what_words_say(report: Report) -> None:
    """Without its escapes, the coloured output is the plain one; and a pipe gets no escape."""
    plain = shown(report)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[\d;]*m", "", shown(report, colours=True)) == plain


@pytest.mark.parametrize(
    ("report", "start"),
    [
        (reports.report(), "WARNING The policy may be used, with 4 warnings."),
        (reports.clean(), "CLEAN No findings: the policy may be used."),
        (reports.refused(), "REFUSED The policy must not be used: one refusal and one warning."),
    ],
    ids=["warned", "clean", "refused"],
)
def test_the_verdict_is_the_first_word(report: Report, start: str) -> None:
    """The first line holds the most important result."""
    assert shown(report).startswith(start)


def test_every_finding_and_every_metric_is_there() -> None:
    """With rule, reason, hint and source; with verdict, value and bounds."""
    report = reports.with_change()
    assert report.simulation
    assert report.change
    text = re.sub(r"\s+", " ", shown(report, width=400))
    for result in report.findings:
        for content in (result.rule, result.about, result.reason, result.hint, result.source):
            assert content in text
    for own in (*report.simulation.metrics, report.change.psi):
        assert own.metric.title in text
        assert own.value is None or own.metric.format_value(own.value) in text


def test_what_others_wrote_does_nothing_to_the_terminal() -> None:
    """No escape, no bidi control, no markup of Rich's; the words are there."""
    report = reports.hostile()
    text = shown(report, width=4000)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    for content in reports.HOSTILE:
        assert html_text(content).strip() in text


def test_a_console_that_knows_ascii_only_gets_ascii_bars() -> None:
    """And a hyphen for a minus: numbers can be copied from a terminal."""
    report = reports.with_change()
    assert shown(report, encoding="ascii").isascii()
    assert "-48.5" in shown(report)


def test_bars_follow_shares_and_empty_bins_are_blank() -> None:
    """More bins than there is room for are taken together."""
    assert Sparkline((0.0, 0.5, 1.0, 0.25)).draw("1234567890") == " 503"
    assert Sparkline(()).draw("12") == ""
    assert Sparkline((0.0, 0.0)).draw("12") == "  "
    assert len(Sparkline((0.01,) * 100).draw("12")) == 20


def test_without_scores_no_score_is_shown() -> None:
    """Rather than a table of dashes."""
    text = shown(reports.nothing_scored())
    assert "No simulated person has a score." in text
    assert "A typical score" not in text
