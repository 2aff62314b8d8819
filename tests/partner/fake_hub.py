"""What a hub says in a stream, signed with a key of its own."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from attrs import define, field

from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import ScoreChange, ScoresChanged, SubjectId, SubjectRemoved, Verification
from sesame_sdk.partner.score_store.inbox import Inbox
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.signing.jwt import sign_event
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey

HUB, READER = "https://hub.example", "https://baihe.example"
PURPOSE, CONTEXT, STREAM = "https://w3id.org/dpv#PersonalisedBenefits", "retail", "f67e39a0a4d34d56"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
#: Who, number of the state, points.
SubjectScore = tuple[str, int, float | None]


@define
class FakeHub:
    """A hub's side of a stream, and the clock of both sides."""

    now: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)
    key: SigningKey = field(factory=SigningKey.generate)

    def clock(self) -> datetime:
        """What time it is."""
        return self.now

    def sign(self, event: EventType, payload: object, about: str, **other: Any) -> bytes:
        """A message."""
        claims = {"issuer": HUB, "audience": READER, "now": self.now, "sub_id": SubjectId(about)} | other
        return sign_event(event, payload, other.pop("key", None) or self.key, **claims)

    def scores(self, scored: Iterable[SubjectScore], *, day: date = date(2026, 6, 1), **other: Any) -> bytes:
        """Scores that changed."""
        changes = tuple(
            ScoreChange(SubjectId(who), seq, points, None if points is None else "good")
            for who, seq, points in scored
        )
        terms = {"purpose": PURPOSE, "context": CONTEXT} | other.pop("terms", {})
        payload = ScoresChanged(policy="digest", base=500.0, as_of=day, changes=changes, **terms)
        return self.sign(EventType.SCORES_CHANGED, payload, other.pop("stream", STREAM), **other)

    def gone(self, who: str, seq: int, **other: Any) -> bytes:
        """Somebody took the consent back."""
        return self.sign(EventType.GRANT_WITHDRAWN, SubjectRemoved(seq, PURPOSE, CONTEXT), who, **other)

    def erased(self, who: str, seq: int) -> bytes:
        """Somebody is erased."""
        return self.sign(EventType.PERSON_ERASED, SubjectRemoved(seq), who)

    def alive(self, **other: Any) -> bytes:
        """A sign of life."""
        return self.sign(EventType.VERIFICATION, Verification(), other.pop("stream", STREAM), **other)

    def keys(self) -> Trust:
        """What the reader knows of the hub."""
        return Trust({HUB: [TrustedKey(self.key.public_jwk, LONG_AGO)]})

    def open(self, path: Path, **settings: Any) -> ScoreStore:
        """The reader's score store."""
        options = {"hub": HUB, "reader": READER, "purpose": PURPOSE, "context": CONTEXT, "clock": self.clock}
        return ScoreStore(path, **options | settings)

    def inbox(self, store: ScoreStore) -> Inbox:
        """The way into it."""
        return Inbox(store, self.keys(), clock=self.clock)
