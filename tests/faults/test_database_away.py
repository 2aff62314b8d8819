"""The database is stopped and started under load, in peace and by a crash."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from attrs import define, field

from tests import postgresql as servers
from tests.faults.conftest import Deployment
from tests.faults.fixture_population import BATCH, PEOPLE
from tests.faults.processes import wait_until
from tests.faults.reader import Reader

ENVELOPES = 40


@define
class _Asker:
    """Reads a score again and again, and counts the answers."""

    reader: Reader
    seen: Counter[int] = field(factory=Counter)
    without_wait: int = 0
    _over: threading.Event = field(factory=threading.Event)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While the block runs."""
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.02):
            answer = self.reader.score(PEOPLE[0])
            self.seen[answer.status_code] += 1
            self.without_wait += answer.status_code == 503 and "Retry-After" not in answer.headers


@pytest.mark.long
def test_the_hub_waits_for_its_database(
    new_deployment: Callable[..., Deployment], postgresql: servers.Server
) -> None:
    """Stopped in peace, then by a crash: 503 and Retry-After meanwhile, not ready, alive; then it goes on."""
    deployment = new_deployment("postgresql")
    sender = deployment.sender(ENVELOPES * BATCH)
    with deployment.serving(workers=2) as hub:
        reader = Reader(hub.url, deployment.population.url, deployment.key)
        reader.subscribe()
        asker = _Asker(Reader(hub.url, deployment.population.url, deployment.key))
        with asker.asking():
            client = sender.begin()
            for turn, how in enumerate((signal.SIGINT, signal.SIGQUIT), 1):
                wait_until(lambda enough=turn * ENVELOPES // 4: sender.sent > enough)  # type: ignore[misc]
                postgresql.stop(how)
                refused = asker.seen[503]
                try:
                    wait_until(lambda: hub.answers() == 503)
                    assert hub.answers("/health/live") == 200
                    wait_until(lambda enough=refused + 3: asker.seen[503] > enough)  # type: ignore[misc]
                    assert client.is_alive()
                    assert sender.sent < ENVELOPES
                finally:
                    postgresql.start()
                wait_until(lambda: hub.answers() == 200)
                answered = asker.seen[200]
                wait_until(lambda enough=answered: asker.seen[200] > enough)  # type: ignore[misc]
            sender.finish(client)
        assert set(asker.seen) == {200, 503}, asker.seen
        assert asker.without_wait == 0
        assert len(hub.pids) == 3
        expected = {
            name: score.points
            for name, score in deployment.population.expected(ENVELOPES * BATCH).scores.items()
        }
        wait_until(lambda: reader.take() or reader.points == expected)
    deployment.check(ENVELOPES * BATCH)
