"""The moderators' page: a process of its own, asked over HTTP and in a browser."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from attrs import frozen
from playwright.sync_api import Page, sync_playwright
from sesame_social.classifier import Model
from sesame_social.labelled_posts import read_labelled_posts
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost
from sesame_social.review.explanations import Explainer
from sesame_social.review.sessions import SESSION_LIFETIME, Sessions

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&"
INSULT = "You are a stupid bitch and everybody hates you."
IMAGES = Path(__file__).resolve().parents[3] / "docs" / "img"


@frozen
class Server:
    """A running page.

    Attributes:
        queue: its queue.
        labels: its file of labels.
        lines: what it printed so far, one link a moderator.
        output: the rest of what it prints.
    """

    queue: Path
    labels: Path
    lines: list[str]
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """Without a path."""
        return self.lines[0].split()[1].partition("/sign-in")[0]

    def link(self, moderator: str) -> str:
        """The last link printed for a moderator."""
        return next(line.split()[1] for line in reversed(self.lines) if line.startswith(f"{moderator}:"))

    def read_lines(self, count: int) -> None:
        """Wait for further lines."""
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr.readline() for _ in range(count))

    def state(self, post: str) -> tuple[str, str | None]:
        """A post's state, and who decided it."""
        with ModerationQueue(self.queue) as queue:
            found = queue.get_post(post)
        return found.state, found.decided_by


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The page with three posts, for two moderators."""
    queue, labels = folder / "mods.queue", folder / "labels.jsonl"
    posts = [
        SuspectedPost("p1", "ben", "abuse", 0.9, INSULT),
        SuspectedPost(EVIL, "cleo", "abuse", 0.6, EVIL),
        SuspectedPost("p3", "ada", "spam", 0.7, "Congratulations! You won a prize, call 08001234567 now"),
    ]
    with ModerationQueue(queue) as opened:
        opened.add_suspected(posts, now=datetime.now(UTC))
    command = [Path(sys.executable).parent / "sesame", "social", "queue", "serve", "--port", "0"]
    options = ["--queue", queue, "--labels", labels, "--moderator", "ada", "--moderator", "mod-2"]
    process = subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, env={**os.environ})
    server = Server(queue, labels, [], process)
    try:
        server.read_lines(3)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=30)[1]
    assert "stupid" not in rest


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A page of this test alone."""
    with serving(tmp_path) as server:
        yield server


SignedIn = tuple[requests.Session, str]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A page for tests that decide nothing."""
    with serving(tmp_path_factory.mktemp("review")) as server:
        yield server


@pytest.fixture(scope="module")
def moderator(shared: Server) -> SignedIn:
    """A moderator of the shared page."""
    return signed_in(shared)


@pytest.fixture(scope="module")
def author(shared: Server) -> SignedIn:
    """A moderator of the shared page who wrote one of the posts."""
    return signed_in(shared, "ada")


def signed_in(server: Server, moderator: str = "mod-2") -> SignedIn:
    """A session of a moderator, and the token of its forms."""
    session = requests.Session()
    session.headers["Origin"] = server.address
    page = session.get(server.link(moderator), timeout=30)
    assert page.status_code == 200
    return session, re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]


def test_the_page_needs_a_link_that_works_once(server: Server) -> None:
    """Another user of the machine sees neither posts nor the names of their authors."""
    stranger = requests.get(server.address, timeout=30)
    assert stranger.status_code == 401
    assert "ben" not in stranger.text
    assert "stupid" not in stranger.text
    session, _ = signed_in(server)
    page = session.get(server.address, timeout=30).text
    assert "mod-2" in page
    assert "token" not in session.get(server.address, timeout=30).url
    assert requests.get(server.link("mod-2"), timeout=30).status_code == 403
    assert requests.get(f"{server.address}/sign-in?token=guessed", timeout=30).status_code == 403


def test_a_new_link_is_printed_on_the_terminal_alone(shared: Server) -> None:
    """Anybody may ask for it, and only the terminal's user can read it; not too often."""
    url = f"{shared.address}/new-link"
    assert requests.post(url, headers={"Origin": "https://evil.example"}, timeout=30).status_code == 403
    answer = requests.post(url, headers={"Origin": shared.address}, timeout=30)
    assert answer.status_code == 429  # links were printed a moment ago
    assert "token" not in answer.text


def test_everything_that_others_wrote_is_escaped_and_nothing_is_loaded(
    shared: Server, moderator: SignedIn
) -> None:
    """And no site may frame the page, nor a cache keep it."""
    page = moderator[0].get(shared.address, timeout=30)
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert re.findall(r'(?:src|href)="([^"]+)"', page.text) == ["/style.css"]
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"


def test_a_decision_is_recorded_under_the_name_of_its_session(server: Server) -> None:
    """With the ticks kept as labels, and the text gone from the queue."""
    session, csrf = signed_in(server)
    form = {"csrf": csrf, "post": "p1", "attribute": ["TOXICITY"], "decision": "confirm"}
    assert session.post(f"{server.address}/decide", data=form, timeout=30).status_code == 200
    form = {"csrf": csrf, "post": EVIL, "attribute": ["TOXICITY"], "decision": "dismiss"}
    assert session.post(f"{server.address}/decide", data=form, timeout=30).status_code == 200
    assert server.state("p1") == ("confirmed", "mod-2")
    assert server.state(EVIL) == ("dismissed", "mod-2")
    insult, evil = read_labelled_posts(server.labels)
    assert (insult.text, insult.scores["TOXICITY"], insult.scores["SPAM"]) == (INSULT, 1.0, 0.0)
    assert set(evil.scores.values()) == {0.0}
    page = session.get(server.address, timeout=30).text
    assert "1 (50%)" in re.sub(r"\s+", " ", page)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"csrf": "guessed"}, 403, id="a token that was guessed"),
        pytest.param({"csrf": ""}, 403, id="no token"),
        pytest.param({"origin": "https://evil.example"}, 403, id="a form of another site"),
        pytest.param({"origin": "null"}, 403, id="a form of a file or a frame without an origin"),
        pytest.param({"cookie": "none"}, 403, id="no session"),
        pytest.param({"host": "evil.example"}, 400, id="another site's name for this machine"),
        pytest.param({"decision": "delete"}, 400, id="an unknown decision"),
        pytest.param({"attribute": "OPINION"}, 400, id="an unknown attribute"),
        pytest.param({"attribute": ""}, 400, id="confirmed as nothing"),
        pytest.param({"post": "unknown"}, 409, id="an unknown post"),
        pytest.param({"decision": "x" * 5000}, 403, id="a form that is too long"),
    ],
)
def test_anything_else_decides_nothing(
    change: dict[str, str], expected: int, shared: Server, moderator: SignedIn
) -> None:
    """The post stays open, and nothing is kept."""
    session, csrf = moderator
    form = {"csrf": csrf, "post": "p1", "attribute": "TOXICITY", "decision": "confirm", **change}
    headers = {"Origin": form.pop("origin", shared.address)}
    if "host" in form:
        headers["Host"] = form.pop("host")
    send = requests.post if form.pop("cookie", "") else session.post
    answer = send(f"{shared.address}/decide", data=form, headers=headers, timeout=30)
    assert answer.status_code == expected
    assert shared.state("p1") == ("open", None)
    assert not shared.labels.read_text()


def test_moderators_do_not_decide_about_posts_of_their_own(shared: Server, author: SignedIn) -> None:
    """The moderator's name is the session's, whatever a form says."""
    session, csrf = author
    form = {"csrf": csrf, "post": "p3", "attribute": "SPAM", "decision": "confirm", "moderator": "mod-2"}
    assert session.post(f"{shared.address}/decide", data=form, timeout=30).status_code == 409
    assert shared.state("p3") == ("open", None)


def test_the_token_of_one_session_is_not_another_ones(
    shared: Server, moderator: SignedIn, author: SignedIn
) -> None:
    """A moderator cannot decide in the name of a second one."""
    session, form = (
        moderator[0],
        {"csrf": author[1], "post": "p1", "attribute": "TOXICITY", "decision": "confirm"},
    )
    assert session.post(f"{shared.address}/decide", data=form, timeout=30).status_code == 403


def test_signing_out_ends_the_session(server: Server) -> None:
    """The cookie, which no script and no other site can use, is worth nothing then."""
    answer = requests.get(server.link("mod-2"), allow_redirects=False, timeout=30)
    attributes = answer.headers["Set-Cookie"].lower()
    assert "httponly" in attributes
    assert "samesite=strict" in attributes
    cookie = dict(answer.cookies)
    session = requests.Session()
    session.headers["Origin"] = server.address
    session.cookies.update(cookie)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', session.get(server.address, timeout=30).text)[0]
    assert session.post(f"{server.address}/sign-out", data={"csrf": csrf}, timeout=30).status_code == 200
    assert requests.get(server.address, cookies=cookie, timeout=30).status_code == 401


def test_sessions_and_links_end() -> None:
    """A session after its lifetime without a request; a link when a newer one is made."""
    time = [NOW]
    sessions = Sessions(lambda: time[0])
    first, second = sessions.create_link("ada"), sessions.create_link("ada")
    assert sessions.sign_in(first) is None
    secret = sessions.sign_in(second)
    assert secret is not None
    time[0] += SESSION_LIFETIME - timedelta(minutes=1)
    assert sessions.find(secret) is not None
    time[0] += SESSION_LIFETIME - timedelta(minutes=1)
    assert sessions.find(secret) is not None
    time[0] += SESSION_LIFETIME + timedelta(minutes=1)
    assert sessions.find(secret) is None


def test_an_explanation_marks_the_words_that_weighed_most(model: Model) -> None:
    """The parts are the whole text; a text in another language has neither attributes nor marks."""
    insult, other = Explainer(model).explain([INSULT, "これはとても良い考えだと思います。"])
    assert "".join(part.text for part in insult.parts) == INSULT
    assert "bitch" in [part.text for part in insult.parts if part.weight]
    assert insult.attributes[0].suspected
    assert (other.attributes, [part.weight for part in other.parts]) == ((), [0.0])


@pytest.fixture
def page() -> Iterator[Page]:
    """A page in Debian's Chromium, without a network beyond this machine."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium must be there in CI")
        pytest.skip("needs chromium")
    quiet = [
        "--no-sandbox",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=quiet)
        yield browser.new_page(viewport={"width": 900, "height": 620})
        browser.close()


@pytest.mark.long
def test_a_moderator_signs_in_and_decides_in_a_browser(server: Server, page: Page) -> None:
    """The link, the reasons, a correction, the next post, and out again, on a desktop and a phone."""
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(server.address)
    assert page.get_by_role("heading").inner_text() == "Sign in"
    page.goto(server.link("mod-2"))
    assert page.url == f"{server.address}/"
    assert "bitch" in page.locator("mark").all_inner_texts()
    if os.environ.get("SESAME_SCREENSHOTS"):
        page.screenshot(path=IMAGES / "moderators-page.png")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    if os.environ.get("SESAME_SCREENSHOTS"):
        page.screenshot(path=IMAGES / "moderators-page-phone.png")
    first = page.get_by_role("article").filter(has_text="everybody hates you")
    first.get_by_label("toxicity").check()
    first.get_by_role("button", name="Confirm").click()
    page.get_by_text("everybody hates you").wait_for(state="detached")
    assert server.state("p1") == ("confirmed", "mod-2")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Signed out").wait_for()
    page.goto(server.address)
    assert page.get_by_role("heading").inner_text() == "Sign in"
    assert {url.split("/")[2] for url in requested} == {server.address.split("/")[2]}
