"""``sesame social`` from end to end, as somebody types it."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sesame_social import CommunityPosts
from sesame_social.classifier import Attribute
from sesame_social.cli import social
from sesame_social.labelled_posts import LabelledPost, LabelledPosts

from sesame_sdk import ConfigurationError, InvalidInputError, Skipped

SPAM = "WINNER!! You have won a 1000 pound prize! Call 09061701461 now to claim. T&C apply"
HELP = "First open the settings, then restart the router, because the old address is kept otherwise."
AT = "2026-05-01T10:00:00Z"


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Three posts and two lines that are none."""
    rows = [
        {"post": "p1", "author": "ada", "text": SPAM, "at": AT},
        {"post": "p2", "author": "bob", "text": HELP, "at": AT},
        {"post": "p3", "author": "eve", "text": "see you tonight", "at": AT},
        {"post": "", "author": "eve", "text": "x"},
    ]
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n")
    return file


def run(*words: object) -> Result:
    """The command's result; an error of ours is raised."""
    return CliRunner().invoke(social, [str(word) for word in words], catch_exceptions=False)


def test_posts_are_judged_decided_and_ready_to_send(posts: Path, tmp_path: Path) -> None:
    """From a file to events, with a person between."""
    queue = tmp_path / "mods.queue"
    result = run("classify", posts, "--queue", queue, "--json")
    assert [(row["post"], row["suspected"], row["helpful"]) for row in json.loads(result.stdout)] == [
        ("p1", ["spam"], False),
        ("p2", [], True),
        ("p3", [], False),
    ]
    assert "3 posts: 1 helpful, suspected: 1 spam, 0 abuse" in result.stderr
    assert "skipped: 1 x no post or no author" in result.stderr
    assert [row["post"] for row in json.loads(run("queue", "list", "--queue", queue, "--json").stdout)] == [
        "p1"
    ]
    assert SPAM in json.loads(run("queue", "show", "p1", "--queue", queue, "--json").stdout)[0]["text"]
    run("queue", "confirm", "p1", "--moderator", "mod", "--queue", queue)
    events = [event for event in CommunityPosts().read(queue) if not isinstance(event, Skipped)]
    assert [(event.post, event.event) for event in events] == [("p1", "abuse_confirmed"), ("p2", "useful")]


def test_a_dismissed_post_is_gone(posts: Path, tmp_path: Path) -> None:
    """It is never an event."""
    queue = tmp_path / "mods.queue"
    run("classify", posts, "--queue", queue)
    run("queue", "dismiss", "p1", "--moderator", "mod", "--queue", queue)
    assert "no open posts" in run("queue", "list", "--queue", queue).stderr
    assert [getattr(event, "event", "") for event in CommunityPosts().read(queue)] == ["useful"]


def test_a_queue_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    """A misspelt name must not look like a queue in which nothing is open."""
    for words in (
        ["list"],
        ["show", "p1"],
        ["confirm", "p1", "--moderator", "m"],
        ["dismiss", "p1", "--moderator", "m"],
    ):
        with pytest.raises(InvalidInputError, match=r"other\.queue: there is no such queue"):
            run("queue", *words, "--queue", tmp_path / "other.queue")
    assert list(tmp_path.iterdir()) == []


def test_the_kind_of_posts_can_be_stated(tmp_path: Path) -> None:
    """The same posts, judged as comments and as messages."""
    file = tmp_path / "posts.jsonl"
    text = "check out my new song on my channel and subscribe"
    file.write_text(json.dumps({"post": "p", "author": "a", "text": text}))
    comment, message = (
        json.loads(run("classify", file, "--kind", kind, "--json").stdout)[0]["spam"]
        for kind in ("comment", "message")
    )
    assert comment > message


def test_what_is_printed_has_no_text_of_a_post(posts: Path) -> None:
    """Neither as a table nor as JSON."""
    for how in ([], ["--json"]):
        built = run("classify", posts, *how)
        assert "WINNER" not in built.output
        assert "router" not in built.output


def test_a_post_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    """Control characters in an id are not printed."""
    file = tmp_path / "posts.jsonl"
    file.write_text(json.dumps({"post": "\x1b[2Jp", "author": "a", "text": "hello"}))
    assert "\x1b" not in run("classify", file).output


def test_another_model_is_checked_as_well(posts: Path, tmp_path: Path) -> None:
    """A file without a digest is refused."""
    (tmp_path / "own.npz").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"own\.npz"):
        run("classify", posts, "--model", tmp_path / "own.npz")


@pytest.fixture
def small_data(shared_data: Path, tmp_path: Path) -> Path:
    """The directory of the data sets, with each fiftieth text."""
    for name in ("sms-spam", "youtube-spam", "davidson", "cold", "hatecheck", "hatemoji", "edos"):
        (tmp_path / name).mkdir()
        for file in shared_data.joinpath(name).glob("*.csv"):
            with file.open(encoding="utf-8", newline="") as lines:
                rows = list(csv.reader(lines))
            with (tmp_path / name / file.name).open("w", encoding="utf-8", newline="") as part:
                csv.writer(part).writerows([rows[0], *rows[1::50]])
    return tmp_path


@pytest.mark.long
@pytest.mark.timeout(300)
def test_training_learns_from_the_labels_of_moderators(small_data: Path) -> None:
    """A word that they labelled as an insult is one; another word that no set has is not."""
    posts = small_data / "posts.jsonl"
    posts.write_text(
        "\n".join(
            json.dumps({"post": word, "author": "a", "text": f"you {word}"})
            for word in ("gormblatt", "fremwick")
        )
    )
    abuse = {name.value: float(name in (Attribute.TOXICITY, Attribute.INSULT)) for name in Attribute}
    labels = LabelledPosts(small_data / "labels.jsonl")
    for text in ("you gormblatt", "what a gormblatt you are", "shut up gormblatt", "he is a gormblatt"):
        labels.append(LabelledPost(text, abuse, "moderator"))
    output = small_data / "own.npz"
    options = ["--output", output, "--labels", small_data / "labels.jsonl", "--json"]
    assert "labels of moderators: 4" in run("train", "--data", small_data, *options).stderr
    labelled, other = json.loads(run("classify", posts, "--model", output, "--json").stdout)
    assert labelled["toxicity"] > other["toxicity"] + 0.1


def test_labels_are_refused_where_no_model_is_made(tmp_path: Path) -> None:
    """Measurements are of the public data sets."""
    (tmp_path / "labels.jsonl").touch()
    options = ["--data", tmp_path, "--labels", tmp_path / "labels.jsonl"]
    for more in (["--folds", 2], ["--leave-out", "topic"]):
        with pytest.raises(InvalidInputError, match="labels: is for training a model only"):
            run("train", *options, *more)
