"""How a figure scales with the work: a table, and a plot of all of them in ``benchmarks/out/``."""

from pathlib import Path

from attrs import frozen
from rich.table import Table

OUT = Path(__file__).parent / "out"


@frozen
class Scaling:
    """One figure at several amounts of work.

    Attributes:
        name: the figure.
        work: what the amounts are of.
        unit: of the figure.
        points: amount of work and figure, smallest first.
    """

    name: str
    work: str
    unit: str
    points: tuple[tuple[float, float], ...]

    def multiples(self) -> list[tuple[float, float]]:
        """Both as multiples of the smallest."""
        (work, figure), *_ = self.points
        return [(some / work, measured / figure) for some, measured in self.points]


def make_table(scalings: list[Scaling]) -> Table:
    """A line a figure, a column for once, twice, four and eight times the work."""
    shown = Table(title="How each figure scales with the work", title_justify="left")
    shown.add_column("figure")
    for times in ("1", "2", "4", "8"):
        shown.add_column(f"{times} x", justify="right")
    shown.add_column("unit")
    for one in scalings:
        by_times = {
            round(times): figure for (times, _), (_, figure) in zip(one.multiples(), one.points, strict=True)
        }
        cells = [f"{by_times[times]:,.3g}" if times in by_times else "" for times in (1, 2, 4, 8)]
        shown.add_row(f"{one.name}\n[dim]1 x: {one.points[0][0]:,.0f} {one.work}[/]", *cells, one.unit)
    return shown


def plot(scalings: list[Scaling], path: Path = OUT / "scaling.svg") -> Path:
    """Each figure as a multiple of its own at the smallest amount of work; the file."""
    from matplotlib.figure import Figure  # half a second to import, and only a plot needs it

    path.parent.mkdir(exist_ok=True)
    figure = Figure(figsize=(9.0, 5.5), layout="constrained")
    axes = figure.subplots()
    for one in scalings:
        work, figures = zip(*one.multiples(), strict=True)
        axes.plot(work, figures, marker="o", label=f"{one.name} ({one.unit})")
    axes.set_xscale("log", base=2)
    axes.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes.set_xlabel("work, as a multiple of the smallest")
    axes.set_ylabel("figure, as a multiple of the first")
    axes.set_ylim(bottom=0.0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path)
    return path
