"""A stolen key: once it is revoked, everything is as if the thief had never sent a thing.

Two hubs hear the same, but for what the thief sends, which one of them alone hears. Then the key is
revoked there as here, and from then on the two cannot be distinguished: by scores and their reasons, by
the streams of consumers, by receipts for later messages, or by the rows after a rebuild.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sesame_sdk import InvalidInputError, Manifest, Signal
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.database.tables import stream_subjects
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.model.envelope import DropReason, EventType, Receipt
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import (
    HUB,
    LATE,
    NOON,
    ORDER,
    Clock,
    Partner,
    kind,
    manifest,
    new_hub,
    policy,
    weighting,
)

#: In memory where there is such a folder: many ledgers are made, and none has to outlive a power cut.
_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a new folder of our own is made there
PEOPLE = ("ada", "bob", "cleo")
KEPT = "retail.promise.kept"
PROMISES = kind(KEPT)
_FULL = manifest(ORDERS, LATES, reads=["retail"])
#: What a thief may say that the shop's plugin is, and another plugin that takes a name.
STOLEN = {
    "as it is": _FULL,
    "poorer": manifest(ORDERS),
    "empty": manifest(),
    "richer": manifest(ORDERS, LATES, PROMISES, reads=["retail"]),
    "another plugin": manifest(evolve(PROMISES, observation="order_collected"), name="thief"),
    "another plugin that reads": manifest(reads=["retail"], name="reader"),
}
#: Who, which of a few orders, of what kind.
Deed = tuple[str, int, str]
DEEDS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.integers(0, 1), st.sampled_from((ORDER, LATE))),
    min_size=3,
    max_size=8,
)
SENDING = st.tuples(st.just("send"), st.sampled_from(("shop", "second key", "twin")), DEEDS)
REGISTERING = st.tuples(st.just("register"), st.just("shop"), st.just(None))
THIEVING = st.one_of(
    st.tuples(st.just("steal"), st.sampled_from((0.5, 7.0, 100.0)), DEEDS),
    st.tuples(st.just("claim"), st.sampled_from(sorted(STOLEN)), st.just(None)),
    st.tuples(st.just("replay"), st.integers(0, 9), st.just(None)),
)
#: Each example opens two hubs: to make one smaller by trying takes minutes, and the first says enough.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
LOOKING = st.tuples(st.just("refresh"), st.just(None), st.just(None))
HONEST = st.lists(SENDING, max_size=4)
MEANWHILE = st.lists(st.one_of(SENDING, REGISTERING, THIEVING, THIEVING, LOOKING), min_size=3, max_size=12)


@define
class HubFixture:
    """Two hubs; `keys` of the shop: its first, its second, and the one that is stolen."""

    clock: Clock
    hubs: list[Hub]
    keys: list[SigningKey] = field(factory=lambda: [SigningKey.generate() for _ in range(3)])
    twins_key: SigningKey = field(factory=SigningKey.generate)
    sent: list[bytes] = field(factory=list)
    lost: list[Signal] = field(factory=list)

    def begin(self) -> None:
        """Partners, people and a policy; the shop has a stream of scores."""
        for hub in self.hubs:
            for partner, keys in (("shop", self.keys), ("twin", [self.twins_key])):
                jwks = [key.public_jwk for key in keys]
                hub.add_partner(f"https://{partner}.example", jwks, not_before=NOON)
            late = weighting(LATES, weight=-7.0, floor=-60.0, cap=0.0, half_life_days=9.0, expires_days=90.0)
            hub.set_policy(policy(weighting(ORDERS, half_life_days=30.0, expires_days=365.0), late))
        self.register("shop", _FULL)
        self.register("twin", manifest(ORDERS, LATES, name="twin"))
        for hub in self.hubs:
            shop, twin = self.voice("shop"), self.voice("twin")
            agreed = [shop.grants(person, ORDER, LATE, reads="retail") for person in PEOPLE]
            agreed += [twin.grants(person, ORDER, LATE) for person in PEOPLE]
            hub.add_grants(grant for grants in agreed for grant in grants)
            hub.stream_management.create(self.voice("shop").stream_token(), StreamRequest())

    def voice(self, who: str) -> Partner:
        """A partner as it speaks under one of its keys; the thief has the third of the shop's."""
        keys = dict(zip(("shop", "second key", "thief", "twin"), (*self.keys, self.twins_key), strict=True))
        issuer = "https://twin.example" if who == "twin" else "https://shop.example"
        return Partner(issuer, self.hubs[0], self.clock, keys[who])

    def register(self, who: str, what: Manifest) -> list[Receipt]:
        """A partner registers a plugin."""
        return self.hear(self.voice(who), self.voice(who).token(EventType.REGISTRATION, what))

    def hear(self, voice: Partner, message: bytes) -> list[Receipt]:
        """What both hubs say to a message."""
        self.clock.advance(seconds=1)
        self.sent.append(message)
        return [evolve(voice, hub=hub).read_receipt(hub.receive(message)) for hub in self.hubs]

    def say(self, who: str, deeds: list[Deed]) -> list[Receipt]:
        """A partner sends signals; what one hub drops for want of the kind is noted, to be sent again."""
        voice = self.voice(who)
        signals = [_deed(voice, *deed) for deed in dict.fromkeys(deeds)]
        receipts = self.hear(voice, voice.seal(*signals))
        hidden = {one.id for one in receipts[0].dropped if one.reason is DropReason.KIND_NOT_REGISTERED}
        self.lost += [signal for signal in signals if signal.id in hidden]
        return receipts

    def act(self, what: str, how: Any, deeds: list[Deed] | None) -> None:
        """One of the things that happen before anybody knows of the theft."""
        if what == "send":
            self.say(how, deeds or [])
        elif what == "register":
            self.register("shop", _FULL)
        elif what == "refresh":
            for hub in self.hubs:
                hub.streams.rescore_pending()
        else:
            self.clock.advance(seconds=1)
            # A thief may be refused as anybody, for taking a name that has a meaning.
            with suppress(InvalidInputError):
                self.hubs[0].receive(self._by_the_thief(what, how, deeds or []))

    def _by_the_thief(self, what: str, how: Any, deeds: list[Deed]) -> bytes:
        thief = self.voice("thief")
        if what == "replay":
            return self.sent[how % len(self.sent)]
        if what == "claim":
            return thief.token(EventType.REGISTRATION, STOLEN[how])
        return thief.seal(*(_deed(thief, *deed, value=how) for deed in dict.fromkeys(deeds)))

    def recover(self, since: Any) -> None:
        """The key is revoked, and the shop sends again what the receipts say was dropped."""
        self.clock.advance(minutes=5)
        for hub in self.hubs:
            hub.revoke_key(self.keys[2].kid, since)
        if self.lost:
            self.hear(self.voice("shop"), self.voice("shop").seal(*dict.fromkeys(self.lost)))

    def compare(self) -> None:
        """The two hubs cannot be distinguished."""
        attacked, spared = map(self.seen, self.hubs)
        assert attacked == spared

    def seen(self, hub: Hub) -> dict[str, Any]:
        """All that people, partners and consumers can see of a hub."""
        self.clock.advance(seconds=1)
        hub.streams.rescore_pending()
        shop = evolve(self.voice("shop"), hub=hub)
        return {
            "explained": [hub.explain(person, "retail") for person in PEOPLE],
            "read": shop.read(*PEOPLE),
            "stream_events": _stream_events(hub),
            "partners": hub.list_partners(),
        }


def _deed(voice: Partner, person: str, number: int, of: str, value: float = 1.0) -> Signal:
    return voice.signal(person, f"{person} {number}", of, value)


def _stream_events(hub: Hub) -> dict[str, tuple[float, str, str]]:
    with read_transaction(hub.streams.engine) as connection:
        rows = connection.execute(select(stream_subjects).where(stream_subjects.c.points.is_not(None))).all()
    return {row.subject: (row.points, row.band, row.event) for row in rows}


def _scenario() -> Iterator[HubFixture]:
    with ExitStack() as until_the_end:
        folder, clock = Path(until_the_end.enter_context(TemporaryDirectory(dir=_FOLDER))), Clock()
        paths = [new_hub(folder / str(number), issuer=HUB) for number in range(2)]
        yield HubFixture(clock, [until_the_end.enter_context(Hub.open(path, clock=clock)) for path in paths])


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=15, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(HONEST, MEANWHILE, HONEST, st.booleans())
def test_after_its_revocation_a_stolen_key_leaves_no_trace(
    before: list[Any], meanwhile: list[Any], after: list[Any], used_before: bool
) -> None:
    """Whatever the thief sent, replayed, sent first or registered, and whatever came in between and later."""
    for scenario in _scenario():
        scenario.begin()
        if used_before:  # by its owner, so that what came under it before the theft must stay
            scenario.say("thief", [(person, 0, ORDER) for person in PEOPLE])
        for step in before:
            scenario.act(*step)
        since = scenario.clock.now
        for step in meanwhile:
            scenario.act(*step)
        scenario.recover(since)
        scenario.compare()
        for _, who, deeds in after:
            one, other = scenario.say(who, deeds)
            assert one == other
        one, other = scenario.register("second key", manifest(PROMISES, name="sesame-more"))
        assert one == other
        scenario.compare()
        for hub in scenario.hubs:
            hub.rebuild()
        scenario.compare()


@pytest.fixture
def theft(hub: Hub, shop: Partner, clock: Clock) -> Partner:
    """A thief of a key takes a kind away. The shop repeats one of its signals and corrects another."""
    hub.add_grants([*shop.grants("ada", ORDER, LATE), *shop.grants("bob", ORDER)])
    thief = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [thief.key.public_jwk])
    shop.send(shop.signal("ada", "before"))
    clock.advance(minutes=1)
    thief.send(
        thief.signal("ada", "same"),
        thief.signal("ada", "corrected", value=5.0),
        thief.signal("ada", "x", LATE),
        thief.signal("bob", "y"),
    )
    shop.send(shop.signal("ada", "same"), shop.signal("ada", "corrected"))
    thief.register(manifest(ORDERS))
    shop.send(shop.signal("ada", "late", LATE), shop.signal("ada", "later", LATE))
    clock.advance(minutes=1)
    return thief


def test_what_would_fall_is_what_falls(hub: Hub, theft: Partner) -> None:
    """Counted before, by looking only, and after, by what was done; a second time nothing falls."""
    would = hub.preview_key_revocation(theft.key.kid, NOON)
    assert hub.explain("bob", "retail") is not None
    assert hub.revoke_key(theft.key.kid, NOON) == would
    assert (would.issuer, would.envelopes, would.signals, would.people) == (theft.issuer, 2, 2, 2)
    assert (would.retained, would.registrations, would.dropped) == (1, 1, 2)
    again = hub.revoke_key(theft.key.kid, NOON)
    assert (again.envelopes, again.signals, again.retained, again.registrations) == (0, 0, 0, 0)


def test_when_it_was_received_decides_and_not_what_it_says(hub: Hub, shop: Partner, clock: Clock) -> None:
    """A thief dates messages back to before the theft; they fall all the same."""
    hub.add_grants(shop.grants("ada", ORDER))
    clock.advance(days=1)
    stolen_at = clock.now
    thief = shop.with_key(SigningKey.generate())
    hub.add_partner(shop.issuer, [thief.key.public_jwk], not_before=NOON)
    backdated = evolve(thief, clock=lambda: NOON).seal(thief.signal("ada", "1"))
    hub.receive(backdated)
    assert hub.explain("ada", "retail") is not None
    assert hub.revoke_key(thief.key.kid, stolen_at).signals == 1
    assert hub.explain("ada", "retail") is None


def test_a_thumbprint_is_enough_to_find_the_key(hub: Hub, shop: Partner) -> None:
    """No two partners have a key in common, and an unknown thumbprint is an error."""
    with pytest.raises(InvalidInputError, match="another partner"):
        hub.add_partner("https://other.example", [shop.key.public_jwk])
    for ask in (hub.preview_key_revocation, hub.revoke_key):
        with pytest.raises(InvalidInputError, match="not a key of any partner"):
            ask("nothing", NOON)
