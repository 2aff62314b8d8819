"""Where scores come from: a score book, or a plain mapping.

A score that is not known, not agreed to for this purpose, withdrawn, or too old to be believed is NaN
or None here, and all of those count the same: as average.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from sesame_baihe.candidate_pool import Pool
from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError, Score, ScoreStore


class ScoreSourceState(Protocol):
    """How a book is."""

    @property
    def stale(self) -> bool:
        """Whether it is too old to be believed; then it gives no score."""
        ...


class Book(Protocol):
    """Scores that a hub keeps up to date. A `sesame_sdk.ScoreBook` is one."""

    @property
    def state(self) -> ScoreSourceState:
        """How it is now."""
        ...

    def points(self, subjects: Sequence[str]) -> ArrayLike:
        """(N,) points; NaN where there is no score, no consent, or the book is stale."""
        ...

    def on_removal(self, tell: Callable[[frozenset[str] | None], None]) -> None:
        """Call `tell` with whoever leaves, at once; with None when anybody may have left."""
        ...

    def refresh(self) -> None:
        """See what another process was told."""
        ...


Scores = Book | Mapping[str, Score | float | None]


def points_of(book: Scores, subjects: Sequence[str]) -> Values:
    """(N,) points of each, NaN for none.

    Raises:
        InvalidInputError: the book does not answer for each with a number.
    """
    try:
        points = _answer(book, subjects)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("must give numbers", field="book") from error
    if points.shape != (len(subjects),):
        raise InvalidInputError("must give one score a candidate", field="book")
    return points


def is_stale(book: Scores) -> bool:
    """Whether the book says that it is too old to be believed; a mapping never is."""
    return not isinstance(book, Mapping) and book.state.stale


def _answer(book: Scores, subjects: Sequence[str]) -> Values:
    if isinstance(book, Mapping):
        return _looked_up(book, subjects)
    if isinstance(book, ScoreStore) and isinstance(subjects, Pool):
        return subjects.points(book)
    return _row(book.points(subjects))


def _row(found: ArrayLike) -> Values:
    row: Values = np.ascontiguousarray(found, dtype=np.float64)
    return row


def _looked_up(book: Mapping[str, Score | float | None], subjects: Sequence[str]) -> Values:
    try:  # plain points, the quick way
        return np.fromiter(map(book.get, subjects, repeat(np.nan)), np.float64, count=len(subjects))
    except TypeError:
        found = map(book.get, subjects)
        points = (one.points if isinstance(one, Score) else one for one in found)
        return _row([np.nan if one is None else one for one in points])
