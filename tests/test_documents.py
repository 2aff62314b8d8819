"""Links between the documents, and the places in the code that the glossary and CONTRIBUTING name."""

import re
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk.hub.observability.health import HealthState
from sesame_sdk.testing import LocalHub

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "plugins/*/README.md")
    for page in ROOT.glob(pattern)
)
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", GLOSSARY, re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Links to other websites are not followed."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not link.startswith(("http:", "https:", "mailto:")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


def test_every_promise_of_security_names_a_test_that_exists() -> None:
    """A promise that no test holds would be no promise."""
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", SECURITY)
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []
    rows = [line for line in SECURITY.splitlines() if line.startswith("| ") and line.count(" | ") == 3]
    promises = [row for row in rows if "| --- |" not in row and not row.startswith("| asset |")]
    assert [row for row in promises if "::test_" not in row] == []


def test_the_glossary_defines_each_word_once() -> None:
    """And has a definition, a module and an origin for each."""
    words = [word for word, _ in TERMS if word not in {"word", "---"}]
    assert len(words) == len(set(words)) > 60


def test_the_modules_that_the_glossary_names_exist() -> None:
    """Paths are relative to the package."""
    paths = {path for _, where in TERMS for path in re.findall(r"`([^`]+)`", where)}
    assert [path for path in sorted(paths) if not (ROOT / "sesame_sdk" / path).exists()] == []


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if not page.name.startswith("0022")],  # the record on names has rejected ones too
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    """By a path from the repository, the package or a plugin."""
    roots = (ROOT, ROOT / "sesame_sdk", *(ROOT / "plugins").glob("*/sesame_*"))
    named = set(re.findall(r"`([\w/]+/\w+\.py)`", prose(page)))
    assert {path for path in named if not any((root / path).exists() for root in roots)} == set()


def test_the_example_with_a_hub_for_tests_works(sesame_hub: LocalHub) -> None:
    """It is a test that passes."""
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    (code,) = re.findall(
        r"^```python\n([^`]*def test_an_order_arrives.*?)^```", page, re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own document
    names["test_an_order_arrives"](sesame_hub)


def test_the_operators_page_has_each_reason_for_not_being_ready() -> None:
    """In the words of the response."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [
        state for state in HealthState if state != HealthState.READY and f'503 "{state}"' not in page
    ] == []


def test_contributing_lists_every_package() -> None:
    """The map has the packages and modules that there are, and no other."""
    named = set(re.findall(r"`(\w+)/?`", CONTRIBUTING.partition("## Packages")[2].partition("\n## ")[0]))
    inside = {path.stem for path in (ROOT / "sesame_sdk").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert inside - {"__init__", "__pycache__", "py"} <= named
