"""``sesame rank`` against a hub that answers over HTTP what the real one answers."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from sesame_baihe.command import rank
from sesame_baihe.profiles import Profile, read

from sesame_sdk import Home, Rejected, Score


class Hub(ThreadingHTTPServer):
    """Answers reads of scores from `points`, by pseudonym."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.points: dict[str, float] = {}
        self.asked: list[str] = []


class Answers(BaseHTTPRequestHandler):
    """The one request that ranking makes."""

    server: Hub

    def do_POST(self) -> None:
        """A score or null for each subject asked for."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["subjects"]
        assert self.path == "/v1/scores/read"
        assert self.headers["Authorization"].startswith("Bearer ")
        self.server.asked += asked
        scores = {one: self._score(self.server.points.get(one)) for one in asked}
        body = msgspec.json.encode({"scores": scores})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _score(self, points: float | None) -> Score | None:
        return None if points is None else Score(points, "known", date(2026, 6, 1), "digest", 550.0)

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
    """Baihe's folder."""
    url = f"http://127.0.0.1:{hub.server_port}"
    return Home.create(tmp_path / "baihe", issuer="https://baihe.example", hub=url)


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """Three candidates."""
    file = tmp_path / "profiles.csv"
    file.write_text("profile,relevance\n101,0.75\n102,0.5\n103,0.25\n")
    return file


def run(*words: object) -> Result:
    """Type the command; errors of ours come out as they are."""
    return CliRunner().invoke(rank, [str(word) for word in words], catch_exceptions=False)


def test_both_orders_and_the_parameters_come_out_as_json(hub: Hub, home: Home, profiles: Path) -> None:
    """Scores are read by pseudonym, and the answer speaks of profiles again."""
    hub.points = {home.identity.pseudonym("102"): 950.0, home.identity.pseudonym("101"): 350.0}
    done = run(profiles, "--as", home.path, "--weight", 0.5, "--json")
    data = json.loads(done.stdout)
    assert [(place["profile"], place["score"]) for place in data["order"]] == [
        ("102", 950.0),
        ("101", 350.0),
        ("103", None),
    ]
    assert data["order_without_score"] == ["101", "102", "103"]
    assert data["parameters"]["without_score"] == 1
    assert set(hub.asked) == {home.identity.pseudonym(one) for one in ("101", "102", "103")}


def test_the_table_shows_the_same_and_says_what_neutral_was(hub: Hub, home: Home, profiles: Path) -> None:
    """On stdout; nothing of the progress is in it."""
    hub.points = {home.identity.pseudonym("102"): 950.0}
    done = run(profiles, "--as", home.path, "--top", 2)
    assert "without the score" in done.stdout
    assert "2 of 3 have no score and take the mean, 1.0000" in " ".join(done.stdout.split())
    assert "reading scores" not in done.stdout
    assert "103" not in done.stdout


@pytest.mark.usefixtures("hub")
def test_without_any_score_relevance_decides_and_the_table_says_so(home: Home, profiles: Path) -> None:
    """As on the first day."""
    assert "No score is known: relevance alone decides." in run(profiles, "--as", home.path).stdout


@pytest.mark.usefixtures("hub")
def test_a_weight_out_of_bounds_is_rejected(home: Home, profiles: Path) -> None:
    """By our error, which the command line turns into one line."""
    with pytest.raises(Rejected, match="score_weight: must lie between 0"):
        run(profiles, "--as", home.path, "--weight", 0.9)


def test_json_lines_are_read_like_csv(tmp_path: Path) -> None:
    """Ids may be numbers there."""
    file = tmp_path / "profiles.jsonl"
    file.write_text('{"profile": 101, "relevance": 1}\n{"profile": "x", "relevance": 0.5, "age": 30}\n')
    assert read(file) == (Profile("101", 1.0), Profile("x", 0.5))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "profile,score\n", "header: the header lacks relevance"),
        ("a.csv", "", "header: the header lacks profile, relevance"),
        ("a.csv", "profile,relevance\n1,0.5\n1,0.6\n", "line 3: names a profile that an earlier line names"),
        ("a.csv", "profile,relevance\n1,much\n", "line 2: relevance must be a number"),
        ("a.csv", "profile,relevance\n1,1.5\n", "line 2: relevance must lie between 0 and 1"),
        ("a.csv", "profile,relevance\n1,nan\n", "line 2: relevance must lie between 0 and 1"),
        ("a.csv", "profile,relevance\n1\n", "line 2: needs profile and relevance"),
        ("a.csv", "profile,relevance\n,1\n", "line 2: needs profile and relevance"),
        ("a.jsonl", "[]\n", "line 1: needs profile and relevance"),
        ("a.jsonl", "{\n", "line 1: is not JSON"),
        ("a.jsonl", "\n", "line 1: is not JSON"),
    ],
)
def test_a_file_with_a_fault_is_rejected_by_its_line(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    """All or nothing: a ranking from which somebody is missing would be unfair to them."""
    (tmp_path / name).write_text(text)
    with pytest.raises(Rejected) as caught:
        read(tmp_path / name)
    assert str(caught.value) == message
