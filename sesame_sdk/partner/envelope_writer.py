"""Seals signals in envelopes and stores them in the outbox: one is written while the next one is sealed.

Sealing needs the processor and writing waits for the disk, so both run concurrently. Envelopes are written in
order, each after the one before is on disk.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

from attrs import frozen

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.delivery.messages import OutboxFullError
from sesame_sdk.model.signals import Signal

Batch = tuple[Signal, ...]
#: Writes a sealed envelope to disk.
Write = Callable[[], None]


@frozen
class PostResult:
    """What a call of `Client.post` stored in the outbox."""

    envelopes: int
    signals: int


class EnvelopeWriter:
    """One call of `Client.post`. `seal` seals a batch, and returns a function that writes the envelope."""

    def __init__(self, signals: Iterable[Signal], seal: Callable[[Batch], Write]) -> None:
        self._source, self._seal = iter(signals), seal
        self._envelopes = self._stored = 0
        self._writing: tuple[Batch, Future[None]] | None = None

    def run(self) -> PostResult:
        """Store all of them; raises as `Client.post`."""
        with ThreadPoolExecutor(1, "sesame-outbox") as writer:  # starts no thread before there is work
            while batch := tuple(islice(self._source, MAX_SIGNALS)):
                write = self._seal(batch)
                self._finish_write(batch)
                if len(batch) < MAX_SIGNALS and not self._envelopes:
                    self._record(batch, write)
                else:
                    self._writing = (batch, writer.submit(write))
            self._finish_write()
        return PostResult(self._envelopes, self._stored)

    def _finish_write(self, next_batch: Batch = ()) -> None:
        """Wait for the envelope that is being written."""
        if self._writing is not None:
            (batch, written), self._writing = self._writing, None
            self._record(batch, written.result, next_batch)

    def _record(self, batch: Batch, write: Write, next_batch: Batch = ()) -> None:
        try:
            write()
        except OutboxFullError as full:
            full.record_progress(self._stored, chain(batch, next_batch, self._source))
            raise
        self._envelopes += 1
        self._stored += len(batch)
