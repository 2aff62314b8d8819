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
from sesame_baihe import Explanation, Matchmaking, RankedProfile, RankingRequest, table_view
from sesame_baihe.candidate_file import Candidate, read_candidates
from sesame_baihe.cli import rank
from sesame_baihe.table_view import draw_bar

from sesame_sdk import InvalidInputError, PartnerConfig, Score


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
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["subjects"]
        assert self.path == "/v1/scores/read"
        assert self.headers["Authorization"].startswith("Bearer ")
        self.server.asked += request
        scores = {one: self._score(self.server.points.get(one)) for one in request}
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


@pytest.fixture(autouse=True)
def _without_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output goes into a pipe of no width; pytest-xdist gives its workers one."""
    monkeypatch.delenv("COLUMNS", raising=False)


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
def config(hub: Hub, tmp_path: Path) -> PartnerConfig:
    """Baihe's folder."""
    url = f"http://127.0.0.1:{hub.server_port}"
    return PartnerConfig.create(tmp_path / "baihe", issuer="https://baihe.example", hub=url)


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    """Three candidates."""
    file = tmp_path / "profiles.csv"
    file.write_text("profile,relevance\n101,0.75\n102,0.5\n103,0.125\n")
    return file


def run(*words: object) -> Result:
    """Type the command; errors of ours come out as they are."""
    return CliRunner().invoke(rank, [str(word) for word in words], catch_exceptions=False)


def test_both_orders_and_the_parameters_come_out_as_json(
    hub: Hub, config: PartnerConfig, profiles: Path
) -> None:
    """Scores are read by pseudonym, and the answer speaks of profiles again."""
    hub.points = {config.pseudonymizer.pseudonym("102"): 950.0, config.pseudonymizer.pseudonym("101"): 350.0}
    done = run(profiles, "--config", config.path, "--weight", 0.5, "--json")
    data = json.loads(done.stdout)
    assert [(place["profile"], place["score"]) for place in data["order"]] == [
        ("102", 950.0),
        ("101", 350.0),
        ("103", None),
    ]
    assert data["order_without_score"] == ["101", "102", "103"]
    assert data["parameters"]["without_score"] == 1
    assert set(hub.asked) == {config.pseudonymizer.pseudonym(one) for one in ("101", "102", "103")}


def test_json_has_the_reasons_and_they_add_up(hub: Hub, config: PartnerConfig, profiles: Path) -> None:
    """As parts and as words; the parameters in words too."""
    hub.points = {config.pseudonymizer.pseudonym("102"): 950.0, config.pseudonymizer.pseudonym("101"): 350.0}
    data = json.loads(run(profiles, "--config", config.path, "--weight", 0.5, "--json").stdout)
    first = data["order"][0]
    assert first["explanation"] == {
        "relevance": 0.25,
        "score": 0.5,
        "difference_to_average": 0.25,
        "moved_up": False,
    }
    assert first["description"] == "0.2500 for relevance 0.50 + 0.5000 for score 950.00 = 0.7500"
    assert "1 of 3 have no score and get the mean, 0.5000" in data["parameters"]["description"]


def test_a_pipe_gets_one_line_of_whole_values_for_each_profile(
    hub: Hub, config: PartnerConfig, profiles: Path
) -> None:
    """Tab-separated, with the explanation in words and without a bar; the parameters are on stderr."""
    hub.points = {config.pseudonymizer.pseudonym("102"): 950.0, config.pseudonymizer.pseudonym("101"): 350.0}
    done = run(profiles, "--config", config.path, "--weight", 0.5)
    header, *rows = (line.split("\t") for line in done.stdout.splitlines())
    assert header == ["rank", "profile", "relevance", "score", "blended", "explanation", "without the score"]
    assert [len(row) for row in rows] == [len(header)] * 3
    assert rows[0][0] == "1 (+1)"
    assert rows[0][5] == "0.2500 for relevance 0.50 + 0.5000 for score 950.00 = 0.7500"
    assert "1 of 3 have no score" in " ".join(done.stderr.split())


@pytest.mark.parametrize(("width", "wide"), [(80, False), (120, True)])
def test_a_narrow_terminal_keeps_every_figure(
    width: int, wide: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without room for a bar there is none; what relevance and score brought is there all the same."""
    ranked = Matchmaking().use(RankingRequest(("a", "b"), (0.75, 0.5)), {})
    monkeypatch.setenv("COLUMNS", str(width))
    table_view.print_ranking(ranked, {"a": "profile-1", "b": "profile-2"})
    out = capsys.readouterr().out
    assert "0.7500 + 0.0000" in out
    assert "…" not in out
    assert ("█" in out) is wide
    assert max(map(len, out.splitlines())) <= width


def test_a_wide_terminal_shows_bars_and_explanations_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All bars begin in one column."""
    ranked = Matchmaking().use(RankingRequest(("a", "b"), (0.75, 0.5)), {})
    monkeypatch.setenv("COLUMNS", "200")
    table_view.print_ranking(ranked, {"a": "profile-1", "b": "profile-2"})
    lines = [line for line in capsys.readouterr().out.splitlines() if "█" in line]
    assert len({line.index("█") for line in lines}) == 1
    assert ["for relevance" in line for line in lines] == [True, True]


def test_a_place_in_a_terminal_without_unicode_is_a_bar_all_the_same() -> None:
    """Of plain signs; no wider than the scale, whatever rounding does."""
    place = RankedProfile("a", 1.0, 950.0, 1.0, Explanation(0.5, 0.5, 0.1))
    assert draw_bar(place, unicode=False) == "##########++++++++++"
    assert draw_bar(RankedProfile("a", 0.0, None, 0.0, Explanation(0.0, 0.0, 0.0))) == ""


def test_the_name_of_a_profile_does_nothing_to_the_terminal(
    config: PartnerConfig, hub: Hub, tmp_path: Path
) -> None:
    """Not a colour, not a line, not markup."""
    assert not hub.points
    file = tmp_path / "odd.jsonl"
    file.write_text('{"profile": "\\u001b[31m[bold]\\u202ex", "relevance": 1}\n')
    out = run(file, "--config", config.path).stdout
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "[31m[bold]x" in out


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(("mean", "first"), [("harmonic", "0.3200"), ("geometric", "0.4000")])
def test_interest_reciprocal_relevance_counts_where_the_file_has_it(
    mean: str, first: str, config: PartnerConfig, tmp_path: Path
) -> None:
    """Both figures are shown, and which mean made them one."""
    file = tmp_path / "both.csv"
    file.write_text("profile,relevance,reciprocal_relevance\n101,0.8,0.2\n102,0.9,0\n")
    done = run(file, "--config", config.path, "--mean", mean)
    assert f"Relevance is the {mean} mean of both sides' relevance." in " ".join(done.stderr.split())
    (line,) = (line for line in done.stdout.splitlines() if line.split()[:1] == ["1"])
    assert "0.800 / 0.200" in line
    assert first in line
    assert "and reciprocal relevance 0.20" in line


def test_the_table_shows_the_neutral_value(hub: Hub, config: PartnerConfig, profiles: Path) -> None:
    """The rows are on stdout, and the parameters on stderr."""
    hub.points = {config.pseudonymizer.pseudonym("102"): 950.0}
    done = run(profiles, "--config", config.path, "--top", 2)
    assert "without the score" in done.stdout
    assert "2 of 3 have no score and get the mean, 1.0000" in " ".join(done.stderr.split())
    assert "reading scores" not in done.stdout
    assert "103" not in done.stdout


@pytest.mark.usefixtures("hub")
def test_without_scores_relevance_decides_and_the_table_says_so(
    config: PartnerConfig, profiles: Path
) -> None:
    """As on the first day."""
    assert "No score is known: relevance alone decides." in run(profiles, "--config", config.path).stderr


@pytest.mark.usefixtures("hub")
def test_a_weight_out_of_bounds_is_rejected(config: PartnerConfig, profiles: Path) -> None:
    """By our error, which the command line turns into one line."""
    with pytest.raises(InvalidInputError, match="score_weight: must be from 0"):
        run(profiles, "--config", config.path, "--weight", 0.9)


def test_json_lines_are_read_like_csv(tmp_path: Path) -> None:
    """Ids may be numbers there."""
    file = tmp_path / "profiles.jsonl"
    file.write_text('{"profile": 101, "relevance": 1}\n{"profile": "x", "relevance": 0.5, "age": 30}\n')
    assert read_candidates(file) == (Candidate("101", 1.0), Candidate("x", 0.5))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "profile,score\n", "header: the header lacks relevance"),
        ("a.csv", "", "header: the header lacks profile, relevance"),
        ("a.csv", "profile,relevance\n1,0.5\n1,0.6\n", "line 3: repeats the profile of an earlier line"),
        ("a.csv", "profile,relevance\n1,much\n", "line 2: relevance must be a number"),
        ("a.csv", "profile,relevance\n1,1.5\n", "line 2: relevance must be from 0 to 1"),
        ("a.csv", "profile,relevance\n1,nan\n", "line 2: relevance must be from 0 to 1"),
        (
            "a.csv",
            "profile,relevance,reciprocal_relevance\n1,1,2\n",
            "line 2: reciprocal_relevance must be from 0 to 1",
        ),
        (
            "a.csv",
            "profile,relevance,reciprocal_relevance\n1,1,1\n2,1,\n",
            "line 3: all lines must have reciprocal_relevance, or none",
        ),
        ("a.csv", "profile,relevance\n1\n", "line 2: needs profile and relevance"),
        ("a.csv", "profile,relevance\n,1\n", "line 2: needs profile and relevance"),
        ("a.jsonl", "[]\n", "line 1: needs profile and relevance"),
        ("a.jsonl", "{\n", "line 1: is not JSON"),
        ("a.jsonl", "\n{\n", "line 2: is not JSON"),
    ],
)
def test_an_invalid_line_rejects_the_file(name: str, text: str, message: str, tmp_path: Path) -> None:
    """All or nothing: a ranking from which somebody is missing would be unfair to them."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        read_candidates(tmp_path / name)
    assert str(caught.value) == message


def test_a_profile_is_one_whatever_form_the_file_has(tmp_path: Path) -> None:
    """Trimmed, and 17.0 is 17; a column that is there twice and an altered number are refused by name."""
    (tmp_path / "c.csv").write_text("profile,relevance\n 17.0 ,1\n\n,\n18,0.5\n")
    (tmp_path / "c.jsonl").write_text(
        '{"profile": 17, "relevance": 1}\n\n{"profile": "18", "relevance": 0.5}\n'
    )
    names = [
        [candidate.name for candidate in read_candidates(tmp_path / name)] for name in ("c.csv", "c.jsonl")
    ]
    assert names == [["17", "18"]] * 2
    (tmp_path / "twice.csv").write_text("profile,relevance,relevance\n17,1,0\n")
    with pytest.raises(InvalidInputError, match="the header has relevance twice"):
        read_candidates(tmp_path / "twice.csv")
    (tmp_path / "altered.csv").write_text("profile,relevance\n17,1\n1.5E+10,1\n")
    with pytest.raises(InvalidInputError, match="line 3: profile is in scientific notation"):
        read_candidates(tmp_path / "altered.csv")
