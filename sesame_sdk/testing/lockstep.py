"""Two hubs, told the same, must answer the same: a Hypothesis state machine that looks for a difference.

Whatever partners, people and operators do in whatever order, after each step both hubs have answered with
the same receipt (but for its signature), the same code, the same findings, and the same scores.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, precondition, rule

from sesame_sdk.errors import Refused, Rejected
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.party import Manifest
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.clock import Clock
from sesame_sdk.testing.hub_stage import HUB, OpenHub
from sesame_sdk.testing.nouns import (
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
from sesame_sdk.testing.partner import Partner, manifest

PEOPLE = ("ada", "bob")
ISSUERS = ("https://shop.example", "https://forum.example")
POLICIES = (PURCHASES, POSTS, policy(weighting(KINDS[0], weight=20.0), version=2))
people, places = st.sampled_from(PEOPLE), st.sampled_from(range(len(ISSUERS)))
kind_names = st.lists(st.sampled_from([kind.name for kind in KINDS]), min_size=1, max_size=3, unique=True)
contexts = st.sampled_from([RETAIL, COMMUNITY])
hours = st.sampled_from([-48, -1, 0, 1, 48])


class Lockstep(RuleBasedStateMachine):
    """Compares two hubs. Inherit it, name how to open them, and hand its ``TestCase`` to pytest."""

    open_hubs: ClassVar[tuple[OpenHub, OpenHub]]
    envelopes: Bundle[tuple[int, bytes]] = Bundle("envelopes")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.open = ExitStack()
        folder = Path(self.open.enter_context(TemporaryDirectory()))
        self.hubs: list[AnyHub] = []
        for number, open_hub in enumerate(type(self).open_hubs):
            self.hubs.append(self.open.enter_context(open_hub(folder / str(number), self.clock)))
        self.keys: list[list[SigningKey]] = []
        for issuer in ISSUERS:
            key = SigningKey.generate()
            for hub in self.hubs:
                hub.add_partner(issuer, [key.public_jwk])
            self.keys.append([key])

    @initialize()
    def begin(self) -> None:
        """Both partners may say everything, and ada lets them: most of what follows needs it."""
        for made in POLICIES[:2]:
            self.load(made)
        for place, context in enumerate((RETAIL, COMMUNITY)):
            self.register(place, 0, list(KINDS), context)
            self.let_send("ada", place, [kind.name for kind in KINDS], -48, None)
            self.let_read("ada", place, context, crossing=True, given=-48)

    def teardown(self) -> None:
        """At the end every score is compared, under keys that nobody revoked; then both are let go."""
        with self.open:
            self.clock.pass_by(minutes=1)
            for place in range(len(ISSUERS)):
                self.add_key(place)
                for context in (RETAIL, COMMUNITY):
                    self.register(place, -1, list(KINDS), context)
                    self.read(place, -1, context)

    def both(self, act: Callable[[AnyHub], Any]) -> Any:  # noqa: ANN401 - what the two agree on
        """Do it at both; they must say the same."""
        one, other = (_said(act, hub) for hub in self.hubs)
        assert one == other
        return one

    def partner(self, place: int, hub: AnyHub, key: int = 0) -> Partner:
        """A partner as it speaks to one of the two."""
        return Partner(ISSUERS[place], hub, HUB, self.clock, self.keys[place][key % len(self.keys[place])])

    def tell(self, place: int, message: bytes) -> None:
        """Send one message to both, and compare what the receipts say."""
        self.both(lambda hub: self.partner(place, hub).read_receipt(hub.receive(message)))

    @rule(
        place=places,
        key=st.integers(0, 2),
        kinds=st.lists(st.sampled_from(KINDS), unique=True),
        reads=contexts,
    )
    def register(self, place: int, key: int, kinds: list[Any], reads: str) -> None:
        """A partner registers its plugin anew."""
        told: Manifest = manifest(kinds, reading(reads))
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
    def load(self, made: Any) -> None:  # noqa: ANN401 - a Policy
        """The operator loads a policy."""
        self.both(lambda hub: hub.set_policy(made))

    @rule(
        target=envelopes,
        place=places,
        key=st.integers(0, 2),
        jti=st.sampled_from(["a", "b", None]),
        said=st.lists(
            st.tuples(people, st.sampled_from("123"), kind_names, st.sampled_from([-1.0, 0.5, 2.0]), hours),
            min_size=1,
            max_size=6,
        ),
    )
    def send(self, place: int, key: int, jti: str | None, said: list[Any]) -> tuple[int, bytes]:
        """A partner sends an envelope."""
        partner = self.partner(place, self.hubs[0], key)
        signals = [
            partner.signal(person, number, kinds[0], value, at=self.at(hour))
            for person, number, kinds, value, hour in said
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

    @rule(place=places, key=st.integers(0, 2), since=hours)
    def revoke(self, place: int, key: int, since: int) -> None:
        """The operator revokes a key, from some time on."""
        kid = self.partner(place, self.hubs[0], key).key.kid
        self.both(lambda hub: hub.revoke_key(ISSUERS[place], kid, self.at(since)))

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

    def at(self, hour: int) -> Any:  # noqa: ANN401 - a datetime
        """A moment, from now."""
        return self.clock.now + timedelta(hours=hour)


def _said(act: Callable[[AnyHub], Any], hub: AnyHub) -> Any:  # noqa: ANN401 - whatever was said
    """What a hub says: an answer, or its refusal by code and findings; its words are its own."""
    try:
        return "answered", act(hub)
    except Refused as error:
        return "refused", sorted(error.findings, key=str)
    except Rejected as error:
        return "rejected", error.code
