"""Pages taken apart as a parser takes them, and shown by a browser as people see them."""

import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

Element = ET.Element
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
)


def parsed(page: str) -> Element:
    """The page as a tree. It is well-formed XML too, so that no parser has to guess."""
    return ET.fromstring(page)  # noqa: S314 # our own page; it has no entities


class Seen(HTMLParser):
    """Names of the elements and attributes, and the text, that an HTML parser finds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the names."""
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


def words(element: Element) -> str:
    """All text within, blanks made single."""
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def within(element: Element, *tags: str) -> list[Element]:
    """All elements of those names, in order."""
    return [each for each in element.iter() if each.tag in tags]


def browser() -> str:
    """The path of Chromium; CI always has it."""
    result = shutil.which("chromium") or shutil.which("chromium-browser")
    if result is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium must be there in CI")
        pytest.skip("needs chromium")
    return result


def looked_at(pages: dict[str, str], widths: tuple[int, ...], folder: Path) -> list[dict[str, Any]]:
    """What a browser finds of each page at each width; see `look.js`."""
    frames = "".join(
        f'<iframe data-name="{html.escape(name)}" style="border:0;width:{width}px;height:900px" '
        f'srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    )
    script = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
    shown = folder / "look.html"
    shown.write_text(
        f'<!DOCTYPE html><meta charset="utf-8">{frames}<script>{script}</script>', encoding="utf-8"
    )
    command = [browser(), *_QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", shown.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    answer = parsed_answer(done.stdout)
    result: list[dict[str, Any]] = json.loads(answer)
    return result


def parsed_answer(dom: str) -> str:
    """What the script wrote into the page."""
    match = re.search(r'<pre id="answer">(.*?)</pre>', dom, re.DOTALL)
    assert match, "the browser did not finish"
    return html.unescape(match[1])
