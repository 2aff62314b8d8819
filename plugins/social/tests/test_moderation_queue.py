"""A suspicion waits for a person; what is decided or old leaves no text, and a crash loses no decision."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sesame_social import CommunityPosts, PostEvent
from sesame_social.moderation_queue import ModerationQueue, SuspectedPost

from sesame_sdk import ConfigurationError, InvalidInputError, Pseudonymizer

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECRET = "the words that must not be found again"
ONE = SuspectedPost("p1", "ada", "abuse", 0.9, SECRET)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the queue is."""
    return tmp_path / "mods.queue"


def test_a_confirmed_post_becomes_an_event_and_a_signal(path: Path) -> None:
    """Without its text, and without who confirmed it."""
    pseudonymizer = Pseudonymizer(b"a secret of thirty-two bytes....")
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE, SuspectedPost("p2", "bob", "spam", 0.8, "x")], now=NOW)
        queue.decide("p1", confirmed=True, moderator="mod-1", now=NOW)
        queue.decide("p2", confirmed=False, moderator="mod-1", now=NOW)
    (event,) = CommunityPosts().read(path)
    assert event == PostEvent("p1", "ada", NOW, "abuse_confirmed", "mod-1")
    (result,) = CommunityPosts().signals(event, pseudonymizer)
    assert "mod-1" not in repr(result)
    assert getattr(result, "kind", "") == "community.abuse.confirmed"


def test_nothing_that_is_open_is_an_event(path: Path) -> None:
    """A suspicion is not a finding."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE], now=NOW)
    assert list(CommunityPosts().read(path)) == []


def test_a_useful_post_is_an_inferred_reward(path: Path) -> None:
    """The one thing that is sent without a person."""
    with ModerationQueue(path) as queue:
        assert queue.add_useful([("p9", "eve", NOW)]) == 1
        assert queue.add_useful([("p9", "eve", NOW)]) == 0
    (event,) = CommunityPosts().read(path)
    assert event == PostEvent("p9", "eve", NOW, "useful")


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_decision_overwrites_the_text(confirmed: bool, path: Path) -> None:
    """Its bytes are not in the file any more."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE], now=NOW)
        assert SECRET.encode() in path.read_bytes()
        queue.decide("p1", confirmed=confirmed, moderator="mod", now=NOW)
        assert queue.get_post("p1").text is None
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_an_expired_post_is_deleted_with_its_text(path: Path) -> None:
    """At its time, and not before."""
    with ModerationQueue(path, retention=timedelta(days=2)) as queue:
        queue.add_suspected([ONE], now=NOW)
        assert queue.delete_expired(now=NOW + timedelta(days=2) - timedelta(seconds=1)) == 0
        assert queue.delete_expired(now=NOW + timedelta(days=2)) == 1
        assert queue.list_posts() == []
    assert SECRET.encode() not in path.read_bytes()


def test_a_post_is_decided_once(path: Path) -> None:
    """And is not asked about again when it is judged again."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE], now=NOW)
        queue.decide("p1", confirmed=False, moderator="mod", now=NOW)
        assert queue.add_suspected([ONE], now=NOW) == 0
        with pytest.raises(InvalidInputError, match="is already dismissed"):
            queue.decide("p1", confirmed=True, moderator="mod", now=NOW)


@pytest.mark.parametrize("by", ["", "  ", "ada", " ada ", "x" * 300])
def test_an_empty_name_and_the_author_cannot_decide(by: str, path: Path) -> None:
    """A decision has the name of somebody else."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE], now=NOW)
        with pytest.raises(InvalidInputError, match="moderator"):
            queue.decide("p1", confirmed=True, moderator=by, now=NOW)
        assert queue.get_post("p1").state == "open"


def test_all_posts_are_put_in_or_none(path: Path) -> None:
    """One that is wrong keeps the others out, and says which field."""
    with ModerationQueue(path) as queue:
        with pytest.raises(InvalidInputError, match="author"):
            queue.add_suspected([ONE, SuspectedPost("p2", "", "spam", 0.8, "x")], now=NOW)
        assert queue.list_posts() == []


def test_half_a_character_and_a_nul_are_kept_as_they_can(path: Path) -> None:
    """No text stops the queue."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([SuspectedPost("p\ud800", "a", "spam", 0.5, "\ud800\0x")], now=NOW)
        assert queue.list_posts()[0].text == "?\0x"


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    """Others on the machine do not read members' posts."""
    ModerationQueue(path).close()
    assert path.stat().st_mode & 0o077 == 0


def test_what_is_no_queue_is_refused(path: Path) -> None:
    """By name, without what stands in it."""
    path.write_bytes(b"something else" * 100)
    with pytest.raises(ConfigurationError, match=r"mods\.queue: cannot be used"):
        ModerationQueue(path)


def test_a_confirmed_decision_survives_a_crash(path: Path) -> None:
    """A process killed right after its confirmation has it on disk; one killed before has done nothing."""
    with ModerationQueue(path) as queue:
        queue.add_suspected([ONE, SuspectedPost("p2", "bob", "spam", 0.8, "x")], now=NOW)
    code = (
        "import sys, time; from datetime import *; from pathlib import Path\n"
        "from sesame_social.moderation_queue import ModerationQueue\n"
        "q = ModerationQueue(Path(sys.argv[1]))\n"
        "q.decide('p1', confirmed=True, moderator='mod', now=datetime.now(UTC))\n"
        "with q._file.transaction() as write:\n"
        '    write.execute("DELETE FROM suspected")\n'
        "    print('saved', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"saved\n"
        os.kill(process.pid, signal.SIGKILL)
    with ModerationQueue(path) as queue:
        assert queue.get_post("p1").state == "confirmed"
        assert queue.get_post("p2").state == "open"
