"""A benchmark's result: our figure, and a limit measured in the same run."""

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import Literal

from attrs import frozen

from benchmarks.scaling_plot import Scaling


@frozen
class BenchmarkResult:
    """One line of the table.

    Attributes:
        name: of the benchmark.
        ours: our figure, in `unit`.
        limit: the figure that it is compared with, in `unit`.
        baseline: what was measured for the limit.
        unit: ``signals/s`` or ``s``.
        target: the ratio ours/limit that is wanted.
        better: whether a higher or a lower ratio is better.
        scaling: the same figure with less work, if it was measured.
    """

    name: str
    ours: float
    limit: float
    baseline: str
    unit: str
    target: float
    better: Literal["higher", "lower"]
    scaling: Scaling | None = None

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the limit."""
        return self.ours / self.limit

    @property
    def meets_target(self) -> bool:
        """Whether the ratio meets the target."""
        return self.ratio >= self.target if self.better == "higher" else self.ratio <= self.target


def fastest(run: Callable[[], object], *, times: int = 5) -> float:
    """Seconds of the fastest of several runs: the one least disturbed by the rest of the machine."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    return min(seconds)


def interleaved(
    *runs: Callable[[], object], times: int = 25, clock: Callable[[], float] = thread_time
) -> list[float]:
    """Seconds of the fastest run of each, run in turns, so that all meet the same conditions.

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
