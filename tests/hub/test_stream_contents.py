"""The contents of a stream and their times: the hub's side, in one process."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from sesame_sdk import Direction, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.hub.streams.management import MessageError, PollRequest, VerificationRequest
from sesame_sdk.hub.streams.streams import Delivery, StatusRequest, StreamRequest
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.jwt import SET_TYP, Token
from sesame_sdk.signing.keys import Trust, TrustedKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, NOON, ORDER, POST, Clock, Partner, kind, policy, weighting

CHANGED, WITHDRAWN, ERASED = (
    EventType.SCORES_CHANGED,
    EventType.GRANT_WITHDRAWN,
    EventType.PERSON_ERASED,
)


@frozen
class Reader:
    """A consumer that polls its stream."""

    partner: Partner
    name: str

    def poll(self, *ack: str, **other: Any) -> dict[str, dict[str, Any]]:
        """The claims of what there is now, by ``jti``."""
        asked = PollRequest(**{"returnImmediately": True, "ack": ack} | other)
        hub = self.partner.hub
        keys = Trust({hub.settings.issuer: [TrustedKey(jwk, LONG_AGO) for jwk in hub.jwks()["keys"]]})
        response = hub.stream_management.poll(self.partner.stream_token(), self.name, asked)
        return {
            message.jti: codec.decode(
                Token.parse(message.body)
                .verify(keys, typ=SET_TYP, audience=self.partner.issuer, now=self.partner.clock())
                .claims,
                dict,
            )
            for message in response.messages
        }

    def take(self) -> list[tuple[EventType, str, float | None]]:
        """All that is owed: event, person's pseudonym and points; each message acknowledged."""
        self.partner.hub.streams.rescore_pending()
        events: list[tuple[EventType, str, float | None]] = []
        messages = self.poll()
        while messages:
            for claims in messages.values():
                ((event, payload),) = claims["events"].items()
                about = [(one["sub_id"]["id"], one.get("points")) for one in payload.get("changes", ())]
                if event not in {CHANGED, EventType.VERIFICATION, EventType.STREAM_UPDATED}:
                    about = [(claims["sub_id"]["id"], None)]
                events += [(EventType(event), who, points) for who, points in about]
            messages = self.poll(*messages)
        return events


@pytest.fixture
def reader(hub: Hub, shop: Partner) -> Reader:
    """The shop's own stream of the retail score, with the first sign of life taken."""
    made = hub.stream_management.create(shop.stream_token(), StreamRequest())
    reader = Reader(shop, made["stream_id"])
    assert reader.take() == []
    return reader


@pytest.fixture
def join(hub: Hub, shop: Partner) -> Callable[..., None]:
    """A person agrees to all and buys something."""

    def make(person: str, orders: int = 1, **terms: Any) -> None:
        hub.add_grants(shop.grants(person, ORDER, LATE, reads="retail", **terms))
        shop.send(*(shop.signal(person, f"{person} {number}") for number in range(orders)))

    return make


def test_a_score_is_sent_once_and_again_when_it_changed(
    reader: Reader, shop: Partner, join: Callable[..., None]
) -> None:
    """The same points are not sent again; new points after a purchase are."""
    ada = shop.pseudonym("ada")
    join("ada")
    assert reader.take() == [(CHANGED, ada, 510.0)]
    shop.send(shop.signal("ada", "ada 0"))
    assert reader.take() == []
    shop.send(shop.signal("ada", "another"))
    assert reader.take() == [(CHANGED, ada, 520.0)]


def test_only_people_with_a_grant_to_this_reader_are_sent(reader: Reader, hub: Hub, shop: Partner) -> None:
    """A grant to send alone gives the shop nothing to read."""
    hub.add_grants(shop.grants("bob", ORDER))
    shop.send(shop.signal("bob", "b"))
    assert reader.take() == []


def test_a_withdrawal_is_owed_at_once_and_goes_first(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """Before any scores, without a refresh, and what was on its way about the person never leaves."""
    for person in ("ada", "bob"):
        join(person)
    reader.take()
    for person in ("ada", "bob"):
        shop.send(shop.signal(person, f"{person} again"))
    hub.streams.rescore_pending()
    (before,) = reader.poll().values()
    assert len(before["events"][CHANGED]["changes"]) == 2
    hub.withdraw_grants("ada", shop.issuer, Direction.READ)
    first, second = reader.poll().values()
    assert first["sub_id"] == {"format": "opaque", "id": shop.pseudonym("ada")}
    assert first["events"].keys() == {WITHDRAWN}
    (left,) = second["events"][CHANGED]["changes"]
    assert left["sub_id"]["id"] == shop.pseudonym("bob")
    assert second["jti"] != before["jti"]
    assert left["seq"] < first["events"][WITHDRAWN]["seq"]


def test_a_withdrawal_between_a_poll_and_its_acknowledgement_repeats_the_other_states(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """The message that was read is discarded; the rest of it comes again, with equal numbers."""
    for person in ("ada", "bob"):
        join(person)
    hub.streams.rescore_pending()
    ((jti, read),) = reader.poll().items()
    hub.withdraw_grants("ada", shop.issuer, Direction.READ)
    first, second = (after := reader.poll(jti)).values()
    assert first["events"].keys() == {WITHDRAWN}
    (again,) = second["events"][CHANGED]["changes"]
    assert again in read["events"][CHANGED]["changes"]
    assert reader.poll(*after) == {}


def test_a_message_stays_the_same_until_it_is_acknowledged(
    reader: Reader, hub: Hub, join: Callable[..., None], clock: Clock
) -> None:
    """Byte for byte, also when more comes; after an hour it is signed again, with a new date."""
    join("ada")
    hub.streams.rescore_pending()
    before = reader.poll()
    join("bob")
    hub.streams.rescore_pending()
    assert before.items() <= reader.poll().items()
    clock.advance(minutes=61)
    assert not before.keys() & reader.poll().keys()


def test_a_change_waits_for_the_message_before_it(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """So that a person's states arrive in order, in any worker."""
    join("ada")
    hub.streams.rescore_pending()
    (jti,) = reader.poll()
    shop.send(shop.signal("ada", "another"))
    hub.streams.rescore_pending()
    assert reader.poll().keys() == {jti}
    (later,) = reader.poll(jti).values()
    assert later["events"][CHANGED]["changes"][0]["points"] == 520.0


def test_a_consent_that_ends_by_itself_is_a_withdrawal(
    reader: Reader, shop: Partner, join: Callable[..., None], clock: Clock
) -> None:
    """At its time, although no request came."""
    join("ada", expires_at=NOON + timedelta(hours=2))
    assert reader.take() == [(CHANGED, shop.pseudonym("ada"), 510.0)]
    clock.advance(hours=3)
    assert reader.take() == [(WITHDRAWN, shop.pseudonym("ada"), None)]
    assert reader.take() == []


def test_a_new_consent_after_a_withdrawal_is_sent(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None], clock: Clock
) -> None:
    """With a higher number than all before."""
    join("ada")
    reader.take()
    hub.withdraw_grants("ada", shop.issuer)
    assert reader.take() == [(WITHDRAWN, shop.pseudonym("ada"), None)]
    clock.advance(hours=1)
    join("ada", given_at=clock())
    assert reader.take() == [(CHANGED, shop.pseudonym("ada"), 510.0)]


def test_a_grant_to_send_that_ends_changes_the_score(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """What no longer counts is out of the score; the reader keeps the person."""
    join("ada")
    reader.take()
    hub.withdraw_grants("ada", shop.issuer, Direction.SEND)
    assert reader.take() == [(CHANGED, shop.pseudonym("ada"), None)]


def test_a_day_a_policy_and_a_key_have_everybody_looked_at_again(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None], clock: Clock
) -> None:
    """A purchase fades; another policy weighs otherwise; a revoked key takes the registration with it."""
    join("ada")
    ada = shop.pseudonym("ada")
    reader.take()
    clock.advance(days=30)
    ((event, who, points),) = reader.take()
    assert (event, who) == (CHANGED, ada)
    assert points is not None
    assert 504.9 < points < 505.2
    hub.set_policy(
        policy(
            weighting(ORDERS, weight=20.0),
            weighting(LATES, weight=-7.0, floor=-60.0, cap=0.0, half_life_days=90.0, expires_days=365.0),
            version=2,
        )
    )
    assert reader.take() == [(CHANGED, ada, 520.0)]
    hub.revoke_key(shop.key.kid, NOON - timedelta(days=1), issuer=shop.issuer)
    hub.streams.rescore_pending()
    (listed,) = hub.streams.list_streams()
    assert listed["waiting"] == 1


def test_an_erasure_is_sent_and_then_forgotten(reader: Reader, hub: Hub, join: Callable[..., None]) -> None:
    """The hub keeps the pseudonym until the consumer acknowledges the erasure, and no longer."""
    join("ada")
    reader.take()
    hub.rights.erase("ada")
    (jti,) = (messages := reader.poll())
    assert messages[jti]["events"].keys() == {ERASED}
    assert reader.poll(jti) == {}
    (listed,) = hub.streams.list_streams()
    assert listed["waiting"] == 0


def test_a_refused_message_is_a_dead_letter_until_it_is_redriven(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """With a known code and not the reader's text; the update goes out again in a new message."""
    join("ada")
    hub.streams.rescore_pending()
    (jti,) = reader.poll()
    assert reader.poll(setErrs={jti: MessageError("invalid_key", "not one of yours")}) == {}
    (dead,) = hub.streams.list_dead_letters(reader.name)
    assert (dead.jti, dead.code, dead.reason, dead.signal_count) == (jti, "invalid_key", "", 1)
    assert reader.take() == []
    assert hub.streams.redrive(reader.name) == 1
    assert reader.take() == [(CHANGED, shop.pseudonym("ada"), 510.0)]
    assert hub.streams.list_dead_letters(reader.name) == []


def test_every_score_that_goes_out_is_a_read(reader: Reader, hub: Hub, join: Callable[..., None]) -> None:
    """The person sees it, as any other read."""
    join("ada")
    reader.take()
    assert [(read.partner, read.answered) for read in hub.list_score_reads("ada")] == [
        ("https://shop.example", True)
    ]


@pytest.mark.parametrize("status", ["paused", "disabled"])
def test_a_resumed_stream_sends_withdrawals_first(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None], status: Any
) -> None:
    """Nothing goes out while it is paused; then withdrawals, then scores."""
    for person in ("ada", "bob"):
        join(person)
    reader.take()
    hub.stream_management.set_status(shop.stream_token(), StatusRequest(reader.name, status))
    shop.send(shop.signal("bob", "again"))
    hub.withdraw_grants("ada", shop.issuer)
    assert reader.take() == []
    hub.stream_management.set_status(shop.stream_token(), StatusRequest(reader.name, "enabled"))
    assert reader.take() == [
        (WITHDRAWN, shop.pseudonym("ada"), None),
        (CHANGED, shop.pseudonym("bob"), 520.0),
    ]


def test_an_operator_who_holds_a_stream_says_why(reader: Reader, hub: Hub) -> None:
    """In the one message that a paused stream still sends."""
    hub.streams.set_status(reader.name, "paused", "we move house")
    (claims,) = reader.poll().values()
    assert claims["events"] == {EventType.STREAM_UPDATED: {"status": "paused", "reason": "we move house"}}
    assert claims["sub_id"]["id"] == reader.name


def test_a_sign_of_life_comes_by_itself_and_when_it_is_asked_for(
    reader: Reader, hub: Hub, shop: Partner, clock: Clock
) -> None:
    """After half a minute of silence; the one that was asked for gives back the state."""
    clock.advance(seconds=29)
    assert reader.poll() == {}
    clock.advance(seconds=1)
    ((jti, alive),) = reader.poll().items()
    assert alive["events"] == {EventType.VERIFICATION: {}}  # no "state": null
    assert reader.poll(jti) == {}
    hub.stream_management.request_verification(shop.stream_token(), VerificationRequest(reader.name, "xyzzy"))
    (claims,) = reader.poll().values()
    assert claims["events"] == {EventType.VERIFICATION: {"state": "xyzzy"}}
    with pytest.raises(InvalidInputError) as caught:
        hub.stream_management.request_verification(shop.stream_token(), VerificationRequest(reader.name))
    assert caught.value.code == "too_many"


def test_a_stream_belongs_to_its_reader(reader: Reader, hub: Hub, clock: Clock) -> None:
    """Another one finds nothing under that name, whatever it may read."""
    other = Partner.join("https://other.example", hub, clock, reads=["retail"])
    for ask in (
        lambda: hub.stream_management.poll(other.stream_token(), reader.name, PollRequest()),
        lambda: hub.stream_management.delete(other.stream_token(), reader.name),
        lambda: hub.stream_management.status(other.stream_token(), reader.name),
    ):
        with pytest.raises(InvalidInputError) as caught:
            ask()
        assert caught.value.code == "not_found"
    assert hub.stream_management.read(other.stream_token()) == []


def test_a_second_stream_for_the_same_is_refused(reader: Reader, hub: Hub, shop: Partner) -> None:
    """And there is room for one again once the first is deleted."""
    with pytest.raises(InvalidInputError) as caught:
        hub.stream_management.create(shop.stream_token(), StreamRequest())
    assert caught.value.code == "conflict"
    hub.stream_management.delete(shop.stream_token(), reader.name)
    assert hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"] != reader.name


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        *(
            pytest.param(
                StreamRequest(delivery=Delivery("urn:ietf:rfc:8935", endpoint)),
                "must be on the host of your issuer",
                id=endpoint,
            )
            for endpoint in (
                "https://other.example/inbox",
                "http://shop.example/inbox",
                "https://shop.example@169.254.169.254/",
                "https://shop.example.evil.example/",
                "https://[::1/",
                "none",
            )
        ),
    ],
)
def test_a_wish_that_cannot_be_met(hub: Hub, shop: Partner, wish: StreamRequest, why: str) -> None:
    """The hub pushes to the reader's own host only."""
    with pytest.raises(InvalidInputError, match=why):
        hub.stream_management.create(shop.stream_token(), wish)


def test_a_stream_can_be_changed_and_replaced(reader: Reader, hub: Hub, shop: Partner) -> None:
    """What a change leaves out stays; what a replacement leaves out falls back."""
    push = Delivery("urn:ietf:rfc:8935", "https://shop.example/inbox", "Bearer abc")
    changed = hub.stream_management.update(shop.stream_token(), StreamRequest(reader.name, push), whole=False)
    assert changed["delivery"] == {
        "method": "urn:ietf:rfc:8935",
        "endpoint_url": "https://shop.example/inbox",
    }
    described = hub.stream_management.update(
        shop.stream_token(), StreamRequest(reader.name, description="ours"), whole=False
    )
    assert (described["description"], described["delivery"]) == ("ours", changed["delivery"])
    replaced = hub.stream_management.update(shop.stream_token(), StreamRequest(reader.name), whole=True)
    assert replaced["delivery"]["method"] == "urn:ietf:rfc:8936"
    assert "description" not in replaced


@pytest.mark.parametrize(
    ("requested", "delivered"),
    [
        pytest.param(
            (str(CHANGED), "https://schemas.openid.net/secevent/caep/event-type/session-revoked"),
            [CHANGED],
            id="foreign",
        ),
        pytest.param(
            ("https://schemas.openid.net/secevent/risc/event-type/account-disabled",), [], id="foreign alone"
        ),
        pytest.param((str(WITHDRAWN),), [WITHDRAWN], id="withdrawals alone"),
    ],
)
def test_what_is_delivered_is_what_is_both_requested_and_supported(
    requested: tuple[str, ...],
    delivered: list[str],
    hub: Hub,
    shop: Partner,
    join: Callable[..., None],
) -> None:
    """And withdrawals in any case; scores follow once they are requested."""
    wish = StreamRequest(events_requested=requested)
    described = hub.stream_management.create(shop.stream_token(), wish)
    assert described["events_requested"] == list(requested)
    assert described["events_delivered"] == delivered
    reader, ada = Reader(shop, described["stream_id"]), shop.pseudonym("ada")
    join("ada")
    sent = [(CHANGED, ada, 510.0)]
    assert reader.take() == (sent if CHANGED in delivered else [])
    everything = StreamRequest(reader.name, events_requested=(str(CHANGED),))
    hub.stream_management.update(shop.stream_token(), everything, whole=False)
    assert reader.take() == ([] if CHANGED in delivered else sent)
    nothing = StreamRequest(reader.name, events_requested=("urn:example:other",))
    hub.stream_management.update(shop.stream_token(), nothing, whole=False)
    shop.send(shop.signal("ada", "another"))
    assert reader.take() == []
    hub.withdraw_grants("ada", shop.issuer)
    assert reader.take() == [(WITHDRAWN, ada, None)]


def test_scores_that_wait_are_not_delivered_once_they_are_no_longer_requested(
    reader: Reader, hub: Hub, shop: Partner, join: Callable[..., None]
) -> None:
    """Also those in a message that was fetched and not acknowledged."""
    join("ada")
    hub.streams.rescore_pending()
    assert len(reader.poll()) == 1
    nothing = StreamRequest(reader.name, events_requested=("urn:example:other",))
    hub.stream_management.update(shop.stream_token(), nothing, whole=False)
    assert reader.poll() == {}


def test_a_reader_has_as_many_streams_as_the_operator_allows(hub_path: Path, clock: Clock) -> None:
    """Each adds to the work of every change. One that is deleted makes room for another."""
    with Hub.open(hub_path, clock=clock, settings=evolve(load_settings(hub_path), partner_streams=1)) as hub:
        names, contexts = ("https://shop.example", "https://twin.example"), ("retail", "community")
        shop, twin = (Partner.join(name, hub, clock, ORDERS, reads=contexts) for name in names)
        hub.set_policy(policy(weighting(ORDERS)))
        hub.set_policy(policy(weighting(kind(POST)), context="community"))
        first = _create(shop, "retail")
        with pytest.raises(InvalidInputError, match="a partner may have 1") as refused:
            _create(shop, "community")
        assert (refused.value.code, refused.value.field) == ("conflict", "stream")
        _create(twin, "community")
        hub.stream_management.delete(shop.stream_token(), first)
        _create(shop, "community")
        assert len(hub.streams.list_streams()) == 2


def _create(reader: Partner, context: str) -> str:
    token = reader.stream_token(context=context)
    return str(reader.hub.stream_management.create(token, StreamRequest())["stream_id"])
