"""Reads scores from a score store or a mapping, and keeps pools of candidates who are ranked repeatedly.

A score that is unknown, without consent for this purpose, withdrawn, or too old is NaN or None here, and all
of those are treated the same: as average.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Protocol, overload

import numpy as np
from numpy.typing import ArrayLike

from sesame_baihe.score_blend import ScoreAverage, Values, average_scores
from sesame_sdk import InvalidInputError, Score, ScoreStore, SubjectIndex


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


class CandidatePool(Sequence[str]):
    """A sequence of names for `rank`, which then ranks a million of them in a few milliseconds.

    It caches what does not change: that no name is a duplicate, and the position of each in the score store.
    Scores are read for each ranking, and read again when the store was updated.

    Args:
        names: the site's pseudonyms, each once.

    Raises:
        InvalidInputError: a name is a duplicate, or `names` is not a sequence of names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        try:
            self._index = SubjectIndex(self.names)
            if isinstance(names, str) or not self._index.has_unique_subjects():
                raise InvalidInputError("must be names without duplicates", field="candidates")
        except TypeError as error:  # a name that is not text
            raise InvalidInputError("must be names without duplicates", field="candidates") from error
        self._averaged: tuple[Values, tuple[float, float], ScoreAverage] | None = None

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.names[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)  # `Sequence` would index one name at a time

    def __len__(self) -> int:
        return len(self.names)

    def points(self, store: ScoreStore) -> Values:
        """(N,) points of each, NaN for none; the same array until the store is updated."""
        return store.points(self._index)

    def average(self, points: Values, score_range: tuple[float, float]) -> ScoreAverage:
        """See `average_scores`; cached for the last result of `points`."""
        last = self._averaged
        if last is not None and last[0] is points and last[1] == score_range:
            return last[2]
        average = average_scores(points, score_range)
        if not points.flags.writeable:  # a writeable array may change before the next call
            self._averaged = (points, score_range, average)
        return average


Scores = ScoreSource | Mapping[str, Score | float | None]


def read_points(scores: Scores, subjects: Sequence[str]) -> Values:
    """(N,) points of each subject, NaN for none; raise InvalidInputError if a subject has no number."""
    try:
        if isinstance(scores, Mapping):
            points = _look_up(scores, subjects)
        elif isinstance(scores, ScoreStore) and isinstance(subjects, CandidatePool):
            points = subjects.points(scores)
        else:
            points = np.ascontiguousarray(scores.points(subjects), dtype=np.float64)
    except (TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("must return numbers", field="scores") from error
    if points.shape != (len(subjects),):
        raise InvalidInputError("must return one score for each candidate", field="scores")
    return points


def is_stale(scores: Scores) -> bool:
    """Whether the source is stale; a mapping never is."""
    return not isinstance(scores, Mapping) and scores.state.stale


def _look_up(scores: Mapping[str, Score | float | None], subjects: Sequence[str]) -> Values:
    try:  # plain points, the fast way
        return np.fromiter(map(scores.get, subjects, repeat(np.nan)), np.float64, count=len(subjects))
    except TypeError:
        values = map(scores.get, subjects)
        points = (value.points if isinstance(value, Score) else value for value in values)
        return np.array([np.nan if value is None else value for value in points], dtype=np.float64)
