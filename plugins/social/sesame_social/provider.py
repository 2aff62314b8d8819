"""Turns events of posts into signals.

Rules:
1. No text is read. Signals come from other people's marks, or from the classifier's finding that a post is
   useful by its form, which can only raise a score.
2. Abuse counts if a named moderator confirmed it. A report alone does not count.
3. A mark by the author does not count.
4. A post counts once as helpful and once as abuse, however often the file repeats it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from sesame_sdk import InvalidInputError, Pseudonymizer, Signal, SignalKind, SignalProvider, Skipped
from sesame_social.events import PostEvent, read_events

HELPFUL = SignalKind("community.post.helpful", "answer_marked_helpful")
USEFUL = SignalKind("community.post.useful", "post_explains")
ABUSE = SignalKind("community.abuse.confirmed", "abuse_confirmed")
KINDS = (HELPFUL, USEFUL, ABUSE)
_KINDS = {"helpful": HELPFUL, "useful": USEFUL, "abuse_confirmed": ABUSE}
#: Suffix of a moderators' queue.
_QUEUE_SUFFIX = ".queue"
_NOT_CONFIRMED = "not confirmed by a moderator"


class CommunityPosts(SignalProvider[PostEvent]):
    """Provides signals about posts."""

    name: ClassVar[str] = "social"
    kinds: ClassVar[tuple[SignalKind, ...]] = KINDS

    def read(self, path: Path) -> Iterator[PostEvent | Skipped]:
        """Read the events of a JSON-lines file, ``.gz`` or not, or of a moderators' queue (``.queue``).

        The first event of each type counts for a post, so ids of posts stay in memory until the file ends.
        A file that cannot be read raises InvalidInputError.
        """
        counted: set[tuple[str, str]] = set()
        for event in _read_queue(path) if path.suffix == _QUEUE_SUFFIX else read_events(path):
            if isinstance(event, Skipped) or _skip_reason(event):
                yield event
            elif (event.post, event.event) in counted:
                yield Skipped("post counted already")
            else:
                counted.add((event.post, event.event))
                yield event

    def signals(self, event: PostEvent, pseudonymizer: Pseudonymizer) -> Iterator[Signal | Skipped]:
        """Turn an event into a signal about its author."""
        try:
            if reason := _skip_reason(event):
                yield Skipped(reason)
                return
            kind = _KINDS[event.event].name
            signal_id = pseudonymizer.signal_id(kind, event.post, event.at)
            yield Signal(signal_id, pseudonymizer.pseudonym(event.author), kind, 1.0, event.at)
        except (TypeError, AttributeError, ArithmeticError) as error:
            raise InvalidInputError("has fields of a wrong type", field="event") from error


def _read_queue(path: Path) -> Iterator[PostEvent]:
    from sesame_social.moderation_queue import ModerationQueue

    if not path.is_file():
        raise InvalidInputError("there is no such queue", field=path.name)
    with ModerationQueue(path) as queue:
        yield from queue.read_events()


def _skip_reason(event: PostEvent) -> str:
    """Why the event does not count; empty if it does."""
    if event.event == "abuse_reported":
        return _NOT_CONFIRMED
    if event.event not in _KINDS:
        return "unknown event"
    if event.by == event.author:
        return "marked by its own author"
    is_person = isinstance(event.by, str) and bool(event.by.strip())
    if event.event == "abuse_confirmed" and not is_person:
        return _NOT_CONFIRMED
    if event.event == "helpful" and not is_person and not (isinstance(event.by, int) and event.by > 0):
        return "marked by no reader"
    if event.at.year < 1970:
        return "time before 1970"
    return ""
