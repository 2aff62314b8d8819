"""The moderators' page: on this machine, from this page, and nothing that somebody wrote is markup."""

import http.client
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost
from sesame_social.review_page import ReviewServer

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\"'&"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReviewServer]:
    """The page on a free port, with one post that is evil in every field."""
    path = tmp_path / "mods.queue"
    with ModerationQueue(path) as queue:
        queue.add_suspected([SuspectedPost(EVIL, "ada", "abuse", 0.9, EVIL)], now=NOW)
    with ReviewServer(path, "<b>mod</b>", now=lambda: NOW) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: ReviewServer, method: str = "GET", path: str = "/", *, host: str = "", **form: str
) -> tuple[int, str, http.client.HTTPMessage]:
    """One request: status, body, headers."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    headers = {"Host": host or f"127.0.0.1:{server.server_port}"}
    connection.request(method, path, urlencode(form) if form else None, headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, answer.headers


def test_everything_that_others_wrote_is_escaped(server: ReviewServer) -> None:
    """And the page may run and load nothing."""
    status, body, headers = ask(server)
    assert status == 200
    assert "<script" not in body
    assert "<b>mod" not in body
    assert "&lt;script&gt;" in body
    assert not re.search(r"(src|href)=", body)
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_moderator_sees_the_meaning_of_a_decision_and_the_author(server: ReviewServer) -> None:
    """The label, its source, and never certainty."""
    _, body, _ = ask(server)
    assert "Confirm: it is abuse" in body
    assert "by ada, 90% likely" in body
    with ModerationQueue(server.queue) as queue:
        queue.add_suspected([SuspectedPost("p2", "bob", "spam,abuse", 1.0, "x")], now=NOW)
    _, body, _ = ask(server)
    assert "Confirm: it is spam and abuse" in body
    assert "by bob, 99% likely" in body


def test_a_decision_from_the_page_counts(server: ReviewServer) -> None:
    """The moderator's name and the time are kept."""
    status, _, _ = ask(server, "POST", "/decide", token=server.token, post=EVIL, decision="confirm")
    assert status == 303
    with ModerationQueue(server.queue) as queue:
        item = queue.get_post(EVIL)
    assert (item.state, item.decided_by, item.decided_at) == ("confirmed", "<b>mod</b>", NOW)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"token": "guessed"}, 403),
        ({"token": ""}, 403),
        ({"host": "evil.example"}, 403),
        ({"decision": "delete"}, 400),
        ({"path": "/other"}, 400),
        ({"post": "unknown"}, 409),
        ({"decision": "x" * 5000}, 403),
    ],
    ids=[
        "a token that was guessed",
        "no token",
        "another site's name for this machine",
        "a decision that is none",
        "another path",
        "a post that is not there",
        "a form that is too long",
    ],
)
def test_anything_else_decides_nothing(change: dict[str, str], expected: int, server: ReviewServer) -> None:
    """The post stays open."""
    requested = {"path": "/decide", "token": server.token, "post": EVIL, "decision": "confirm", **change}
    path = requested.pop("path")
    host = requested.pop("host", "")
    status, _, _ = ask(server, "POST", path, host=host, **requested)
    assert status == expected
    with ModerationQueue(server.queue) as queue:
        assert queue.get_post(EVIL).state == "open"


def test_another_name_for_this_machine_sees_nothing(server: ReviewServer) -> None:
    """So that a page on the web cannot read the queue by way of its own name."""
    status, body, _ = ask(server, host="evil.example")
    assert status == 404
    assert "script" not in body
    assert server.server_address[0] == "127.0.0.1"
