"""The examples of a site, each served by uvicorn in a process of its own, beside a hub that answers reads."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
import requests
from sesame_baihe import Candidates, Pages

from examples.stage import ROOT, free_port
from sesame_sdk import Home, Rejected, Score
from tests.exchange.hubvoice import STREAM, Voice

SITES = ("django_site", "fastapi_site")


class Hub(ThreadingHTTPServer):
    """Answers reads of scores from `points`, by pseudonym."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.points: dict[str, float] = {}


class Answers(BaseHTTPRequestHandler):
    """The one request that a site makes."""

    server: Hub

    def do_POST(self) -> None:
        """A score or null for each subject asked for."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["subjects"]
        points = {one: self.server.points.get(one) for one in asked}
        scores = {
            one: None if value is None else Score(value, "known", date(2026, 6, 1), "digest", 550.0)
            for one, value in points.items()
        }
        body = msgspec.json.encode({"scores": scores})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quietly."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub on a free port."""
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def home(hub: Hub, tmp_path: Path) -> Home:
    """The site's folder as a partner."""
    url = f"http://127.0.0.1:{hub.server_port}"
    return Home.create(tmp_path / "baihe", issuer="https://baihe.example", hub=url)


@contextmanager
def served(site: str, home: Home) -> Iterator[str]:
    """The site's address, once it answers."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", f"examples.{site}:app", "--port", str(port), "--log-level", "info"],
        cwd=ROOT,
        env={**os.environ, "SESAME_HOME": str(home.path), "NO_COLOR": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        heard = []
        for line in process.stderr:
            heard.append(line)
            if "running on" in line:
                break
        else:
            pytest.fail("".join(heard))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize("site", SITES)
def test_a_site_ranks_says_why_and_shows_the_order_without_the_score(site: str, hub: Hub, home: Home) -> None:
    """For the member who looks; whoever has no score counts as average."""
    hub.points = {home.identity.pseudonym("102"): 950.0, home.identity.pseudonym("101"): 350.0}
    with served(site, home) as address:
        answer = requests.get(f"{address}/matches", headers={"Member": "ada"}, timeout=20)
    found = answer.json()
    assert [one["profile"] for one in found["matches"]] == ["102", "101", "103"]
    assert found["matches"][0]["why"] == ("0.3500 for relevance 0.50 + 0.3000 for score 950.00 = 0.6500")
    assert "counted as average" in found["matches"][2]["why"]
    assert found["without_score"] == ["101", "102", "103"]
    assert found["parameters"]["score_weight"] == 0.3
    assert "1 of 3 have no score and take the mean, 0.5000" in found["parameters"]["words"]
    assert home.identity.pseudonym("101") not in answer.text


def test_pages_over_a_real_score_book_lose_whoever_leaves_in_every_process(tmp_path: Path) -> None:
    """At once, in the process that hears it and in another that shares the book; nobody else moves."""
    voice, names = Voice(), tuple(f"person-{number:02}" for number in range(30))
    here, there = (voice.open(tmp_path / "book") for _ in range(2))
    here.begin(STREAM)
    inbox = voice.inbox(here)
    inbox.receive(voice.scores([(name, 1, 600.0) for name in names]))
    asked = Candidates(names, tuple(1 - at / 100 for at in range(30)), member="ada")
    with here, there, Pages(here, size=10) as mine, Pages(there, size=10) as theirs:
        cursors = [pages.open(asked).cursor or "" for pages in (mine, theirs)]
        inbox.receive(voice.gone("person-13", 2))
        for pages, cursor in zip((mine, theirs), cursors, strict=True):
            shown = [(number, place.profile) for number, place in pages.turn("ada", cursor).places]
            assert shown == [(at + 1, names[at]) for at in range(10, 20) if at != 13]
        voice.now += timedelta(minutes=10)
        with pytest.raises(Rejected, match="no longer kept"):
            mine.turn("ada", cursors[0])
        assert mine.open(asked).parameters.stale


@pytest.mark.parametrize("site", SITES)
def test_a_site_is_under_forty_lines(site: str) -> None:
    """Docstring and imports included: it can be read before it is copied."""
    assert len((ROOT / "examples" / f"{site}.py").read_text().splitlines()) < 40
