"""The inbox: what is believed, what is acknowledged, and with which code the rest is refused."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk import InvalidInputError, RetryableError
from sesame_sdk.constants import MAX_TOKEN_BYTES
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.model.stream_events import StreamUpdated, Verification
from sesame_sdk.partner.score_store.inbox import Inbox, OtherEvent
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.signing.jwt import READ_TYP, SET_TYP, sign_claims
from sesame_sdk.signing.keys import SigningKey
from tests.partner.fake_hub import HUB, READER, STREAM, FakeHub

ADA = [("ada", 1, 612.5)]
_Make = Callable[[FakeHub], bytes]


@pytest.fixture
def fake_hub() -> FakeHub:
    """A hub."""
    return FakeHub()


@pytest.fixture
def store(fake_hub: FakeHub, tmp_path: Path) -> Iterator[ScoreStore]:
    """A store that follows a stream."""
    with fake_hub.open(tmp_path / "store.sqlite") as opened:
        opened.begin_stream(STREAM)
        yield opened


@pytest.fixture
def inbox(fake_hub: FakeHub, store: ScoreStore) -> Inbox:
    """The way into it."""
    return fake_hub.inbox(store)


def test_the_same_message_again_is_acknowledged_and_changes_nothing(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """At least once is what a hub promises: what was taken in is taken in."""
    token = fake_hub.scores(ADA)
    for _ in range(3):
        inbox.receive(token)
    assert store.points(["ada"])[0] == 612.5


def test_a_message_that_comes_late_does_not_undo_a_later_one(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """It is acknowledged, for it was true, and passed over; a withdrawal stays one."""
    early, late = (
        fake_hub.scores([("ada", 1, 612.5), ("bob", 2, 600.0)]),
        fake_hub.scores([("ada", 5, 700.0)]),
    )
    inbox.receive(late)
    inbox.receive(fake_hub.gone("bob", 6))
    inbox.receive(early)
    assert store.points(["ada"])[0] == 700.0
    assert store.scores(["bob"]) == {"bob": None}


@pytest.mark.parametrize(
    ("make", "code", "why"),
    [
        pytest.param(
            lambda v: v.scores(ADA, key=SigningKey.generate()), "invalid_key", "not a key", id="forged"
        ),
        pytest.param(
            lambda v: v.scores(ADA, issuer="https://other.example"),
            "invalid_issuer",
            "is unknown",
            id="issuer",
        ),
        pytest.param(
            lambda v: v.scores(ADA, audience=HUB),
            "invalid_audience",
            "another audience",
            id="for somebody else",
        ),
        pytest.param(
            lambda v: v.scores(ADA)[:-8] + b"AAAAAAAA",
            "authentication_failed",
            "signature",
            id="tampered with",
        ),
        pytest.param(
            lambda v: v.scores(ADA, now=v.now - timedelta(days=1, seconds=1)),
            "invalid_request",
            "old",
            id="old",
        ),
        pytest.param(
            lambda v: v.scores(ADA, terms={"context": "community"}),
            "invalid_request",
            "not those",
            id="context",
        ),
        pytest.param(
            lambda v: v.sign(EventType.RECEIPT, Receipt("1", v.now, 1), "x"),
            "invalid_request",
            "not for a score store",
            id="another event of ours",
        ),
        pytest.param(
            lambda v: v.sign(EventType.SCORES_CHANGED, {"changes": []}, STREAM),
            "invalid_request",
            "events",
            id="of an invalid form",
        ),
        pytest.param(
            lambda v: sign_claims({"iss": HUB, "aud": READER, "iat": 1, "jti": "1"}, v.key, typ=READ_TYP),
            "invalid_request",
            "typ",
            id="another type of token",
        ),
        pytest.param(lambda _: b"", "invalid_request", "token", id="nothing"),
        pytest.param(lambda _: b"x" * (MAX_TOKEN_BYTES + 1), "invalid_request", "token", id="too large"),
        pytest.param(
            lambda v: v.sign(EventType.GRANT_WITHDRAWN, {"seq": 1 << 63}, "ada"),
            "invalid_request",
            "seq",
            id="a number beyond all",
        ),
        pytest.param(
            lambda v: v.sign(EventType.VERIFICATION, {}, STREAM, sub_id={"format": "email", "id": "a"}),
            "invalid_request",
            "format",
            id="another form of subject",
        ),
    ],
)
def test_what_is_not_believed(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub, make: _Make, code: str, why: str
) -> None:
    """With a code of RFC 8935 section 2.4; the store is unchanged, and counts no message."""
    with pytest.raises(InvalidInputError, match=why) as caught:
        inbox.receive(make(fake_hub))
    assert caught.value.code == code
    assert (store.state.subject_count, store.state.last_message_at) == (0, None)


def test_an_id_is_never_accepted_for_another_message(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """RFC 7519 section 4.1.7."""
    inbox.receive(fake_hub.scores(ADA, jti="once"))
    with pytest.raises(InvalidInputError, match="jti: was used for another message"):
        inbox.receive(fake_hub.scores([("ada", 2, 900.0)], jti="once"))
    assert store.points(["ada"])[0] == 612.5


def test_a_replayed_message_is_refused_when_its_id_is_forgotten(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """Ids are kept for twice as long as a message is taken."""
    token = fake_hub.scores(ADA)
    inbox.receive(token)
    fake_hub.now += timedelta(days=3)
    inbox.receive(fake_hub.alive())
    store.compact()
    with pytest.raises(InvalidInputError, match="too old"):
        inbox.receive(token)


def test_another_stream_is_asked_to_come_back(inbox: Inbox, fake_hub: FakeHub) -> None:
    """A new stream may send before its store knows of it; the store loses nothing."""
    with pytest.raises(RetryableError, match="stream"):
        inbox.receive(fake_hub.scores(ADA, stream="another"))
    inbox.store.begin_stream("another")
    inbox.receive(fake_hub.scores(ADA, stream="another"))


def test_what_a_poll_brings_is_sorted(inbox: Inbox, store: ScoreStore, fake_hub: FakeHub) -> None:
    """Good ones are kept together; each bad one has its reason; one under a false name is bad."""
    good, alive = fake_hub.scores(ADA, jti="good"), fake_hub.alive(jti="alive")
    forged = fake_hub.scores([("bob", 2, 900.0)], jti="forged", key=SigningKey.generate())
    misnamed = fake_hub.scores([("bob", 3, 900.0)], jti="its own")
    responses = inbox.receive_all({"good": good, "alive": alive, "forged": forged, "named": misnamed})
    assert responses.accepted == ("good", "alive")
    assert {jti: error.code for jti, error in responses.rejected.items()} == {
        "forged": "invalid_key",
        "named": "invalid_request",
    }
    assert store.state.subject_count == 1


def test_what_the_hub_says_of_a_stream_is_a_sign_of_life(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """Also that it was paused, and why."""
    inbox.receive(fake_hub.sign(EventType.STREAM_UPDATED, StreamUpdated("paused", "we move house"), STREAM))
    assert (store.state.last_message_at, store.state.status) == (fake_hub.now, "paused")
    store.begin_stream("another")
    assert store.state.status == "enabled"


def test_a_verification_event_is_matched_with_its_request(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub, tmp_path: Path
) -> None:
    """SSF 1.0 section 8.1.4: by its state, whichever process requested it; without one it is a heartbeat."""
    event = fake_hub.sign(EventType.VERIFICATION, Verification("xyzzy"), STREAM)
    with pytest.raises(InvalidInputError, match="state") as caught:
        inbox.receive(event)
    assert caught.value.code == "invalid_state"
    with fake_hub.open(tmp_path / "store.sqlite") as other:
        other.expect_verification("xyzzy")
        assert not other.is_verified("xyzzy")
        inbox.receive(fake_hub.alive())
        inbox.receive(event)
        assert other.is_verified("xyzzy")
    inbox.receive(event)
    assert not store.is_verified("another")


def test_events_of_other_profiles_are_set_aside(
    store: ScoreStore, fake_hub: FakeHub, caplog: pytest.LogCaptureFixture
) -> None:
    """Acknowledged, counted and logged by type, without content; a callback that fails receives it again."""
    received: list[OtherEvent] = []

    def fail_once(event: OtherEvent) -> None:
        received.append(event)
        if len(received) == 1:
            raise RetryableError("the database is away")

    inbox = Inbox(store, fake_hub.keys(), on_other_event=fail_once, clock=fake_hub.clock)
    name = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    claims = {"iss": HUB, "aud": [READER], "iat": int(fake_hub.now.timestamp()), "jti": "caep"}
    claims |= {"sub_id": {"format": "email", "email": "ada@example.com"}, "events": {name: {"x": "private"}}}
    token = sign_claims(claims, fake_hub.key, typ=SET_TYP)
    with caplog.at_level("INFO"):
        assert push(inbox, token)[0] == 503
        assert push(inbox, token)[0] == 202
        assert inbox.receive_all({"caep": token}).accepted == ("caep",)
    assert [event.types for event in received] == [(name,)] * 3
    assert json.loads(received[0].claims) == claims
    assert inbox.other_events == {name: 3}
    assert name in caplog.text
    assert not any(word in caplog.text for word in ("ada", "private"))
    assert store.state.last_message_at == fake_hub.now


def test_a_flood_of_event_types_is_counted_together(store: ScoreStore, fake_hub: FakeHub) -> None:
    """The count is bounded, and a name cannot spoil a terminal or a log."""
    inbox = Inbox(store, fake_hub.keys(), clock=fake_hub.clock)
    standard = {"iss": HUB, "aud": READER, "iat": int(fake_hub.now.timestamp())}
    for number in range(120):
        events: dict[str, dict[str, str]] = {f"urn:x:{number}\x1b[31m\n": {}}
        inbox.receive(
            sign_claims({**standard, "jti": str(number), "events": events}, fake_hub.key, typ=SET_TYP)
        )
    assert (len(inbox.other_events), inbox.other_events.total()) == (101, 120)
    assert not any("\x1b" in name or "\n" in name for name in inbox.other_events)


def test_a_message_of_the_future_does_not_hold_up_the_others(
    inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """It is to be sent again, and neither acknowledged nor rejected; what came with it is stored."""
    late = fake_hub.alive(jti="late", now=fake_hub.now + timedelta(hours=1))
    result = inbox.receive_all({"late": late, "ada": fake_hub.scores(ADA, jti="ada")})
    assert (result.accepted, result.rejected) == (("ada",), {})
    assert "behind" in str(result.postponed)
    assert store.points(["ada"])[0] == 612.5


def test_what_the_specification_says_of_streams_is_read(
    shared_data: Path, inbox: Inbox, store: ScoreStore, fake_hub: FakeHub
) -> None:
    """The verification and stream-updated SETs of SSF 1.0 section 8.1, signed by our hub for our stream."""
    lines = (shared_data / "ssf/set_payload_examples.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["json"] for line in lines]
    kinds = {EventType.VERIFICATION: Verification, EventType.STREAM_UPDATED: StreamUpdated}
    about = [claims for claims in events if set(claims["events"]) & {str(kind) for kind in kinds}]
    assert len(about) == 3
    for number, claims in enumerate(about):
        (event,) = claims["events"]
        payload = codec.encode(claims["events"][event])
        assert codec.decode(payload, kinds[EventType(event)])
        ours = {"iss": HUB, "aud": READER, "iat": int(fake_hub.now.timestamp()), "jti": f"j{number}"}
        token = sign_claims(
            {**claims, **ours, "sub_id": {"format": "opaque", "id": STREAM}}, fake_hub.key, typ=SET_TYP
        )
        if state := claims["events"][event].get("state"):
            store.expect_verification(state)
        inbox.receive(token)
    assert (store.state.last_message_at, store.state.status) == (fake_hub.now, "paused")


def push(
    inbox: Inbox, body: bytes, *, method: str = "POST", pieces: int = 1, **headers: str
) -> tuple[int, Any]:
    """What the application answers: status, and body as JSON."""
    fields = {"content-type": "application/secevent+jwt"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    scope = {
        "type": "http",
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
    }
    size = -(-len(body) // pieces) or 1
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    coming = iter(
        {"type": "http.request", "body": part, "more_body": place + 1 < len(parts)}
        for place, part in enumerate(parts)
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(inbox.app(scope, receive, send))
    answer = sent[1]["body"]
    return sent[0]["status"], json.loads(answer) if answer else None


def test_a_push_is_acknowledged_when_it_is_stored(inbox: Inbox, store: ScoreStore, fake_hub: FakeHub) -> None:
    """202 and nothing more (RFC 8935 section 2.2), in however many pieces it came."""
    assert push(inbox, fake_hub.scores(ADA), pieces=7) == (202, None)
    assert store.points(["ada"])[0] == 612.5


def test_a_push_that_will_never_be_taken_says_why(inbox: Inbox, fake_hub: FakeHub) -> None:
    """400 with err and description; another stream's is asked to come back."""
    status, answer = push(inbox, fake_hub.scores(ADA, audience=HUB))
    assert (status, answer["err"]) == (400, "invalid_audience")
    assert push(inbox, fake_hub.alive(stream="another"))[0] == 503


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        pytest.param({"method": "GET"}, 405, id="no POST"),
        pytest.param({"content_type": "application/json"}, 415, id="no token"),
        pytest.param({"content_encoding": "gzip"}, 415, id="packed"),
        pytest.param({"content_length": "9" * 30}, 413, id="says that it is too large"),
        pytest.param({"body": b"x" * (MAX_TOKEN_BYTES + 1), "pieces": 5}, 413, id="is too large"),
    ],
)
def test_what_is_no_push(inbox: Inbox, fake_hub: FakeHub, changed: dict[str, Any], status: int) -> None:
    """Refused before it is read any further."""
    answered, answer = push(inbox, **({"body": fake_hub.alive()} | changed))
    assert answered == status
    assert answer["err"] == "invalid_request"


def test_a_push_shows_its_token_where_one_was_agreed(store: ScoreStore, fake_hub: FakeHub) -> None:
    """401 without it."""
    inbox = Inbox(store, fake_hub.keys(), bearer="abc", clock=fake_hub.clock)
    assert push(inbox, fake_hub.alive())[0] == 401
    assert push(inbox, fake_hub.alive(), authorization="Bearer abd")[0] == 401
    assert push(inbox, fake_hub.alive(), authorization="Bearer abc")[0] == 202
