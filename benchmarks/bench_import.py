"""What `import sesame_sdk` costs a program that starts, beside a library that many start with."""

import subprocess
import sys

from benchmarks.table import BenchmarkResult

_TIMED = "from time import perf_counter; start = perf_counter(); import {}; print(perf_counter() - start)"


def seconds_to_import(module: str) -> float:
    """In a fresh process, without the start of Python itself."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module)], check=True, capture_output=True, text=True, timeout=60
    )
    return float(done.stdout)


def rows(times: int = 15) -> list[BenchmarkResult]:
    """The fastest of several fresh processes, in turns."""
    turns = [(seconds_to_import("sesame_sdk"), seconds_to_import("requests")) for _ in range(times)]
    return [
        BenchmarkResult(
            name="import sesame_sdk",
            ours=min(ours for ours, _ in turns),
            limit=min(limit for _, limit in turns),
            baseline="import requests",
            unit="s",
            target=1.0,
            better="lower",
        )
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name}: {row.ours:.3f} {row.unit}, {row.ratio:.2f} times {row.baseline}")
