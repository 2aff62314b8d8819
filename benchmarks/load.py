"""A shop that sends so many signals a second, until it is stopped: the load for other measurements."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import requests

from benchmarks import fixture_hub
from benchmarks.fixture_hub import SHOP, FixtureHub
from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.keys import SigningKey

_AT_ONCE = 8


def main(url: str, key: Path, rate: float, first: int, people: int) -> None:
    """Send envelopes of a thousand, each at its time; late ones are not made up for all at once."""
    hub = FixtureHub(Path(), url, SigningKey.load(key), fixture_hub.subjects(people))
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=_AT_ONCE))
    pause, due = MAX_SIGNALS / rate, time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while True:
            some = fixture_hub.make_signals(hub, first, first + MAX_SIGNALS)
            token = seal(some, hub.key, issuer=SHOP, audience=url, now=datetime.now(UTC))
            pool.submit(_send, session, url, token)
            first += MAX_SIGNALS
            due = max(due + pause, time.monotonic() - pause)
            time.sleep(max(0.0, due - time.monotonic()))


def _send(session: requests.Session, url: str, token: bytes) -> None:
    headers = {"Content-Type": "application/secevent+jwt"}
    session.post(f"{url}/v1/events", data=token, headers=headers, timeout=60).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
