"""Candidates who are ranked again and again, whoever looks: checked once, and found in the book once."""

from collections.abc import Iterable, Sequence
from typing import overload

from sesame_baihe.score_blend import Average, average_of
from sesame_baihe.top_k import Values
from sesame_sdk import InvalidInputError, ScoreStore, SubjectIndex


class Pool(Sequence[str]):
    """What `rank` takes in place of names that it has seen before: a million in a few milliseconds.

    Only what does not change is remembered: that nobody is named twice, and where each stands in the score
    book. Their scores are read for each ranking, and read anew when the book heard something.

    Args:
        names: the site's own pseudonyms, each once.

    Raises:
        InvalidInputError: somebody is named twice, or it is no row of names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        try:
            self._roster = SubjectIndex(self.names)
            if isinstance(names, str) or not self._roster.has_unique_subjects():
                raise InvalidInputError("must be names, none of them twice", field="candidates")
        except TypeError as error:  # from one that is no text
            raise InvalidInputError("must be names, none of them twice", field="candidates") from error
        self._averaged: tuple[Values, tuple[float, float], Average] | None = None

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return self.names[place]

    def __len__(self) -> int:
        return len(self.names)

    def points(self, book: ScoreStore) -> Values:
        """(N,) points of each, NaN for none; the same array until the book hears something."""
        return book.points(self._roster)

    def average(self, points: Values, score_range: tuple[float, float]) -> Average:
        """See `average_of`; not worked out again for what `points` gave the last time.

        Raises:
            InvalidInputError: a score is out of the range, or the range is none.
        """
        last = self._averaged
        if last is not None and last[0] is points and last[1] == score_range:
            return last[2]
        found = average_of(points, score_range)
        if not points.flags.writeable:  # or it may be changed before it comes again
            self._averaged = (points, score_range, found)
        return found
