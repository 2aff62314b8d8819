"""Events become signals.

Rules:
1. No text is read. What counts is what other people made of a post, or that the classifier found it useful
   by its form, which can only reward.
2. Abuse counts when a moderator confirmed it, by name and at a time. A report is only a report.
3. Nobody speaks for themselves: a mark by the author counts neither way.
4. A post counts once as helpful and once as abuse, however often the file repeats it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from sesame_sdk import (
    Evidence,
    InvalidInputError,
    Polarity,
    Pseudonymizer,
    Sensitivity,
    Signal,
    SignalKind,
    SignalProvider,
    Skipped,
)
from sesame_social import events
from sesame_social.events import PostEvent

#: Own conduct on a platform, as a term of DPV's personal data categories.
CATEGORY = "https://w3id.org/dpv/pd#SocialBehaviour"

HELPFUL = SignalKind(
    name="community.post.helpful",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Posts of yours that helped other people",
    categories=(CATEGORY,),
    sources=("our own site",),
)
USEFUL = SignalKind(
    name="community.post.useful",
    context="community",
    unit="post",
    evidence=Evidence.INFERRED,
    polarity=Polarity.REWARD,
    sensitivity=Sensitivity.ORDINARY,
    reason="Posts of yours that explain something, by their form",
    categories=(CATEGORY,),
    sources=("our own site",),
)
ABUSE = SignalKind(
    name="community.abuse.confirmed",
    context="community",
    unit="post",
    evidence=Evidence.OBSERVED,
    polarity=Polarity.BOTH,
    sensitivity=Sensitivity.ORDINARY,
    reason="Abuse of the site that a moderator confirmed",
    categories=(CATEGORY,),
    sources=("our own site",),
)
KINDS = (HELPFUL, USEFUL, ABUSE)


_KINDS = {"helpful": HELPFUL, "useful": USEFUL, "abuse_confirmed": ABUSE}
#: How the file of a moderators' queue ends.
_QUEUE = ".queue"
_NOT_CONFIRMED = "not confirmed by a moderator"


class CommunityPosts(SignalProvider[PostEvent]):
    """Reads what became of posts."""

    name: ClassVar[str] = "social"
    kinds: ClassVar[tuple[SignalKind, ...]] = KINDS

    def read(self, path: Path) -> Iterator[PostEvent | Skipped]:
        """Events of a JSON-lines file, ``.gz`` or not, or of a moderators' queue (``.queue``).

        Of several events of one sort about one post the first counts, so the ids of posts are held
        until the file ends.

        Raises:
            InvalidInputError: the file cannot be read.
        """
        seen: set[tuple[str, str]] = set()
        for event in _queued(path) if path.suffix == _QUEUE else events.read_events(path):
            if isinstance(event, Skipped) or _fault(event):
                yield event
            elif (event.post, event.event) in seen:
                yield Skipped("post counted already")
            else:
                seen.add((event.post, event.event))
                yield event

    def signals(self, event: PostEvent, identity: Pseudonymizer) -> Iterator[Signal | Skipped]:
        """What one event says of the author.

        Raises:
            InvalidInputError: it is not made of what a `PostEvent` is made of.
        """
        try:
            yield _said_of(event, identity)
        except (TypeError, AttributeError, ArithmeticError) as error:
            raise InvalidInputError("is not made of what an event is", field="event") from error


def _said_of(event: PostEvent, identity: Pseudonymizer) -> Signal | Skipped:
    if fault := _fault(event):
        return Skipped(fault)
    kind = _KINDS[event.event]
    return Signal(
        id=identity.signal_id(kind.name, event.post, event.at),
        subject=identity.pseudonym(event.author),
        kind=kind.name,
        value=1.0,
        occurred_at=event.at,
    )


def _queued(path: Path) -> Iterator[PostEvent]:
    from sesame_social.moderation_queue import ModerationQueue

    if not path.is_file():
        raise InvalidInputError("there is no such queue", field=path.name)
    with ModerationQueue(path) as queue:
        for one in queue.read_outcomes():
            yield PostEvent(one.post, one.author, one.at, one.event, one.by or None)


def _fault(event: PostEvent) -> str:
    """Why the event counts for nothing; empty if it does count."""
    if event.event == "abuse_reported":
        return _NOT_CONFIRMED
    if event.event not in _KINDS:
        return "unknown event"
    if event.by == event.author:
        return "marked by its own author"
    if event.event == "abuse_confirmed" and not _is_person(event.by):
        return _NOT_CONFIRMED
    if event.event == "helpful" and not (
        _is_person(event.by) or (isinstance(event.by, int) and event.by > 0)
    ):
        return "marked by nobody"
    if event.at.year < 1970:
        return "time before 1970"
    return ""


def _is_person(by: str | int | None) -> bool:
    return isinstance(by, str) and bool(by.strip())
