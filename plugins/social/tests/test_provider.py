"""What other people made of a post becomes a signal about its author; the post itself is never read."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sesame_social import CommunityPosts, PostEvent, provider, sesame_signal_providers
from sesame_social.events import MAX_LINE_BYTES, read_events

from sesame_sdk import InvalidInputError, Pseudonymizer, Signal, Skipped

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
HELPFUL = {"post": "p1", "author": "ada", "at": "2026-05-01T12:00:00+02:00", "event": "helpful", "by": 3}
ABUSE = {**HELPFUL, "event": "abuse_confirmed", "by": "moderator-7"}


@pytest.fixture(scope="session")
def pseudonymizer() -> Pseudonymizer:
    """A site's pseudonymizer with a fixed secret."""
    return Pseudonymizer(b"a secret of thirty-two bytes....")


@pytest.fixture
def outcomes(tmp_path: Path, pseudonymizer: Pseudonymizer) -> Callable[..., list[Signal | Skipped]]:
    """Everything that becomes of these lines."""

    def run(*lines: dict[str, object] | str) -> list[Signal | Skipped]:
        file = tmp_path / "posts.jsonl"
        file.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
        provider = CommunityPosts()
        result: list[Signal | Skipped] = []
        for event in provider.read(file):
            result += [event] if isinstance(event, Skipped) else provider.signals(event, pseudonymizer)
        return result

    return run


Outcomes = Callable[..., list[Signal | Skipped]]


def test_a_post_that_others_found_helpful_is_a_reward(
    outcomes: Outcomes, pseudonymizer: Pseudonymizer
) -> None:
    """One signal of value 1 about the author, at the time of the mark, in UTC."""
    (one,) = outcomes(HELPFUL)
    assert one == Signal(
        pseudonymizer.signal_id("community.post.helpful", "p1", AT),
        pseudonymizer.pseudonym("ada"),
        "community.post.helpful",
        1.0,
        AT,
    )
    assert provider.HELPFUL.polarity == "raises"


def test_abuse_that_a_moderator_confirmed_is_one_signal(outcomes: Outcomes) -> None:
    """Of the kind that may lower a score."""
    (one,) = outcomes(ABUSE)
    assert (one.kind, one.value) == ("community.abuse.confirmed", 1.0)
    assert provider.ABUSE.polarity == "lowers"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"event": "abuse_reported"}, "not confirmed by a moderator"),
        ({"event": "abuse_confirmed", "by": 12}, "not confirmed by a moderator"),
        ({"event": "abuse_confirmed", "by": None}, "not confirmed by a moderator"),
        ({"event": "abuse_confirmed", "by": " "}, "not confirmed by a moderator"),
        ({"event": "abuse_confirmed", "by": "ada"}, "marked by its own author"),
        ({"by": "ada"}, "marked by its own author"),
        ({"by": 0}, "marked by no reader"),
        ({"by": None}, "marked by no reader"),
        ({"event": "popular"}, "unknown event"),
        ({"at": "2026-05-01T12:00:00"}, "time without a zone"),
        ({"at": "1969-05-01T12:00:00Z"}, "time before 1970"),
        ({"at": "yesterday"}, "unreadable line"),
        ({"at": None}, "unreadable line"),
        ({"post": ""}, "no post or no author"),
        ({"author": [5]}, "unreadable line"),
        ({"by": " ada "}, "marked by its own author"),
    ],
    ids=[
        "a report is only a report",
        "a number of people confirms nothing",
        "an unconfirmed report",
        "a blank moderator",
        "a moderator who confirms against themselves",
        "an author who helps themselves",
        "no reader found it helpful",
        "an event without an author",
        "an event that we do not know",
        "a time without a zone",
        "a time before clocks",
        "a time that is none",
        "a confirmation without a time",
        "a post without an id",
        "an author that is a list",
        "an author with blanks around",
    ],
)
def test_what_does_not_count_is_kept_back_and_stops_nothing(
    changed: dict[str, object], reason: str, outcomes: Outcomes
) -> None:
    """The next line is read as if nothing had been."""
    skipped, signal = outcomes({**HELPFUL, **changed}, {**HELPFUL, "post": "p2"})
    assert skipped == Skipped(reason)
    assert isinstance(signal, Signal)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"post": "p1"}',
        "[" * 50_000,
        '"\\ud800"',
        json.dumps({**HELPFUL, "text": "x" * MAX_LINE_BYTES}),
    ],
    ids=[
        "broken off",
        "a list",
        "half an event",
        "nested without end",
        "half a character",
        "longer than a line may be",
    ],
)
def test_an_unreadable_line_is_skipped(line: str, outcomes: Outcomes) -> None:
    """Once, however long it is; the next line is read."""
    skipped, signal = outcomes(line, HELPFUL)
    assert skipped in (Skipped("unreadable line"), Skipped("line too long"))
    assert isinstance(signal, Signal)


def test_a_piece_of_an_overlong_line_never_passes_for_an_event(outcomes: Outcomes) -> None:
    """The text of a long line cannot contain an event."""
    assert outcomes("x" * MAX_LINE_BYTES + json.dumps(HELPFUL)) == [Skipped("line too long")]


def test_a_post_counts_once_for_each_sort_of_event(outcomes: Outcomes) -> None:
    """A second mark changes nothing; abuse of the same post is another matter."""
    result = outcomes(HELPFUL, {**HELPFUL, "at": "2026-05-02T00:00:00Z"}, ABUSE, ABUSE)
    assert [one.reason if isinstance(one, Skipped) else one.kind for one in result] == [
        "community.post.helpful",
        "post counted already",
        "community.abuse.confirmed",
        "post counted already",
    ]


def test_a_report_does_not_prevent_a_confirmation(outcomes: Outcomes) -> None:
    """What was kept back has not counted."""
    result = outcomes({**ABUSE, "by": None}, ABUSE)
    assert isinstance(result[1], Signal)


def test_exporting_again_gives_the_same_ids(outcomes: Outcomes) -> None:
    """The hub sees the same observations."""
    assert outcomes(HELPFUL, ABUSE) == outcomes(HELPFUL, ABUSE)


@given(text=st.text(max_size=200))
def test_no_text_of_a_post_gets_anywhere(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever stands in other fields, the event is the same, and has no room for it."""
    file = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    file.write_text(json.dumps({"text": text, **HELPFUL, "body": {"text": [text]}}))
    assert list(CommunityPosts().read(file)) == [PostEvent("p1", "ada", AT, "helpful", 3)]


def test_a_gzipped_file_is_unpacked(tmp_path: Path) -> None:
    """The same events."""
    (tmp_path / "posts.jsonl.gz").write_bytes(gzip.compress(json.dumps(HELPFUL).encode()))
    assert len(list(CommunityPosts().read(tmp_path / "posts.jsonl.gz"))) == 1


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b"{}\n" * 999)[:-20], None],
    ids=["not gzip", "broken off", "not there"],
)
def test_a_file_that_cannot_be_opened_is_rejected(content: bytes | None, tmp_path: Path) -> None:
    """Broken packing, a broken-off download, no file at all: one of our errors."""
    if content is not None:
        (tmp_path / "posts.gz").write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"posts\.gz: cannot be read"):
        list(CommunityPosts().read(tmp_path / "posts.gz"))


def test_the_plugin_brings_one_provider() -> None:
    """Called social, with its three kinds."""
    (social,) = sesame_signal_providers()
    assert (social.name, social.kinds) == ("social", provider.KINDS)


CASE = """\
{"post":"81","author":"m-17","at":"2026-05-01T10:00:00Z","event":"helpful","by":3}

{"post":"82","author":"m-17","at":"2026-05-02T08:30:00Z","event":"abuse_confirmed","by":"mod-2","text":"\\ud83d"}
{"post":83,"author":17.0,"at":"2026-05-02T08:30:00Z","event":"helpful","by":3.0}
{"post":"84","author":"m-17","at":"2026-05-02T08:30:00","event":"helpful","by":3}
{"post":"85","author":"m-17","at":1777710600,"event":"helpful","by":3}
{"post":"86","author":"1.5E+10","at":"2026-05-02T08:30:00Z","event":"helpful","by":3}
{"post":"87","author":"NULL","at":"2026-05-02T08:30:00Z","event":"helpful","by":3}
{"post":"88","author":"m-17","at":"2026-05-02T08:30:00Z","event":"helpful","by":3.5}
"""


def test_a_fault_names_its_line_and_field_and_a_field_that_is_not_read_has_none(tmp_path: Path) -> None:
    """Numeric ids are text, half an emoji in a text spoils no event, and blank lines are counted."""
    (tmp_path / "events.jsonl").write_text(CASE)
    events = list(read_events(tmp_path / "events.jsonl"))
    assert [(event.post, event.author, event.by) for event in events if isinstance(event, PostEvent)] == [
        ("81", "m-17", 3),
        ("82", "m-17", "mod-2"),
        ("83", "17", 3),
    ]
    assert [(item.line, item.reason, item.column) for item in events if isinstance(item, Skipped)] == [
        (5, "time without a zone", "at"),
        (6, "unreadable line", "at"),
        (7, "unreadable id", "author"),
        (8, "no post or no author", "author"),
        (9, "unreadable line", "by"),
    ]
