"""The page: complete, well-formed, harmless whatever a policy holds, and readable in more than one way."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from sesame_sdk.audit.report.html_report import SECURITY, render_html
from sesame_sdk.audit.report.model import Report
from sesame_sdk.text import html_text
from tests.audit import reports
from tests.audit.html_pages import Element, Seen, looked_at, parsed, within, words

PAGES = {name: render_html(make()) for name, make in reports.REPORTS.items()}
STYLE = PAGES["warned"].split("<style>")[1].split("</style>")[0]
NUMBER = re.compile(r"[+\u2212]?\d[\d,]*(?:\.\d+)?%?")
#: The grounds of text, and the colours of text, by variables of the style sheet.
GROUNDS = ("--paper", "--card")
INKS = ("--ink", "--soft", "--link", "--clean", "--watch", "--warn", "--refuse", "--unmeasured")
#: Shapes that must stand out from the ground: WCAG 2.2, 1.4.11.
SHAPES = ("--accent", "--down", "--soft", "--ink")

every_page = pytest.mark.parametrize(
    "page", [pytest.param(parsed(page), id=name) for name, page in PAGES.items()]
)


@every_page
def test_every_picture_is_named_and_states_a_sentence(page: Element) -> None:
    """A screen reader says an image, its title, and what it shows."""
    for picture in within(page, "svg"):
        title, desc = picture.find("title"), picture.find("desc")
        assert title is not None
        assert desc is not None
        assert picture.get("role") == "img"
        assert picture.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert words(title)
        assert re.fullmatch(r".{10,}\.", words(desc))


@every_page
def test_every_picture_has_a_table_of_the_same_numbers(page: Element) -> None:
    """Whatever number a picture shows as a value is in the table of its figure."""
    figures = within(page, "figure")
    assert sum(len(within(figure, "svg")) for figure in figures) == len(within(page, "svg"))
    for figure in figures:
        (table,) = within(figure, "table")
        reported = [number for cell in within(table, "th", "td") for number in NUMBER.findall(words(cell))]
        for shown in within(figure, "text"):
            if shown.get("class") in ("value", "value strong", "in-cell"):
                assert set(NUMBER.findall(words(shown))) <= set(reported), words(shown)


@every_page
def test_tables_have_captions_and_header_scopes(page: Element) -> None:
    """A caption; a scope on each header; as many cells in each row as there are columns."""
    for table in within(page, "table"):
        assert words(within(table, "caption")[0])
        head, *rows = within(table, "tr")
        assert {cell.get("scope") for cell in head} == {"col"}
        assert rows
        for row in rows:
            assert len(row) == len(head)
            assert [cell.tag for cell in row] == ["th", *["td"] * (len(head) - 1)]
            assert row[0].get("scope") == "row"


@every_page
def test_ids_are_unique_and_whatever_points_at_one_finds_it(page: Element) -> None:
    """Two pictures with one id would share a name, or stripes."""
    ids = [name for each in page.iter() if (name := each.get("id"))]
    assert len(ids) == len(set(ids))
    pointed = [each.get("aria-labelledby", "").split() for each in page.iter()]
    pointed += [re.findall(r"url\(#([^)]+)\)", each.get("style", "")) for each in page.iter()]
    pointed += [[href.removeprefix("#")] for each in page.iter() if (href := each.get("href"))]
    assert {name for names in pointed for name in names} <= set(ids)


@every_page
def test_headings_go_down_one_step_at_a_time(page: Element) -> None:
    """One h1, and no level left out."""
    levels = [int(each.tag[1]) for each in within(page, "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(words(each) for each in within(page, "h1", "h2", "h3"))


@every_page
def test_the_page_has_a_language_landmarks_and_a_way_past_the_head(page: Element) -> None:
    """What somebody who hears the page steers by."""
    assert page.get("lang") == "en"
    assert [each.tag for each in page[1] if each.tag in ("header", "main", "footer")] == [
        "header",
        "main",
        "footer",
    ]
    assert page[1][0].get("href") == f"#{within(page, 'main')[0].get('id')}"


@every_page
def test_nothing_is_loaded_and_nothing_runs(page: Element) -> None:
    """No element that fetches or runs, no handler, no address but on the page; and a policy says so."""
    tags = {each.tag for each in page.iter()}
    assert not tags & {
        "script",
        "link",
        "img",
        "image",
        "iframe",
        "object",
        "embed",
        "use",
        "base",
        "form",
        "a:href",
    }
    for each in page.iter():
        assert not [
            name for name in each.attrib if name.startswith("on") or name in ("src", "srcset", "data")
        ]
        assert each.get("href", "#").startswith("#")
        assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", each.get("style", ""))
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    policies = [each.get("content") for each in within(page, "meta") if each.get("http-equiv")]
    assert policies == [SECURITY]


@pytest.mark.parametrize("page", [pytest.param(page, id=name) for name, page in PAGES.items()])
def test_numbers_are_written_for_people(page: str) -> None:
    """No tail of binary digits, no NaN, no infinity, no minus that is a hyphen."""
    body = " ".join(Seen(page.split("</style>")[1]).words)
    assert not re.search(r"\d\.\d{4,}", body)
    assert not re.search(r"\b(nan|inf|infinity|None)\b", body)


def test_hostile_names_are_shown_and_never_obeyed() -> None:
    """They make no element and no attribute that a harmless page has not, and are there to be read."""
    hostile, harmless = Seen(PAGES["hostile"]), Seen(PAGES["against an older policy"])
    assert hostile.tags <= harmless.tags
    assert hostile.attributes <= harmless.attributes
    read = " ".join(hostile.words)
    for hostile in reports.HOSTILE:
        assert html_text(hostile) in read


def test_bidi_and_invalid_characters_are_removed() -> None:
    """Bidi controls, control characters and halves of pairs; the page can be written as UTF-8."""
    assert PAGES["hostile"].encode()
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", PAGES["hostile"]
    )


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (reports.report(), "The policy may be used, with 4 warnings."),
        (reports.clean(), "No findings: the policy may be used."),
        (reports.refused(), "The policy must not be used: one refusal and one warning."),
    ],
    ids=["warned", "clean", "refused"],
)
def test_the_verdict_is_at_the_top_in_words(report: Report, verdict: str) -> None:
    """Before anything is measured or drawn."""
    header = within(parsed(render_html(report)), "header")[0]
    assert verdict in words(header)


def test_every_finding_has_rule_reason_hint_and_source() -> None:
    """And what follows from it, as a word."""
    report = reports.report()
    cards = [words(card) for card in within(parsed(render_html(report)), "li")]
    assert len(cards) == len(report.findings)
    for card, result in zip(cards, report.findings, strict=True):
        for text in ("warning", result.rule, result.about, result.reason, result.hint, result.source):
            assert text in card


def test_missing_charts_are_explained() -> None:
    """A refused policy is not simulated; without any score there is no chart of scores."""
    refused, unscored = parsed(PAGES["refused without a simulation"]), parsed(PAGES["no score"])
    assert "so it was not simulated" in words(refused)
    assert not within(refused, "svg")
    assert "No simulated person has a score" in words(unscored)
    assert not {each.get("id") for each in unscored.iter()} & {"spread", "curve", "typical", "rewards"}


def test_all_pictures_are_there() -> None:
    """With an older policy to compare, all nine, and a bullet for each metric."""
    page = parsed(PAGES["against an older policy"])
    shown = {"spread", "curve", "typical", "rewards", "falls", "choices", "gains", "crossings", "movers"}
    assert shown <= {each.get("id") for each in page.iter()}
    assert len(within(page, "svg")) == len(shown) + len(reports.METRICS)


def test_equal_reports_make_equal_pages() -> None:
    """So that two audits can be compared byte by byte."""
    assert render_html(reports.with_change()) == PAGES["against an older policy"]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_and_shapes_have_enough_contrast(scheme: str) -> None:
    """4.5 to 1 for text, 3 to 1 for shapes: WCAG 2.2, 1.4.3 and 1.4.11."""
    colours = _colours(scheme)
    for ground in GROUNDS:
        for ink in INKS:
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for shape in SHAPES:
        assert _contrast(colours[shape], colours["--paper"]) >= 3, shape


def test_every_colour_of_the_style_is_one_of_the_variables() -> None:
    """So that the contrasts above are all the contrasts there are."""
    rules = re.sub(r"--[a-z]+: #[0-9a-f]{6};", "", STYLE)
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgb|\bhsl", rules)
    assert set(re.findall(r"var\((--[a-z]+)\)", rules)) - {"--tone"} <= set(_colours("dark"))


@pytest.mark.long
def test_the_page_fits_any_browser_width(tmp_path: Path) -> None:
    """From 360 pixels on: nothing overflows or overlaps, text stays legible, nothing is fetched."""
    result = looked_at(PAGES, (360, 600, 1280), tmp_path)
    assert len(result) == 3 * len(PAGES)
    for page in result:
        assert page["overflow"] <= 0, page
        assert not page["out"], page
        assert not page["touching"], page
        assert page["fetched"] == 0, page
        assert page["smallest"] is None or page["smallest"] >= 9, page


def _colours(scheme: str) -> dict[str, str]:
    light, dark, printed = re.findall(r":root \{([^}]*#[^}]*)\}", STYLE)
    return dict(
        re.findall(r"(--[a-z]+): (#[0-9a-f]{6})", {"light": light, "dark": dark, "print": printed}[scheme])
    )


def _contrast(one: str, other: str) -> float:
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
