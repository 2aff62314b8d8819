"""A benchmark's result: our figure beside a limit that was measured in the same run."""

from collections.abc import Callable
from time import perf_counter
from typing import Literal

from attrs import frozen

from benchmarks.growth import Growth


@frozen
class Row:
    """One line of the table.

    Attributes:
        what: what was done.
        ours: our figure, in `unit`.
        limit: the figure that bounds or rivals it, in `unit`.
        against: what the limit is.
        unit: ``signals/s`` or ``s``.
        reach: the ratio ours/limit that we set ourselves.
        better: whether a higher or a lower ratio is better.
        growth: the same figure with less work, if it was measured.
    """

    what: str
    ours: float
    limit: float
    against: str
    unit: str
    reach: float
    better: Literal["higher", "lower"]
    growth: Growth | None = None

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the limit."""
        return self.ours / self.limit

    @property
    def reached(self) -> bool:
        """Whether the ratio is on the right side of `reach`."""
        return self.ratio >= self.reach if self.better == "higher" else self.ratio <= self.reach


def fastest(run: Callable[[], object], *, times: int = 5) -> float:
    """Seconds of the fastest of several runs: the one least disturbed by the rest of the machine."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    return min(seconds)
