"""``make bench``: run all benchmarks, or those named, and print a table."""

import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import scaling_plot
from benchmarks.table import BenchmarkResult

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main(names: list[str]) -> int:
    """Print a line for each figure. A missed target does not fail: the machine may be busy."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"unknown benchmark: {', '.join(unknown)}; available: {', '.join(NAMES)}")
    notes = Console(stderr=True)
    rows: list[BenchmarkResult] = []
    for name in names or NAMES:
        with notes.status(f"measuring: {name}"):
            measured = import_module(f"benchmarks.bench_{name}").rows()
        for row in measured:  # the whole run takes an hour, and may be interrupted
            notes.print(f"{row.name}: {row.ratio:.2f}", highlight=False)
        rows += measured
    shown = Console(width=None if sys.stdout.isatty() else 150)
    shown.print(_table(rows))
    if scalings := [row.scaling for row in rows if row.scaling]:
        shown.print(scaling_plot.make_table(scalings))
        notes.print(f"plotted in {scaling_plot.plot(scalings).relative_to(Path.cwd())}")
    return 0


def _table(rows: list[BenchmarkResult]) -> Table:
    table = Table(title="Our figures and their limits, measured in the same run", title_justify="left")
    for name in ("benchmark", "ours", "limit", "unit"):
        table.add_column(name, justify="right" if name in ("ours", "limit") else "left")
    for name in ("ratio", "target", ""):
        table.add_column(name, justify="right")
    for row in rows:
        sign = "≥" if row.better == "higher" else "≤"
        verdict = "[green]met[/]" if row.meets_target else "[red]missed[/]"
        table.add_row(
            f"{row.name}\n[dim]limit: {row.baseline}[/]",
            _figure(row.ours),
            _figure(row.limit),
            row.unit,
            f"{row.ratio:.2f}",
            f"{sign} {row.target:g}",
            verdict,
        )
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
