"""When a request is sent again, and how long is waited in between. No test waits for real."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import InvalidInputError, RetryableError, SesameError
from sesame_sdk.delivery.http_errors import HttpResponse, parse_retry_after, raise_for_status
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.partner.client import Client
from tests.conftest import NOON
from tests.partner.conftest import Hours
from tests.partner.faults import lose_answer, reset, status
from tests.partner.peer import Peer

Signals = Callable[..., list[object]]


def failing(times: int, *, wait: float | None = None) -> Callable[[], str]:
    """Raises `RetryableError` so many times, then returns."""
    left = iter(range(times))

    def attempt() -> str:
        if next(left, None) is not None:
            raise RetryableError("later", retry_after=wait)
        return "done"

    return attempt


def test_waits_grow_and_end(hours: Hours) -> None:
    """Each wait is twice as long, up to the longest, and the last error comes out."""
    retries = RetryPolicy(
        max_attempts=6,
        min_wait=1,
        max_wait=6,
        max_jitter=0,
        max_seconds=100,
        clock=hours.read,
        sleep=hours.sleep,
    )

    with pytest.raises(RetryableError, match="later"):
        retries.call(failing(9))

    assert hours.slept == [1, 2, 4, 6, 6]


def test_jitter_is_added(hours: Hours) -> None:
    """Two clients that failed together do not come back together."""
    retries = RetryPolicy(max_attempts=5, min_wait=1, max_jitter=0.5, clock=hours.read, sleep=hours.sleep)

    assert retries.call(failing(4)) == "done"

    over = [slept - wait for slept, wait in zip(hours.slept, (1, 2, 4, 8), strict=True)]
    assert all(0 <= each <= 0.5 for each in over)
    assert len(set(over)) > 1


def test_no_attempt_begins_after_the_deadline(hours: Hours) -> None:
    """A wait that would end too late is not begun."""
    retries = RetryPolicy(
        max_attempts=99,
        min_wait=1,
        max_wait=99,
        max_jitter=0,
        max_seconds=10,
        clock=hours.read,
        sleep=hours.sleep,
    )

    with pytest.raises(RetryableError):
        retries.call(failing(99))

    assert hours.slept == [1, 2, 4]


def test_the_longer_wait_wins(hours: Hours) -> None:
    """The server's Retry-After is a minimum, not a maximum."""
    retries = RetryPolicy(
        max_attempts=5, min_wait=1, max_wait=8, max_jitter=0, clock=hours.read, sleep=hours.sleep
    )

    assert retries.call(failing(4, wait=3.0)) == "done"

    assert hours.slept == [3, 3, 4, 8]


def test_what_is_not_retryable_comes_out_at_once(hours: Hours) -> None:
    """A rejection is final."""

    def attempt() -> None:
        raise InvalidInputError("no")

    with pytest.raises(InvalidInputError):
        RetryPolicy(sleep=hours.sleep, clock=hours.read).call(attempt)
    assert hours.slept == []


def test_an_interruption_ends_the_waits_of_all_threads() -> None:
    """A thread that waits a minute is free at once and tries no more; the next run waits as ever."""
    retries = RetryPolicy(max_attempts=99, min_wait=60, max_seconds=6000, max_wait=60, max_jitter=0)
    tried = Event()
    ended: list[Exception] = []

    def attempt() -> None:
        tried.set()
        raise RetryableError("later")

    def wait() -> None:
        try:
            retries.call(attempt)
        except RetryableError as error:
            ended.append(error)

    def interrupted() -> None:
        with retries.interruptible():
            assert tried.wait(10)
            raise KeyboardInterrupt

    thread = Thread(target=wait)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    thread.join(10)

    assert len(ended) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jun 2026 12:00:30 GMT", 30.0),
        ("Monday, 01-Jun-26 12:00:30 GMT", 30.0),
        ("Mon Jun  1 12:00:30 2026", 30.0),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 400, 999_999_999.0),
        ("Mon, 01 Jun 9999999999999999999999 12:00:30 GMT", None),
        ("Mon, 01 Jun 2026 12:00:30 +9999999999999999999999", None),
        ("Mon, 01 Jun 2026 12:00:30 +9900", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """RFC 9110 section 10.2.3, with the three forms of date of section 5.6.7; anything else is no wish."""
    assert parse_retry_after(header, NOON) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_us(header: str) -> None:
    """Whatever the other side writes, the answer is a wait that is not negative, or none."""
    wait = parse_retry_after(header, NOON)

    assert wait is None or wait >= 0


@given(st.integers(300, 599), st.binary(max_size=200))
def test_every_bad_status_is_one_of_our_errors(code: int, body: bytes) -> None:
    """No body makes the reading of a refusal fail in any other way."""
    with pytest.raises(SesameError):
        raise_for_status(HttpResponse(code, {}, body), NOON)


def test_busy_answers_are_heeded(client: Client, peer: Peer, hours: Hours, signals: Signals) -> None:
    """429 with seconds, then 503 with a date; then it goes through."""
    until = (datetime.now(UTC) + timedelta(seconds=40)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    peer.faults.extend([status(429, Retry_After="7"), status(503, Retry_After=until)])
    client.post(signals(3))

    assert client.deliver().accepted == 3
    assert hours.slept[0] == pytest.approx(7, abs=0.01)
    assert 35 < hours.slept[1] <= 40


def test_a_wait_past_the_deadline_leaves_it_pending(
    client: Client, peer: Peer, hours: Hours, signals: Signals
) -> None:
    """A Retry-After of an hour is obeyed: the envelope waits for the next delivery."""
    peer.faults.append(status(503, Retry_After="3600"))
    client.post(signals(3))

    assert client.deliver().pending == 1
    assert hours.slept == []
    assert len(peer.requests) == 1


def test_a_lost_answer_counts_nothing_twice(client: Client, peer: Peer, signals: Signals) -> None:
    """The hub kept the envelope, and its answer never came: the replay gets the same receipt."""
    peer.faults.extend([reset, lose_answer])
    client.post(signals(3))

    done = client.deliver()

    assert (done.accepted, done.duplicates) == (3, 0)
    assert len(peer.requests) == 3
