"""Uploads a shop's file of orders: whole, or as it grows."""

import time
from collections.abc import Iterator
from pathlib import Path

from sesame_retail.files.order_files import ReadProgress, check_rejects
from sesame_retail.files.tail import FileTail
from sesame_retail.kinds import TENURE
from sesame_retail.model import Order
from sesame_retail.order_store import FILE_NAME, OrderStore
from sesame_retail.provider import Orders
from sesame_sdk import (
    PartnerConfig,
    Pseudonymizer,
    RejectsFile,
    Signal,
    SignalUploader,
    Skipped,
    UploadSummary,
    progress_bar,
)

#: Customers whose last month is remembered, so that it is sent once.
MAX_SUBJECTS = 100_000
#: Lines of a part of a followed file from which on too many rejects stop it: one bad line of ten says little.
MIN_LINES = 100


class OrderSignals:
    """Turns orders into signals, and leaves out a month of a customer that was sent just before."""

    def __init__(self, provider: Orders, pseudonymizer: Pseudonymizer, summary: UploadSummary) -> None:
        self._provider, self._pseudonymizer, self._summary = provider, pseudonymizer, summary
        self._months: dict[str, str] = {}
        self.max_rejects = provider.max_rejects

    def from_events(self, events: Iterator[Order | Skipped] | list[Order]) -> Iterator[Signal | Skipped]:
        """The signals of orders; what is skipped passes through."""
        months, pseudonymizer, make, tenure = (
            self._months,
            self._pseudonymizer,
            self._provider.signals,
            TENURE.name,
        )
        summary = self._summary
        for event in events:
            if isinstance(event, Skipped):
                yield event
                continue
            summary.events += 1
            for item in make(event, pseudonymizer):
                if not isinstance(item, Skipped) and item.kind == tenure:
                    # Several orders in a month make the same signal again and again: the hub counts it once.
                    if months.get(item.subject) == item.id:
                        continue
                    if len(months) >= MAX_SUBJECTS:
                        months.clear()
                    months[item.subject] = item.id
                yield item


def upload_file(
    uploader: SignalUploader, provider: Orders, file: Path, pseudonymizer: Pseudonymizer
) -> UploadSummary:
    """Upload all orders of a file, with a progress bar."""
    signals = OrderSignals(provider, pseudonymizer, uploader.summary)
    with progress_bar("bytes read") as bar:
        progress = ReadProgress(bar)
        return uploader.upload(signals.from_events(progress.count(provider.read(file, watch=progress))))


def follow_file(
    uploader: SignalUploader,
    provider: Orders,
    file: Path,
    shop: PartnerConfig,
    rejects: RejectsFile,
    *,
    idle_timeout: float | None,
    poll_interval: float,
) -> UploadSummary:
    """Upload what is in a file and what is appended to it, until nothing is appended for a time.

    `idle_timeout` is in seconds, or None to follow until interrupted; `poll_interval` is in seconds.

    Raises:
        InvalidInputError: too many lines of a part cannot be read; nothing of it is sent.
    """
    store = OrderStore(shop.path / FILE_NAME)
    tail = FileTail(file, provider.mapping_for(file), store)
    signals = OrderSignals(provider, shop.pseudonymizer, uploader.summary)
    idle = 0.0
    try:
        while True:
            quiet = idle >= 2 * poll_interval or idle_timeout == 0
            step = follow_step(tail, uploader, signals, rejects, quiet=quiet)
            if step is None:
                break
            if step:
                uploader.deliver()
                idle = 0.0
            elif idle_timeout is not None and idle >= (idle_timeout and max(idle_timeout, 2 * poll_interval)):
                break
            else:
                time.sleep(poll_interval)
                idle += poll_interval
    except KeyboardInterrupt:
        uploader.deliver()
    finally:
        store.close()
    return uploader.finish()


def follow_step(
    tail: FileTail,
    uploader: SignalUploader,
    signals: OrderSignals,
    rejects: RejectsFile,
    *,
    quiet: bool,
) -> bool | None:
    """Put the next part of a file into the outbox, its rejects on disk, then its state into the order store.

    Whether there was one; None if the outbox is full and cannot be emptied.
    """
    step = tail.read_step(quiet=quiet)
    if step is None:
        return False
    check_rejects(tail.path, step, signals.max_rejects if step.lines >= MIN_LINES else None)
    if not uploader.store([*step.skipped, *signals.from_events(step.changes.orders)]):
        return None
    rejects.sync()
    tail.commit(step)
    return True
