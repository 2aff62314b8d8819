"""Signals into the outbox, and from there to the hub, round by round."""

import gc
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from sesame_retail.summary import Summary
from sesame_sdk import Client, RetryableError, Signal

#: Signals that go into the outbox before it is emptied.
ROUND = 100_000
#: Objects made before Python looks for cycles among them. Orders and signals are in none, and looking at
#: each seven hundred of them took a fifteenth of the time.
_SELDOM = 50_000
#: Seconds after which the thread that makes signals lets the one that writes them go on. Between the
#: statements of a write it must be asked each time, and at Python's five milliseconds an envelope took as
#: long to write as to make: a tenth of the time went in waiting.
_TURN = 0.001


@contextmanager
def in_bulk() -> Iterator[None]:
    """Bulk work of a whole process: garbage is seldom looked for, and threads take short turns."""
    before, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(_SELDOM, *before[1:])
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*before)


def keep(client: Client, signals: Iterable[Signal], make_room: Callable[[], int]) -> int:
    """Put signals into the outbox; how many.

    Args:
        client: the shop's.
        signals: any number.
        make_room: called when the outbox is full; how many envelopes went out of it.

    Raises:
        RetryableError: it is full, and cannot be emptied. What is in it is safe.
    """
    kept = 0
    while True:
        try:
            return kept + client.post(signals).signals
        except RetryableError as full:
            rest = getattr(full, "remaining", None)
            if rest is None or not make_room():
                raise
            kept, signals = kept + full.stored, rest  # type: ignore[attr-defined] # an OutboxFullError


def send(client: Client, signals: Iterable[Signal], summary: Summary) -> str:
    """Keep all signals and deliver them, as far as the hub answers; why some wait, if they do."""
    source, why = iter(signals), ""

    def out() -> int:
        nonlocal why
        gone, why = deliver(client, summary)
        return gone

    while keep(client, islice(source, ROUND), out):
        if not why:
            out()
    return why


def deliver(client: Client, summary: Summary) -> tuple[int, str]:
    """Send what waits: how many envelopes went, and why others still wait."""
    try:
        done = client.deliver()
    except RetryableError as error:
        return 0, str(error)
    for word in ("accepted", "duplicates"):
        summary.sent[word] += getattr(done, word)
    for reason, count in done.dropped.items():
        summary.sent[f"dropped, {reason}"] += count
    if done.dead:
        summary.sent["envelopes refused for good"] += done.dead
    return done.sent + done.dead, done.reason if done.pending else ""
