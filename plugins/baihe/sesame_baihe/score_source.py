"""Reads scores from a score store or a mapping.

A score that is unknown, without consent for this purpose, withdrawn, or too old is NaN or None here, and all
of those are treated the same: as average.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from sesame_baihe.candidate_pool import CandidatePool
from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError, Score, ScoreStore


class ScoreSourceState(Protocol):
    """The state of a score source."""

    @property
    def stale(self) -> bool:
        """Whether its last update is too long ago; then it gives no score."""
        ...


class ScoreSource(Protocol):
    """Scores that a hub keeps up to date. A `sesame_sdk.ScoreStore` is one."""

    @property
    def state(self) -> ScoreSourceState:
        """Its state now."""
        ...

    def points(self, subjects: Sequence[str]) -> ArrayLike:
        """(N,) points; NaN where there is no score, no consent, or the source is stale."""
        ...

    def on_removal(self, listener: Callable[[frozenset[str] | None], None], /) -> None:
        """Call `listener` with the subjects that are removed, at once; with None if any may be."""
        ...

    def refresh(self) -> None:
        """Read the updates that another process received."""
        ...


Scores = ScoreSource | Mapping[str, Score | float | None]


def read_points(scores: Scores, subjects: Sequence[str]) -> Values:
    """(N,) points of each subject, NaN for none.

    Raises:
        InvalidInputError: the source does not return a number for each.
    """
    try:
        points = _read(scores, subjects)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("must return numbers", field="scores") from error
    if points.shape != (len(subjects),):
        raise InvalidInputError("must return one score for each candidate", field="scores")
    return points


def is_stale(scores: Scores) -> bool:
    """Whether the source is stale; a mapping never is."""
    return not isinstance(scores, Mapping) and scores.state.stale


def _read(scores: Scores, subjects: Sequence[str]) -> Values:
    if isinstance(scores, Mapping):
        return _look_up(scores, subjects)
    if isinstance(scores, ScoreStore) and isinstance(subjects, CandidatePool):
        return subjects.points(scores)
    return np.ascontiguousarray(scores.points(subjects), dtype=np.float64)


def _look_up(scores: Mapping[str, Score | float | None], subjects: Sequence[str]) -> Values:
    try:  # plain points, the fast way
        return np.fromiter(map(scores.get, subjects, repeat(np.nan)), np.float64, count=len(subjects))
    except TypeError:
        values = map(scores.get, subjects)
        points = (value.points if isinstance(value, Score) else value for value in values)
        return np.array([np.nan if value is None else value for value in points], dtype=np.float64)
