"""What was acknowledged survives the death of the hub, and sending it again adds nothing."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER, Partner, new_hub
from tests.hub.process import free_port, serving

SET = "application/secevent+jwt"
ENVELOPES, SIGNALS, AT_ONCE, KILL_AFTER = 60, 40, 4, 15


class _Senders:
    """Threads that post envelopes until the hub is gone, and remember what was acknowledged."""

    def __init__(self, url: str, envelopes: list[bytes]) -> None:
        self.acknowledged: dict[int, bytes] = {}
        self.enough = threading.Event()
        self._url = f"{url}/v1/events"
        self._waiting = iter(list(enumerate(envelopes)))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(AT_ONCE)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait for all to end."""
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with requests.Session() as session:
            while (number := self._next()) is not None:
                try:
                    answer = session.post(
                        self._url, data=number[1], headers={"Content-Type": SET, "Accept": SET}, timeout=30
                    )
                except requests.RequestException:  # refused, or cut in the middle of an answer
                    return
                self._note(number[0], answer)

    def _next(self) -> tuple[int, bytes] | None:
        with self._lock:
            return next(self._waiting, None)

    def _note(self, number: int, answer: requests.Response) -> None:
        assert answer.status_code == 202
        with self._lock:
            self.acknowledged[number] = answer.content
            if len(self.acknowledged) >= KILL_AFTER:
                self.enough.set()


@pytest.mark.long
def test_killing_the_hub_loses_nothing_that_it_acknowledged(tmp_path: Path, database: str) -> None:
    """Kill -9 in the middle of ingest; after a restart every receipt is still true, and stays the same."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path / "hub", issuer=url, database=database)
    yesterday = timestamps.utc_now() - timedelta(days=1)
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS)
        people = [f"p{number}" for number in range(50)]
        hub.add_grants(grant for person in people for grant in shop.grants(person, ORDER, given_at=yesterday))
        envelopes = [
            shop.seal(
                *(shop.signal(people[(n * 7 + m) % 50], f"{n}-{m}", at=yesterday) for m in range(SIGNALS))
            )
            for n in range(ENVELOPES)
        ]
    with serving(path, port) as process:
        senders = _Senders(url, envelopes)
        assert senders.enough.wait(60)
        process.kill()
        senders.join()
    assert KILL_AFTER <= len(senders.acknowledged) < ENVELOPES
    with Hub.open(path) as hub:
        kept = hub.rebuild().signals
        assert kept >= SIGNALS * len(senders.acknowledged)
        assert kept % SIGNALS == 0
        for number, receipt in senders.acknowledged.items():
            assert hub.receive(envelopes[number]) == receipt
        assert hub.rebuild().signals == kept
        for envelope in envelopes:
            hub.receive(envelope)
        assert hub.rebuild().signals == SIGNALS * ENVELOPES
