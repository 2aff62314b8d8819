"""How much a partner may ask: the bucket, the hub that keeps it, and the client that waits for it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError, RateLimitedError
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.database.writer import Task
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.partners.rate_limit import SECOND, Limit
from sesame_sdk.hub.settings import SETTINGS_FILE
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.notices import sign_notices_token
from sesame_sdk.signing.key_rotation import announce
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import BENEFITS, ORDER, Clock, Partner, manifest, new_hub
from tests.hub.process import free_port, serving
from tests.rogue import forging
from tests.rogue.deployment import SET, YESTERDAY

LIMITS = st.builds(Limit, st.integers(1, 10**6), st.integers(1, 10**7))
_NOW, _MICROSECOND = 1_780_315_200 * SECOND, 1_000
#: Nanoseconds that pass, and what is then asked for.
ASKED = st.lists(
    st.tuples(st.integers(0, 10_000_000).map(lambda n: n * _MICROSECOND), st.integers(1, 2000)), max_size=60
)


@given(LIMITS, ASKED)
def test_a_limit_serves_no_more_than_rate_and_burst(limit: Limit, asked: list[tuple[int, int]]) -> None:
    """In all: the burst, the rate for the time that passed, and the last message, which may exceed it."""
    arrival, now, units = 0, _NOW, 0
    for passed, cost in asked:
        now += passed
        served, arrival = limit.serves(arrival, [cost], now)
        units += served * cost
    assert units * SECOND <= limit.burst * SECOND + limit.rate * (now - _NOW) + 2000 * SECOND


@given(LIMITS, ASKED, st.integers(1, 10_000))
def test_the_wait_that_is_asked_for_is_true_to_the_microsecond(
    limit: Limit, asked: list[tuple[int, int]], cost: int
) -> None:
    """After it the partner is served, and a microsecond earlier it is not."""
    arrival, now = 0, _NOW
    for passed, some in asked:
        now += passed
        _, arrival = limit.serves(arrival, [some], now)
    wait = limit.wait(arrival, now) * _MICROSECOND
    assert limit.serves(arrival, [cost], now + wait)[0] == 1
    assert wait == 0 or limit.serves(arrival, [cost], now + wait - _MICROSECOND)[0] == 0


@given(LIMITS, ASKED, st.integers(0, 59))
def test_who_keeps_below_the_rate_is_never_refused(
    limit: Limit, asked: list[tuple[int, int]], ahead: int
) -> None:
    """Also where two machines whose clocks differ take turns, if the burst covers the difference."""
    arrival, now = 0, _NOW
    for place, (passed, _) in enumerate(asked):
        now += max(passed, 1 + SECOND // limit.rate)
        clock = now + (ahead * SECOND if place % 2 == 0 else 0)
        served, arrival = limit.serves(arrival, [1], clock)
        assert served == 1 or limit.burst <= ahead * limit.rate + 1


@given(LIMITS, st.integers(1, 10**18))
def test_a_timestamp_of_a_wrong_clock_is_ignored(limit: Limit, ahead: int) -> None:
    """One further ahead than any debt explains does not lock a partner out."""
    assert limit.serves(limit.latest(_NOW) + ahead, [1], _NOW) == (1, _NOW + limit.interval(1))


@pytest.mark.parametrize(("rate", "burst"), [(-1, 1), (10**6 + 1, 1), (1, 0), (1, 10**9 + 1)])
def test_a_limit_that_is_none_is_rejected(rate: int, burst: int) -> None:
    """Naming the number."""
    with pytest.raises(InvalidInputError, match=r"rate|burst"):
        Limit(rate, burst)


@contextmanager
def _several(path: Path, clock: Clock, hubs: int) -> Iterator[list[Hub]]:
    with ExitStack() as open_ones:
        yield [open_ones.enter_context(Hub.open(path, clock=clock)) for _ in range(hubs)]


def _orders(shop: Partner, name: str, count: int) -> bytes:
    return shop.seal(*(shop.signal("ada", f"{name} {number}") for number in range(count)))


def test_two_hubs_on_one_ledger_share_a_bucket(hub_path: Path, clock: Clock) -> None:
    """Whichever is asked: 20 signals at once, then 10 a second; and the wait that is asked for is enough."""
    with _several(hub_path, clock, 2) as (one, other):
        shop = Partner.join("https://shop.example", one, clock, ORDERS)
        one.add_grants(shop.grants("ada", ORDER))
        one.set_partner_limit(shop.issuer, Limit(10, 20))
        clock.advance(hours=1)
        one.receive(_orders(shop, "a", 10))
        other.receive(_orders(shop, "b", 15))
        for hub in (one, other):
            with pytest.raises(RateLimitedError) as refused:
                hub.receive(_orders(shop, "c", 1))
            assert refused.value.retry_after == 0.6
        clock.advance(seconds=0.6)
        assert shop.read_receipt(other.receive(_orders(shop, "c", 1))).accepted == 1
        with pytest.raises(RateLimitedError):
            one.receive(_orders(shop, "d", 1))


def test_a_group_is_charged_in_its_order_and_the_rest_is_asked_to_wait(shop: Partner, hub: Hub) -> None:
    """Of envelopes that are taken in together those that are paid for are kept, and no others."""
    hub.add_grants(shop.grants("ada", ORDER))
    hub.set_partner_limit(shop.issuer, Limit(1, 25))
    begun, gathered = threading.Event(), threading.Event()

    def wait(_connection: object, _items: object) -> list[bool]:
        begun.set()
        return [gathered.wait(30)]

    blocker = hub.streams.writer.submit(Task(wait, None))
    assert begun.wait(30)
    waiting = [hub.submit(_orders(shop, str(number), 10)) for number in range(8)]
    gathered.set()
    assert blocker.result()
    outcomes = [future.exception() or future.result() for future in waiting]
    assert [isinstance(outcome, RateLimitedError) for outcome in outcomes] == [False] * 3 + [True] * 5
    assert hub.rebuild().signals == 30


def test_what_a_partner_did_not_sign_for_this_hub_is_charged_to_no_partner(shop: Partner, hub: Hub) -> None:
    """Neither a stranger nor another hub of the partner's can use up its rate limit."""
    hub.set_partner_limit(shop.issuer, Limit(1, 10))
    hub.add_grants(shop.grants("ada", ORDER))
    hub.receive(_orders(shop, "limits are known from now on", 1))
    for_another = forging.signed(shop, forging.claims(shop, aud="https://other-hub.example"))
    for _ in range(50):
        for body in (_orders(shop, "a", 9).replace(b".", b".eyJ9", 1), for_another):
            with pytest.raises(InvalidInputError):
                hub.receive(body)
    assert shop.read_receipt(hub.receive(_orders(shop, "a", 9))).accepted == 9
    with pytest.raises(RateLimitedError):
        hub.receive(_orders(shop, "b", 1))


def test_a_refused_envelope_costs_as_much_as_an_accepted_one(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A damaged one, one under a used ``jti``, and one that is refused by the writer alone."""
    hub.set_partner_limit(shop.issuer, Limit(1, 10))
    hub.receive(shop.seal(shop.signal("ada", "first"), jti="used-before"))
    for refused in (
        lambda: _orders(shop, "damaged", 100)[:-9] + b"~",
        lambda: shop.seal(*(shop.signal("ada", f"again {n}") for n in range(100)), jti="used-before"),
    ):
        clock.advance(hours=1)
        with pytest.raises(InvalidInputError):
            hub.receive(refused())
        with pytest.raises(RateLimitedError) as limited:
            hub.receive(_orders(shop, "b", 1))
        assert 80 < (limited.value.retry_after or 0) < 100


def test_reads_and_registrations_are_charged_too(shop: Partner, hub: Hub) -> None:
    """A score read costs as much as a signal sent, and any other request one."""
    hub.set_partner_limit(shop.issuer, Limit(1, 10))
    shop.register(manifest(ORDERS, reads=["retail"]))
    shop.read(*(f"person {number}" for number in range(9)))
    for ask in (
        lambda: shop.read("ada"),
        lambda: shop.register(manifest(ORDERS, reads=["retail"])),
        lambda: hub.stream_management.read(shop.stream_token()),
    ):
        with pytest.raises(RateLimitedError):
            ask()


def _served(call: Callable[[], object]) -> int:
    """How many calls are answered, also with a refusal, before the rate limit."""
    for served in range(10):
        try:
            call()
        except RateLimitedError:
            return served
        except InvalidInputError:
            continue
    return 10


def test_everything_that_a_partner_may_call_spends_the_one_budget(shop: Partner, hub: Hub) -> None:
    """Also what is refused after its signature was verified: an unknown stream, a purpose, a used token."""
    used = shop.read_token()
    hub.read_scores(used, ["p"])
    denied = {"purpose": BENEFITS, "context": "community"}

    def poll_notices() -> None:
        token = sign_notices_token(
            shop.key, issuer=shop.issuer, audience=hub.settings.issuer, now=shop.clock()
        )
        hub.rights.poll(token, PollRequest(ack=("unknown",)))

    calls = {
        "notices": poll_notices,
        "streams": lambda: hub.stream_management.read(shop.stream_token()),
        "an unknown stream": lambda: hub.stream_management.delete(shop.stream_token(), "unknown"),
        "a read without a right": lambda: hub.read_scores(shop.read_token(**denied), ["p"]),
        "a token that was used": lambda: hub.read_scores(used, ["p"]),
        "signals": lambda: hub.receive(_orders(shop, "a", 1)),
        "a damaged envelope": lambda: hub.receive(_orders(shop, "a", 1)[:-9] + b"~"),
        "a registration that is none": lambda: hub.receive(shop.token(EventType.REGISTRATION, {})),
        "a key without a proof": lambda: hub.receive(shop.token(EventType.KEY_ROTATION, {})),
        "a key that is announced twice": lambda: hub.receive(rotation),
    }
    following = SigningKey.generate()
    terms = {"issuer": shop.issuer, "audience": hub.settings.issuer, "overlap": timedelta(days=90)}
    rotation, _ = announce(shop.key, following, now=shop.clock(), **terms)
    for name, call in calls.items():
        hub.set_partner_limit(shop.issuer, Limit(1, 3))
        shop.clock.advance(hours=1)  # type: ignore[attr-defined] # the tests' clock
        used = shop.read_token()
        hub.read_scores(used, ["p"])
        # Two units are left in the database; refused requests are counted by the process.
        assert 2 <= _served(call) <= 3, name


def test_a_limit_that_is_raised_helps_within_a_second(shop: Partner, hub: Hub, clock: Clock) -> None:
    """What was owed is owed still, at the new rate; without any limit nothing is."""
    hub.set_partner_limit(shop.issuer, Limit(1, 1))
    hub.receive(_orders(shop, "a", 1000))
    with pytest.raises(RateLimitedError) as refused:
        hub.receive(_orders(shop, "b", 1))
    assert refused.value.retry_after == 1000.0
    hub.set_partner_limit(shop.issuer, Limit(500, 1))
    clock.advance(seconds=2)
    hub.receive(_orders(shop, "c", 1000))
    with pytest.raises(RateLimitedError):
        hub.receive(_orders(shop, "d", 1))
    hub.set_partner_limit(shop.issuer, Limit(0, 1))
    clock.advance(seconds=1)
    hub.receive(_orders(shop, "d", 1))
    hub.set_partner_limit(shop.issuer, None)
    assert hub.partner_limit(shop.issuer) == Limit(10_000, 1_000_000)


def test_who_is_no_partner_has_no_limit(hub: Hub) -> None:
    """An unknown partner is an error."""
    with pytest.raises(InvalidInputError, match="not a partner"):
        hub.set_partner_limit("https://unknown.example", None)
    with pytest.raises(InvalidInputError, match="not a partner"):
        hub.partner_limit("https://unknown.example")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Hub]]:
    """A hub as a process, where a partner may send 400 signals a second, and 400 at once."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path_factory.mktemp("limits") / "hub", issuer=url)
    with (path / SETTINGS_FILE).open("a", encoding="utf-8") as file:
        file.write("partner_rate = 400\npartner_burst = 400\n")
    with Hub.open(path) as hub, serving(path, port):
        yield url, hub


def _joined(served: tuple[str, Hub], name: str) -> Partner:
    partner = Partner.join(f"https://{name}.example", served[1], timestamps.utc_now, ORDERS)
    people = [grant for n in range(20) for grant in partner.grants(f"{name} {n}", ORDER, given_at=YESTERDAY)]
    served[1].add_grants(people)
    return partner


def _signals(partner: Partner, name: str, count: int) -> list[object]:
    return [partner.signal(f"{name} {n % 20}", f"{name} {n}", at=YESTERDAY) for n in range(count)]


def _client(partner: Partner, url: str, folder: Path, **retries: Any) -> Client:
    transport = Transport(url, retry_policy=RetryPolicy(**retries))
    who = {"issuer": partner.issuer, "hub": url, "signer": partner.key}
    return Client(**who, outbox=folder / "outbox.sqlite", transport=transport)


def _post(url: str, body: bytes) -> requests.Response:
    headers = {"Content-Type": SET, "Accept": SET}
    return requests.post(f"{url}/v1/events", data=body, headers=headers, timeout=30)


def test_of_two_partners_only_the_flooding_one_is_limited(served: tuple[str, Hub]) -> None:
    """It gets 429 with a true Retry-After; the other, with few requests, is never refused meanwhile."""
    url, _ = served
    flooding, quiet = _joined(served, "flood"), _joined(served, "quiet")
    stop = threading.Event()
    refused: list[requests.Response] = []

    def flood(worker: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"flood {worker} {number}"
            signals = [flooding.signal("flood 0", f"{name} {n}", at=YESTERDAY) for n in range(200)]
            answer = _post(url, flooding.seal(*signals))
            if answer.status_code != 202:
                refused.append(answer)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(flood, worker) for worker in range(2)]
        try:
            mine = [_post(url, quiet.seal(signal)) for signal in _signals(quiet, "quiet", 40)]
        finally:
            stop.set()
        for one in running:
            one.result()
    assert {answer.status_code for answer in mine} == {202}
    assert {(answer.status_code, answer.json()["err"]) for answer in refused} == {(429, "too_many")}
    last = _post(url, flooding.seal(*_signals(flooding, "flood", 1)))
    if last.status_code == 429:
        threading.Event().wait(int(last.headers["Retry-After"]))
        last = _post(url, flooding.seal(*_signals(flooding, "flood", 1)))
    assert last.status_code == 202


def test_unsigned_messages_do_not_block_a_partner(served: tuple[str, Hub], tmp_path: Path) -> None:
    """Two who forge a partner's messages without end: its own are delivered meanwhile."""
    url = served[0]
    partner = _joined(served, "forged")
    forged = partner.with_key(SigningKey.generate()).seal(*_signals(partner, "forged", 200))
    stop = threading.Event()

    def forge() -> set[int]:
        answers = set()
        while not stop.is_set():
            answers.add(_post(url, forged).status_code)
        return answers

    with ThreadPoolExecutor(2) as pool, _client(partner, url, tmp_path) as client:
        running = [pool.submit(forge) for _ in range(2)]
        try:
            client.post(_signals(partner, "forged", 300))
            delivered = client.deliver(concurrency=1)
        finally:
            stop.set()
        assert {status for one in running for status in one.result()} == {400}
    assert (delivered.pending, delivered.dead, delivered.accepted) == (0, 0, 300)


def test_a_client_that_is_limited_delivers_all_of_it_once(served: tuple[str, Hub], tmp_path: Path) -> None:
    """It obeys Retry-After in all its threads, and one run empties the outbox."""
    url, hub = served
    partner = _joined(served, "eager")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        threading.Event().wait(seconds)

    with _client(partner, url, tmp_path, sleep=sleep) as client:
        for start in range(0, 2000, 100):
            client.post(_signals(partner, "eager", 2000)[start : start + 100])
        delivered = client.deliver(concurrency=4)
    assert (delivered.pending, delivered.dead, delivered.accepted, delivered.duplicates) == (0, 0, 2000, 0)
    assert waited
    assert hub.rebuild().signals >= 2000
