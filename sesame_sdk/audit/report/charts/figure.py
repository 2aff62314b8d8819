"""A figure: a picture, the sentence that it states, and the table of the same numbers."""

from attrs import frozen
from markupsafe import Markup


@frozen
class Table:
    """Rows of text; the first cell of each is its header.

    Attributes:
        caption: what the table holds.
        head: names of the columns.
        rows: as many cells each as there are columns.
        words: how many columns hold words, from the first on; the others hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@frozen
class Figure:
    """One picture of the page.

    Attributes:
        id: unique on the page, and the start of every id within it.
        title: a heading of a few words.
        says: what the picture shows, in a sentence; read out instead of it.
        key: how to read it.
        picture: the SVG.
        table: the same numbers.
    """

    id: str
    title: str
    says: str
    key: str
    picture: Markup
    table: Table
