"""What a registration costs: who waits for it, how large and slow it may be, and who pays."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from threading import Event
from time import thread_time
from typing import ClassVar

import pytest
from attrs import evolve

from sesame_sdk import GuardRefusedError, InvalidInputError, RateLimitedError, RetryableError
from sesame_sdk.constants import MAX_REGISTRATION_BYTES
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners.rate_limit import Limit
from sesame_sdk.hub.partners.registrations import MAX_PLUGINS, check_with_guard
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.finding import Finding
from sesame_sdk.model.manifest import MAX_DECLARATIONS
from sesame_sdk.model.signals import SignalKind
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER, Clock, Partner, kind, manifest, policy, weighting

SLOW = kind("retail.slow.thing")
SECONDS = 0.2


class SlowRule(GuardRule):
    """Takes its time with some kinds: until it may go on, or `SECONDS` of processor time."""

    id: ClassVar[str] = "SLOW-1"
    source: ClassVar[str] = "a test"
    dated: ClassVar[date] = date(2026, 6, 1)

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()

    def check_kind(self, kind: SignalKind) -> Iterable[Finding]:
        """Refuse kinds that are called so, after the work."""
        if "slow" in kind.name:
            self.begun.set()
            assert self.go_on.wait(60)
        if "costly" in kind.name:
            ends = thread_time() + SECONDS
            while thread_time() < ends:
                pass
        return [self.refuse(kind.name, "it is called so", "rename it")] if "refused" in kind.name else []


@pytest.fixture
def rule() -> Iterator[SlowRule]:
    """The rule, which waits for nothing in the end."""
    rule = SlowRule()
    yield rule
    rule.go_on.set()


@pytest.fixture
def hub(hub_path: Path, clock: Clock, rule: SlowRule) -> Iterator[Hub]:
    """A hub with the rule."""
    with Hub.open(hub_path, clock=clock, rules=[rule]) as opened:
        yield opened
        rule.go_on.set()


@pytest.fixture
def checking(shop: Partner, hub: Hub, rule: SlowRule) -> Future[bytes]:
    """A registration of the shop's that the guard has begun to check."""
    future = hub.submit(shop.token(EventType.REGISTRATION, manifest(SLOW, name="sesame-slow")))
    assert rule.begun.wait(60)
    return future


def test_nobody_waits_for_a_registration_that_is_being_checked(
    shop: Partner, hub: Hub, rule: SlowRule, checking: Future[bytes]
) -> None:
    """Envelopes, grants, limits and reads go on meanwhile; then the registration is in force."""
    hub.add_grants(shop.grants("ada", ORDER, reads="retail"))
    assert shop.send(shop.signal("ada", "1")).accepted == 1
    assert shop.read("ada")[0] is not None
    hub.set_partner_limit(shop.issuer, Limit(100, 100))
    assert not checking.done()
    rule.go_on.set()
    assert shop.read_receipt(checking.result(60)).accepted == 0
    assert SLOW.name in hub.list_partners()[0].kinds


def test_a_partner_has_one_registration_in_progress(
    shop: Partner, hub: Hub, rule: SlowRule, checking: Future[bytes], clock: Clock
) -> None:
    """A second one is sent again later; another partner's waits for its turn."""
    with pytest.raises(RateLimitedError, match="another registration") as refused:
        shop.register(manifest(ORDERS, name="sesame-second"))
    assert refused.value.retry_after == 1
    other = Partner("https://other.example", hub, clock)
    hub.add_partner(other.issuer, [other.key.public_jwk], not_before=clock())
    waiting = hub.submit(other.token(EventType.REGISTRATION, manifest(ORDERS)))
    rule.go_on.set()
    for future in (checking, waiting):
        assert future.result(60)
    shop.register(manifest(ORDERS, name="sesame-second"))


def test_a_policy_that_changed_meanwhile_is_not_overlooked(
    shop: Partner, hub: Hub, rule: SlowRule, checking: Future[bytes]
) -> None:
    """The registration is sent again, and then checked beside the new policy."""
    hub.set_policy(policy(weighting(ORDERS), version=2))
    rule.go_on.set()
    with pytest.raises(RetryableError, match="a policy changed"):
        checking.result(60)
    shop.register(manifest(SLOW, name="sesame-slow"))


@pytest.mark.parametrize(
    ("name", "accepted"), [("retail.costly.thing", True), ("retail.costly.refused", False)]
)
def test_a_registration_costs_what_the_guard_takes(
    shop: Partner, hub: Hub, clock: Clock, name: str, accepted: bool
) -> None:
    """Accepted or refused: ten times the time. One that the guard has accepted costs little again."""
    hub.set_partner_limit(shop.issuer, Limit(100, 150))
    costly = manifest(kind(name), name="sesame-costly")
    for attempt in range(2):
        if accepted:
            shop.register(costly)
        else:
            with pytest.raises(GuardRefusedError):
                shop.register(costly)
        if not accepted or attempt == 0:
            with pytest.raises(RateLimitedError) as limited:
                shop.read("ada")
            assert 0.3 < (limited.value.retry_after or 0) < 5
        clock.advance(seconds=60)
    shop.read("ada")


def test_a_registration_has_a_maximum_that_a_real_one_does_not_reach(shop: Partner) -> None:
    """Each of 100 kinds with a title; what is larger is refused before the guard."""
    told = {"title": "Promises to the shop that you kept"}
    kinds = [kind(f"retail.thing.number{number}", **told) for number in range(MAX_DECLARATIONS)]
    assert len(shop.token(EventType.REGISTRATION, manifest(*kinds))) < 0.75 * MAX_REGISTRATION_BYTES
    entry = evolve(kinds[0].entry, reasoning="x " * 100, computed="y " * 100, source="z " * 100)
    large = [evolve(one, name=f"retail.costly.n{n}", proposal=entry) for n, one in enumerate(kinds)]
    started = thread_time()
    with pytest.raises(InvalidInputError, match=r"registration: must be at most 98304 bytes"):
        shop.register(manifest(*large))
    assert thread_time() - started < SECONDS


def test_the_guard_has_a_maximum_of_time(hub: Hub) -> None:
    """It stops between two kinds."""
    with pytest.raises(InvalidInputError, match="kinds: take more than"):
        check_with_guard(
            manifest(kind("retail.costly.a"), kind("retail.costly.b")), hub.streams.guard, (), max_seconds=0.1
        )


def test_the_plugins_of_a_partner_are_counted(shop: Partner) -> None:
    """16, of which one is registered; a newer version of one is no further plugin."""
    for number in range(1, MAX_PLUGINS):
        shop.register(manifest(ORDERS, name=f"sesame-number{number}"))
    with pytest.raises(InvalidInputError, match="name: would be plugin number 17"):
        shop.register(manifest(ORDERS, name="sesame-one-more"))
    shop.register(manifest(ORDERS, name="sesame-number1", version="2.0"))
