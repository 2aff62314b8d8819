"""Who writes what, so that a person who waits for a score does not wait for a thousand envelopes.

Where the database lets one write at a time, all share one writer, and what a person waits for comes first.
Elsewhere what is quick has a writer of its own.
"""

from typing import Self

from attrs import frozen
from sqlalchemy import Engine

from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.database.writer import Writer
from sesame_sdk.hub.settings import Settings


@frozen
class Writers:
    """The writers of one process.

    Attributes:
        ledger: envelopes, and whatever changes consents, keys, registrations and policies.
        reads: the log of reads, before each is answered.
        streams: messages to consumers.
    """

    ledger: Writer
    reads: Writer
    streams: Writer

    @classmethod
    def from_settings(cls, engine: Engine, settings: Settings) -> Self:
        """Begin to write to a ledger."""
        ledger, reads, streams = (
            Writer(engine, max_queue=settings.max_queue, batch_size=settings.batch_size) if own else None
            for own in (True, *[dialect_of(engine).concurrent_writes] * 2)
        )
        assert ledger is not None  # noqa: S101 - the first is always made
        return cls(ledger, reads or ledger, streams or ledger)

    @property
    def alive(self) -> bool:
        """Whether all take work."""
        return self.ledger.alive and self.reads.alive and self.streams.alive

    def close(self) -> None:
        """Finish what waits, then stop."""
        for writer in (self.streams, self.reads, self.ledger):
            writer.close()
