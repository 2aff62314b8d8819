"""Two hubs, told the same, must answer the same: a Hypothesis state machine that looks for a difference.

Whatever partners, people and operators do in whatever order, after each step both hubs have answered with
the same receipt (but for its signature), the same code, the same findings, and the same scores.
"""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, multiple, precondition, rule

from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.partner import manifest
from sesame_sdk.testing.sample_data import (
    BENEFITS,
    COMMUNITY,
    KINDS,
    POSTS,
    PURCHASES,
    RETAIL,
    policy,
    reading,
    weighting,
)
from sesame_sdk.testing.two_hubs import ISSUERS, TwoHubs

PEOPLE = ("ada", "bob")
POLICIES = (PURCHASES, POSTS, policy(weighting(KINDS[0], weight=20.0), version=2))
people, places = st.sampled_from(PEOPLE), st.sampled_from(range(len(ISSUERS)))
kinds = st.sampled_from(KINDS)
#: Past, and to come until time passes.
times = st.sampled_from([Clock().now + timedelta(hours=hour) for hour in (-48, -24, 1)])
#: Who, which, of what kind, how much, when.
Saying = tuple[str, str, SignalKind, float, datetime]
#: Few of each, so that the same is often said again, and otherwise.
sayings = st.lists(
    st.tuples(people, st.sampled_from("12"), kinds, st.sampled_from([0.5, 2.0, -1.0]), times),
    min_size=2,
    max_size=8,
)
kind_names = st.lists(st.sampled_from([kind.name for kind in KINDS]), min_size=1, max_size=3, unique=True)
contexts = st.sampled_from([RETAIL, COMMUNITY])
hours = st.sampled_from([-48, -1, 0, 1, 48])


class Lockstep(TwoHubs):
    """Compares two hubs. Inherit it, name how to open them, and hand its ``TestCase`` to pytest."""

    envelopes: Bundle[tuple[int, bytes]] = Bundle("envelopes")

    @initialize()
    def begin(self) -> None:
        """Both partners may say everything, and people let them: most of what follows needs it."""
        for made in POLICIES[:2]:
            self.load(made)
        for place, context in enumerate((RETAIL, COMMUNITY)):
            self.register(place, 0, list(KINDS), context)
            for person in PEOPLE:
                self.let_send(person, place, [kind.name for kind in KINDS], -48, None)
                self.let_read(person, place, context, crossing=person == "ada", given=-48)

    def teardown(self) -> None:
        """At the end every score is compared, under keys that nobody revoked; then both are let go."""
        with self.open:
            self.clock.pass_by(minutes=1)
            for place in range(len(ISSUERS)):
                self.add_key(place)
                for context in (RETAIL, COMMUNITY):
                    self.register(place, -1, list(KINDS), context)
                    self.read(place, -1, context)

    @rule(
        place=places,
        key=st.integers(0, 2),
        kinds=st.lists(kinds, min_size=2, unique=True),
        reads=contexts,
    )
    def register(self, place: int, key: int, kinds: list[SignalKind], reads: str) -> None:
        """A partner registers its plugin anew."""
        told = manifest(kinds, reading(reads))
        self.tell(place, self.partner(place, self.hubs[0], key).token(EventType.REGISTRATION, told))

    @rule(person=people, place=places, kinds=kind_names, given=hours, ends=st.none() | hours)
    def let_send(self, person: str, place: int, kinds: list[str], given: int, ends: int | None) -> None:
        """A person lets a partner send, from some time on and until some time."""
        terms = {"given_at": self.at(given), "expires_at": None if ends is None else self.at(ends)}
        told = self.partner(place, self.hubs[0]).lets_send(person, *kinds, **terms)
        self.both(lambda hub: hub.add_grants([told]))

    @rule(person=people, place=places, context=contexts, crossing=st.booleans(), given=hours)
    def let_read(self, person: str, place: int, context: str, crossing: bool, given: int) -> None:
        """A person lets a partner read, with or without the other context."""
        others = tuple({RETAIL, COMMUNITY} - {context}) if crossing else ()
        terms = {"given_at": self.at(given), "crossings": others}
        told = self.partner(place, self.hubs[0]).lets_read(person, BENEFITS, context, **terms)
        self.both(lambda hub: hub.add_grants([told]))

    @rule(person=people, place=places, direction=st.none() | st.sampled_from(Direction))
    def withdraw(self, person: str, place: int, direction: Direction | None) -> None:
        """A person takes it back."""
        self.both(lambda hub: hub.withdraw(person, ISSUERS[place], direction))

    @rule(made=st.sampled_from(POLICIES))
    def load(self, made: Policy) -> None:
        """The operator loads a policy."""
        self.both(lambda hub: hub.set_policy(made))

    @rule(target=envelopes, place=places, key=st.integers(0, 2), jti=st.sampled_from("ab"), said=sayings)
    def send_as(self, place: int, key: int, jti: str, said: list[Saying]) -> tuple[int, bytes]:
        """A partner sends an envelope under an id that was perhaps used before."""
        return self._send(place, key, jti, said)

    @rule(target=envelopes, place=places, key=st.integers(0, 2), said=sayings)
    def send(self, place: int, key: int, said: list[Saying]) -> tuple[int, bytes]:
        """A partner sends an envelope."""
        return self._send(place, key, None, said)

    @rule(target=envelopes, place=places, said=sayings, more=sayings)
    def send_two(self, place: int, said: list[Saying], more: list[Saying]) -> Any:  # noqa: ANN401 - two of them
        """A partner sends two at once, under its newest key."""
        return multiple(*(self._send(place, -1, None, one) for one in (said, more)))

    def _send(self, place: int, key: int, jti: str | None, said: list[Saying]) -> tuple[int, bytes]:
        partner = self.partner(place, self.hubs[0], key)
        signals = [
            partner.signal(person, number, kind.name, value, at=at)
            for person, number, kind, value, at in said
        ]
        envelope = partner.seal(*signals, jti=jti)
        self.tell(place, envelope)
        return place, envelope

    @rule(target=envelopes, sent=envelopes, strip=st.booleans())
    def send_again(self, sent: tuple[int, bytes], strip: bool) -> Any:  # noqa: ANN401 - no new envelope
        """An envelope comes again, whole or with its last signal withheld."""
        place, envelope = sent
        self.tell(place, b"~".join([*envelope.split(b"~")[:-2], b""]) if strip else envelope)
        return multiple()

    @rule(place=places)
    @precondition(lambda self: min(map(len, self.keys)) < 3)
    def add_key(self, place: int) -> None:
        """A partner gets a further key."""
        key = SigningKey.generate()
        self.keys[place].append(key)
        self.both(lambda hub: hub.add_partner(ISSUERS[place], [key.public_jwk]))

    @rule(place=places, key=st.integers(0, 2), since=st.sampled_from([0, -1, 60]))
    def revoke(self, place: int, key: int, since: int) -> None:
        """The operator revokes a key, from some time on."""
        kid = self.partner(place, self.hubs[0], key).key.kid
        self.both(lambda hub: hub.revoke_key(ISSUERS[place], kid, self.at(since / 60)))

    @rule(minutes=st.sampled_from([1, 90, 60 * 24 * 20]))
    def time_passes(self, minutes: int) -> None:
        """Some of it."""
        self.clock.pass_by(minutes=minutes)

    @rule(place=places, key=st.integers(0, 2), context=contexts)
    def read(self, place: int, key: int, context: str) -> None:
        """A partner reads everybody's score."""
        self.both(
            lambda hub: self.partner(place, hub, key).read(
                *PEOPLE, "nobody", purpose=BENEFITS, context=context
            )
        )
