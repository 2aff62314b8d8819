"""A benchmark's result: our figure beside a limit that was measured in the same run."""

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Literal

from attrs import frozen

from benchmarks.scaling_plot import Growth


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


def in_turns(
    *runs: Callable[[], object], times: int = 25, clock: Callable[[], float] = thread_time
) -> list[float]:
    """Seconds of the fastest of each, run one after the other again and again, so that all meet the same.

    Args:
        runs: what is compared.
        times: how often each is run.
        clock: by default the time that this thread had a processor; another program's is not counted.
    """
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(times):
        for run, taken in zip(runs, seconds, strict=True):
            start = clock()
            run()
            taken.append(clock() - start)
    return [min(taken) for taken in seconds]
