"""What ``sesame retail post`` does: try a file out, post it, or follow it as it grows."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from attrs import frozen

from sesame_retail.files.tail import FileTail
from sesame_retail.progress import Bar, bar
from sesame_retail.provider import Orders
from sesame_retail.rejects import Rejects
from sesame_retail.sending import deliver, in_bulk, keep, send
from sesame_retail.summary import Summary
from sesame_retail.webhooks.order_store import NAME, Book
from sesame_sdk import Client, PartnerConfig, Signal

SHOWN = 10


@frozen
class Job:
    """A file, and what is made of it.

    Attributes:
        provider: reads it.
        file: where it is.
        summary: counts.
        rejects: takes what cannot be read.
    """

    provider: Orders
    file: Path
    summary: Summary
    rejects: Rejects

    def try_out(self) -> list[Signal]:
        """Make all signals, send none; the first of them."""
        with bar("making") as drawn, in_bulk():
            signals = self._signals(drawn)
            first = list(islice(signals, SHOWN))
            for _ in signals:
                pass
        return first

    def post(self, client: Client) -> str:
        """Send all; why some wait, if they do."""
        with bar("sending") as drawn, in_bulk():
            return send(client, self._signals(drawn), self.summary)

    def follow(self, client: Client, shop: PartnerConfig, *, idle: float | None, every: float) -> str:
        """Send what is there and what comes, until nothing has come for `idle` seconds; why some wait.

        Args:
            client: the shop's.
            shop: its folder, in which the book is.
            idle: None for ever.
            every: seconds between looks.
        """
        book = Book(shop.path / NAME)
        follower = FileTail(self.file, self.provider.mapping_for(self.file), book, self.rejects.add)
        still, why = 0.0, ""
        try:
            while True:
                if advance(follower, client, self.summary, quiet=still >= 2 * every or idle == 0):
                    why, still = deliver(client, self.summary)[1], 0.0
                elif idle is not None and still >= max(idle, 2 * every if idle else 0):
                    return why
                else:
                    time.sleep(every)
                    still += every
        except KeyboardInterrupt:
            return deliver(client, self.summary)[1]
        finally:
            book.close()

    def _signals(self, drawn: Bar) -> Iterator[Signal]:
        events = self.provider.read(self.file, reject=self.rejects.add, watch=drawn)
        return self.summary.signals(drawn.passing(events))


def advance(follower: FileTail, client: Client, summary: Summary, *, quiet: bool) -> bool:
    """One step of a feed: into the outbox, then into the book. Whether there was one."""
    step = follower.step(quiet=quiet)
    if step is None:
        return False
    for item in step.kept_back:
        summary.hold(item)
    keep(client, summary.signals(step.page.events), lambda: deliver(client, summary)[0])
    follower.done(step)
    return True
