"""The documents as a site: it needs no server, and loads nothing from elsewhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does: every warning is an error."""
    built = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-c", "docs", "-d", str(built / "doctrees")]
    subprocess.run([sys.executable, "-m", "sphinx", *options, ".", str(built / "html")], cwd=ROOT, check=True)
    return built / "html" / "docs"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page in Chromium that reports each request which is not for a file."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium must be there in CI")
        pytest.skip("needs chromium")
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
        browser = driver.chromium.launch(executable_path=path, args=options)
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("index", "Begin with the README"),
        ("reference/python", "class sesame_sdk.Client"),
        ("reference/commands", "sesame hub run"),
        ("reference/http", "POST /v1/events"),
        ("reference/rules", "GDPR 25(2)"),
        ("reference/catalogues", "Orders that you kept"),
        ("reference/plugins", "retail.order.completed"),
    ],
)
def test_a_page_shows_its_content_without_a_network(site: Path, page: Page, name: str, text: str) -> None:
    """The reference is written from the code: each page has something that only the code contains."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto((site / f"{name}.html").as_uri())
    assert text in " ".join(page.locator("article").inner_text().split())
    assert requested
    assert [url for url in requested if not url.startswith(("file:", "data:"))] == []


def test_the_search_finds_a_page_without_a_server(site: Path, page: Page) -> None:
    """From the search box of a page to the page that defines the word."""
    page.goto((site / "index.html").as_uri())
    page.get_by_role("searchbox").or_(page.locator("input[name=q]")).first.fill("pseudonym")
    page.keyboard.press("Enter")
    page.locator("#search-results").get_by_role("link", name="Glossary").first.wait_for()
