"""Candidates who are ranked repeatedly: checked once, and found in the score store once."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from sesame_baihe.score_blend import ScoreAverage, average_scores
from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError, ScoreStore, SubjectIndex


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
