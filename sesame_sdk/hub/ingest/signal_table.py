"""The table of signals, derived from the ledger so that scores need not open envelopes.

`scoring.signal_history` says what stands of a signal that several envelopes bring. The ledger stores the
disclosure of each, except that of a duplicate under the key of the standing one: nothing depends on it, since
a revocation of this key that reaches the standing one reaches the duplicate too.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby
from typing import Any

from attrs import define, field, frozen
from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Subquery,
    and_,
    bindparam,
    delete,
    insert,
    literal,
    select,
    union,
    union_all,
)

from sesame_sdk.hub.database.dialects.base import ConcurrentWriteError, SignalRow
from sesame_sdk.hub.database.engine import dialect_of, upsert
from sesame_sdk.hub.database.tables import further_disclosures, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.hub.scoring.signal_history import (
    SAME_SIGNAL,
    EnvelopeInfo,
    SignalKey,
    Version,
    describe_envelopes,
    find_standing,
    plain_row,
)
from sesame_sdk.model.signals import Signal

#: Rows read at a time.
_BATCH_SIZE = 10_000
_NAMES = signals.c.keys()
_KEY = ("person", "partner", "key")


def signal_row(signal: Signal, person: int, partner: int, kind: int, envelope: int) -> SignalRow:
    """A row of the table."""
    text = signal.id
    # As `ids.split_signal_id`, without checking again what a `Signal` has checked.
    id_time, key = int(text[:8] + text[9:13], 16), bytes.fromhex(text[14:18] + text[19:23] + text[24:])
    return person, partner, key, kind, signal.value, to_micros(signal.occurred_at), envelope, id_time


def signal_rows(
    of: Iterable[Signal], owners: Mapping[str, int], kinds: Mapping[str, int], partner: int, envelope: int
) -> list[SignalRow]:
    """The rows of an envelope's signals; a signal of a subject that `owners` lacks has none."""
    return [
        signal_row(signal, owners[signal.subject], partner, kinds[signal.kind], envelope)
        for signal in of
        if signal.subject in owners
    ]


class MergeOutcome(Enum):
    """What a disclosure is, beside what stands: new, the same, a correction, or one that is not accepted."""

    ACCEPTED = auto()
    DUPLICATE = auto()
    CORRECTED = auto()
    #: It would correct a signal that a dispute excludes from scores.
    DISPUTED = auto()


@frozen
class Merged:
    """The outcome of a disclosure, and whether the ledger stores it."""

    outcome: MergeOutcome
    stored: bool


@frozen
class ContestedSignal:
    """A signal that several envelopes bring: its row, if it has one, and all versions of it."""

    row: SignalRow | None
    versions: tuple[Version, ...]


class SignalView:
    """The table of signals of one ledger."""

    def __init__(self, engine: Engine) -> None:
        self._table = dialect_of(engine).signal_table(engine, signals, further_disclosures)

    def insert(self, connection: Connection, rows: Iterable[SignalRow]) -> int:
        """Add rows of signals that are not there yet, one of each. Returns how many. `merge` if not all."""
        return self._table.insert(connection, rows)

    def find_rows(self, connection: Connection, rows: Sequence[SignalRow]) -> list[SignalRow | None]:
        """The row that the table has for the signal of each of these."""
        return self._table.find_rows(connection, rows)

    def merge(
        self,
        connection: Connection,
        rows: Sequence[SignalRow],
        *,
        counts: bool,
        kid: str | None = None,
        find_disputed: Callable[[set[int]], Collection[SignalKey]] = lambda _: (),
    ) -> list[Merged]:
        """After `insert`, let of each signal stand what the order of the ledger says.

        Args:
            connection: of the transaction.
            rows: all that were to be inserted, of one partner, in the order of the ledger.
            counts: whether their envelopes count.
            kid: the key that signed them, to leave out duplicates under one key; None to store them.
            find_disputed: gives the signals of some persons that may not be corrected.

        Raises:
            ConcurrentWriteError: another worker stored a later envelope; try again.
        """
        present = [row or one for row, one in zip(self.find_rows(connection, rows), rows, strict=True)]
        own = {row[6] for row in rows}
        if any(there[6] > row[6] and there[6] not in own for there, row in zip(present, rows, strict=True)):
            raise ConcurrentWriteError("another worker stored the same signal", retry_after=1)
        changed = [
            row for row, there in zip(rows, present, strict=True) if not Version(row).says_as(Version(there))
        ]
        disputed: Collection[SignalKey] = ()
        if changed:  # a duplicate is one in any order, disputed or not
            self._table.check_order(connection, changed)
            disputed = find_disputed({row[0] for row in changed})
        known = describe_envelopes(connection, {row[6] for row in present} - own)
        contests: dict[SignalKey, _Contest] = {}
        results = []
        for row, there in zip(rows, present, strict=True):
            if (contest := contests.get(row[:3])) is None:
                earlier = [] if there[6] in own else [_version(there, known)]
                contest = contests[row[:3]] = _Contest(there, earlier, kid, row[:3] in disputed)
                contest.has_own_key = bool(earlier) and there[6] in known and known[there[6]].kid == kid
            results.append(contest.add(Version(row, counts)))
        _write(connection, contests.values())
        return results

    def restore(self, connection: Connection, partner: int) -> int:
        """After a key was revoked, let stand what the envelopes that count say. Returns how many count again.

        It reads rows, and no envelopes: a revocation does not depend on what else is in the ledger.
        """
        void = set(connection.scalars(void_envelopes()))
        moves = [
            (Version(signal.row, signal.row[6] not in void), standing)
            for signal in contested_signals(connection, void, _touched(partner))
            if signal.row and (standing := find_standing(signal.versions)).row != signal.row
        ]
        upsert(connection, signals, [_named(standing.row) for _, standing in moves])
        _delete_further(connection, [standing.row for _, standing in moves])
        _insert_further(connection, [before.row for before, _ in moves])
        return sum(standing.counts and not before.counts for before, standing in moves)


@define
class _Contest:
    """What stands of one signal while envelopes are stored.

    Attributes:
        present: the row that the table has.
        versions: what stood before these envelopes, if anything did, and what they say.
        kid: the key that signed these envelopes.
        disputed: whether what stood before may not be corrected.
        has_own_key: whether the envelope of what stood before was signed by `kid`.
    """

    present: SignalRow
    versions: list[Version]
    kid: str | None
    disputed: bool
    has_own_key: bool = False
    _earlier: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._earlier = len(self.versions)

    def add(self, version: Version) -> Merged:
        """Take the next disclosure in the order of the ledger."""
        if not self.versions:
            self.versions.append(version)
            return Merged(MergeOutcome.ACCEPTED, stored=True)
        standing = find_standing(self.versions)
        same = version.says_as(standing)
        if self._earlier and self.disputed and not same:
            return Merged(MergeOutcome.DISPUTED, stored=False)
        if same and standing.envelope != version.envelope and self._is_under_same_key(standing, version):
            return Merged(MergeOutcome.DUPLICATE, stored=False)
        if self.versions[-1].envelope == version.envelope:
            self.versions.pop()
        self.versions.append(version)
        if version.counts and not standing.counts:
            return Merged(MergeOutcome.ACCEPTED, stored=True)
        return Merged(MergeOutcome.DUPLICATE if same else MergeOutcome.CORRECTED, stored=True)

    def _is_under_same_key(self, standing: Version, version: Version) -> bool:
        if self.kid is None or not (standing.counts and version.counts):
            return False
        is_earlier = self._earlier and standing is self.versions[0]
        return self.has_own_key if is_earlier else True


def _version(row: SignalRow, known: Mapping[int, EnvelopeInfo]) -> Version:
    return Version(row, row[6] in known and not known[row[6]].void)


def _write(connection: Connection, contests: Iterable[_Contest]) -> None:
    standing, further = [], []
    for contest in contests:
        final = find_standing(contest.versions)
        if final.row != contest.present:
            standing.append(_named(final.row))
        further += [version.row for version in contest.versions if version is not final]
    upsert(connection, signals, standing)
    _insert_further(connection, further)


def _insert_further(connection: Connection, rows: Sequence[SignalRow]) -> None:
    if rows:
        connection.execute(insert(further_disclosures), [_named(row) for row in rows])


def _delete_further(connection: Connection, rows: Sequence[SignalRow]) -> None:
    if rows:
        names = (*_KEY, "envelope")
        mine = and_(*(further_disclosures.c[name] == bindparam(f"its_{name}") for name in names))
        values = [{f"its_{name}": _named(row)[name] for name in names} for row in rows]
        connection.execute(delete(further_disclosures).where(mine), values)


def _named(row: SignalRow) -> dict[str, Any]:
    return dict(zip(_NAMES, row, strict=True))


def contested_signals(
    connection: Connection, void: Collection[int], which: Subquery | None = None
) -> Iterator[ContestedSignal]:
    """The signals that several envelopes bring, or of these `which`; those of `void` do not count."""
    if which is None:
        which = select(*(further_disclosures.c[name] for name in _KEY)).distinct().subquery()
    parts = [
        select(literal(place).label("place"), table).join(
            which, and_(*(table.c[name] == which.c[name] for name in _KEY))
        )
        for place, table in enumerate((signals, further_disclosures))
    ]
    every = union_all(*parts).subquery()
    query = select(every).order_by(every.c.person, every.c.partner, every.c.key, every.c.envelope)
    with connection.execute(query.execution_options(yield_per=_BATCH_SIZE)) as rows:
        placed = ((row.place, plain_row(row)) for row in rows)
        for _, group in groupby(placed, key=lambda pair: pair[1][:3]):
            pairs = list(group)
            versions = tuple(Version(row, row[6] not in void) for _, row in pairs)
            yield ContestedSignal(next((row for place, row in pairs if place == 0), None), versions)


def _touched(partner: int) -> Subquery:
    """The keys of a partner's signals of which a version is void, and that have several versions."""
    void = void_envelopes()
    one: Select[Any] = select(*(further_disclosures.c[name] for name in _KEY)).where(
        further_disclosures.c.partner == partner, further_disclosures.c.envelope.in_(void)
    )
    other: Select[Any] = (
        select(*(signals.c[name] for name in _KEY))
        .join(further_disclosures, SAME_SIGNAL)
        .where(signals.c.partner == partner, signals.c.envelope.in_(void))
    )
    return union(one, other).subquery()
