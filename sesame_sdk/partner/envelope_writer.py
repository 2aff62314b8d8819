"""Signals into the outbox, an envelope at a time: one is written to disk while the next one is sealed.

Sealing wants the processor and writing waits for the disk, so that neither waits for the other. Envelopes
are written in their order, and none before the one ahead of it is on disk.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice

from attrs import frozen

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.delivery.messages import OutboxFullError
from sesame_sdk.model.signals import Signal

Batch = tuple[Signal, ...]
#: Puts a sealed envelope on disk.
Write = Callable[[], None]


@frozen
class PostResult:
    """What a call of `Client.post` put into the outbox."""

    envelopes: int
    signals: int


class EnvelopeWriter:
    """One call of `Client.post`.

    Args:
        signals: any number.
        seal: makes an envelope of some, and gives what writes it.
    """

    def __init__(self, signals: Iterable[Signal], seal: Callable[[Batch], Write]) -> None:
        self._source, self._seal = iter(signals), seal
        self._envelopes = self._kept = 0
        self._under_way: tuple[Batch, Future[None]] | None = None

    def run(self) -> PostResult:
        """Post them all.

        Raises:
            OutboxFullError, InvalidInputError: see `Client.post`.
        """
        with ThreadPoolExecutor(1, "sesame-outbox") as writer:  # no thread before there is work for one
            while batch := tuple(islice(self._source, MAX_SIGNALS)):
                write = self._seal(batch)
                self._settle(batch)
                if len(batch) < MAX_SIGNALS and not self._envelopes:
                    self._note(batch, write)
                else:
                    self._under_way = (batch, writer.submit(write))
            self._settle()
        return PostResult(self._envelopes, self._kept)

    def _settle(self, next_one: Batch = ()) -> None:
        """Wait for the envelope that is being written."""
        if self._under_way is not None:
            (batch, written), self._under_way = self._under_way, None
            self._note(batch, written.result, next_one)

    def _note(self, batch: Batch, written: Write, next_one: Batch = ()) -> None:
        try:
            written()
        except OutboxFullError as full:
            full.record_progress(self._kept, chain(batch, next_one, self._source))
            raise
        self._envelopes += 1
        self._kept += len(batch)
