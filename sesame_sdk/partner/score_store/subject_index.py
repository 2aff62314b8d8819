"""People whom a score book is asked about again and again: hashed once, found once, read when news came."""

from collections.abc import Sequence
from weakref import ref

import numpy as np
from attrs import frozen

from sesame_sdk.partner.score_store.table import Numbers, ScoreTable, Values, hash_subjects


@frozen(eq=False)
class _Found:
    """What was found in some columns when they were of this count and version."""

    columns: "ref[ScoreTable]"
    count: int
    version: int
    rows: Numbers
    points: Values


class SubjectIndex:
    """People to ask a `ScoreBook` about again and again; `ScoreBook.points` takes one in place of names.

    A million names take a second to hash and find, and then nothing until something changes. What it
    remembers is no older than the book: after any change all is read anew, in hundredths of a second.

    Args:
        subjects: our own pseudonyms, any number.
    """

    def __init__(self, subjects: Sequence[str]) -> None:
        self._keys = hash_subjects(subjects)
        self._found: _Found | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def has_unique_subjects(self) -> bool:
        """Whether nobody is named twice."""
        lane = np.sort(self._keys[:, 0])
        if (lane[1:] != lane[:-1]).all():
            return True
        return len(np.unique(self._keys, axis=0)) == len(self._keys)

    def points(self, columns: ScoreTable) -> Values:
        """The points of each; NaN for none. The same array, not to be written to, until something changes."""
        found = self._found
        if found is None or found.columns() is not columns:
            rows = columns.find(self._keys)
        elif found.version == columns.version:
            return found.points
        else:
            rows = found.rows if found.count == columns.count else self._more(found.rows, columns)
        points = columns.points_at(rows)
        points.flags.writeable = False
        # In one go: another thread may read through another book meanwhile.
        self._found = _Found(ref(columns), columns.count, columns.version, rows, points)
        return points

    def _more(self, rows: Numbers, columns: ScoreTable) -> Numbers:
        """With the rows of those who were not here before."""
        missing = np.flatnonzero(rows < 0)
        more = rows.copy()
        more[missing] = columns.find(self._keys[missing])
        return more
