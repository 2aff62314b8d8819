"""A figure: a picture, its summary, and the table of the same numbers."""

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.report.charts.svg import Content, frame


@frozen
class Table:
    """Rows of text; the first cell of each is its header.

    Attributes:
        caption: what the table holds.
        head: names of the columns.
        rows: as many cells each as there are columns.
        text_columns: number of columns with text, from the first on; the others hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


@frozen
class Figure:
    """A chart of the page.

    Attributes:
        id: unique on the page, and the start of every id within the picture.
        title: a heading of a few words.
        summary: what the picture shows, in a sentence; screen readers read it out.
        legend: how to read it.
        picture: the SVG.
        table: the same numbers.
    """

    id: str
    title: str
    summary: str
    legend: str
    picture: Markup
    table: Table


def make_figure(
    id_: str, title: str, summary: str, legend: str, height: float, shapes: tuple[Content, ...], table: Table
) -> Figure:
    """Make a figure of shapes."""
    return Figure(id_, title, summary, legend, frame(id_, title, summary, height, *shapes), table)
