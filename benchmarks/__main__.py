"""``make bench``: run them all, or those whose names are given, and print the table."""

import sys
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import scaling_plot
from benchmarks.table import Row

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main(names: list[str]) -> int:
    """Print one line a figure. The exit code does not judge: a machine may be busy."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}")
    notes = Console(stderr=True)
    rows: list[Row] = []
    for name in names or NAMES:
        with notes.status(f"measuring: {name}"):
            measured = import_module(f"benchmarks.bench_{name}").rows()
        for row in measured:  # all of it takes an hour, and may be interrupted
            notes.print(f"{row.what}: {row.ratio:.2f}", highlight=False)
        rows += measured
    shown = Console(width=None if sys.stdout.isatty() else 150)
    shown.print(_table(rows))
    if grown := [row.growth for row in rows if row.growth]:
        shown.print(scaling_plot.table(grown))
        notes.print(f"plotted in {scaling_plot.plot(grown).relative_to(Path.cwd())}")
    return 0


def _table(rows: list[Row]) -> Table:
    table = Table(title="Ours beside its limit, both measured in this run", title_justify="left")
    for name in ("what", "ours", "limit", "unit"):
        table.add_column(name, justify="right" if name in ("ours", "limit") else "left")
    for name in ("ratio", "reach", ""):
        table.add_column(name, justify="right")
    for row in rows:
        sign = "≥" if row.better == "higher" else "≤"
        verdict = "[green]reached[/]" if row.reached else "[red]falls short[/]"
        table.add_row(
            f"{row.what}\n[dim]limit: {row.against}[/]",
            _figure(row.ours),
            _figure(row.limit),
            row.unit,
            f"{row.ratio:.2f}",
            f"{sign} {row.reach:g}",
            verdict,
        )
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
