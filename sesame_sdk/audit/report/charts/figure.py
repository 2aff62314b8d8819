"""A figure: a picture, its summary, and the table of the same numbers."""

from attrs import frozen
from markupsafe import Markup

from sesame_sdk.audit.report.charts.svg import Content, frame


@frozen
class Table:
    """Rows of text; the first cell of each is its header. The columns from `text_columns` on hold numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1


@frozen
class Figure:
    """A chart of the page, and the table of the same numbers.

    `id` is unique on the page, and starts every id within the picture. Screen readers read out `summary`;
    `legend` tells how to read the picture.
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
