"""What envelopes said of a signal, in the order of the ledger, and which of it stands.

Partner, person and key (see `ids.split_signal_id`) identify a signal. Time, value and kind are what is said
of it. An envelope that says the same as what stands is a duplicate; one that says something else corrects it.

Rules:
    * of the envelopes that count, what the latest says stands, and refers to the first of those that said it
      since something else was said. The order is that of the envelopes' ids in the ledger
    * an envelope does not count if it is void: see `keys.void_envelopes`. Without one that counts, a signal
      refers to the first, and does not count either
    * of one envelope, the last of its disclosures of a signal is what it says

`signals` has what stands, `further_disclosures` all else: a row for each envelope. So if an envelope becomes
void, what stood before stands again.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from sesame_sdk.hub.database.dialects.base import SignalRow
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import envelopes, further_disclosures, signals
from sesame_sdk.hub.database.timestamps import from_micros
from sesame_sdk.hub.partners.keys import void_envelopes
from sesame_sdk.model.explanation import SignalVersion

#: Person, partner and key of a signal.
SignalKey = tuple[int, int, bytes]
SAME_SIGNAL = and_(
    signals.c.person == further_disclosures.c.person,
    signals.c.partner == further_disclosures.c.partner,
    signals.c.key == further_disclosures.c.key,
)
SAYS_SOMETHING_ELSE = and_(
    SAME_SIGNAL,
    or_(
        *(
            signals.c[name] != further_disclosures.c[name]
            for name in ("kind", "value", "occurred_at", "id_time")
        )
    ),
)


@frozen
class EnvelopeInfo:
    """What the ledger has of an envelope: its ``jti``, its key, when it came, and whether it is void."""

    jti: str
    kid: str
    received_at: datetime
    void: bool


@frozen
class Version:
    """What an envelope says of a signal, and whether the envelope counts."""

    row: SignalRow
    counts: bool = True

    @property
    def envelope(self) -> int:
        """The envelope's id."""
        return self.row[6]

    def says_as(self, other: "Version") -> bool:
        """Whether kind, value and times are the same."""
        one, two = self.row, other.row
        return one[3:6] == two[3:6] and one[7] == two[7]


def find_standing(versions: Sequence[Version]) -> Version:
    """The version that stands, of all versions of one signal in the order of the ledger."""
    standing = versions[0]
    for version in versions[1:]:
        if version.counts and not (standing.counts and version.says_as(standing)):
            standing = version
    return standing


def list_standing(versions: Sequence[Version]) -> list[Version]:
    """The versions that stood in their turn, of the envelopes that count; the last one stands."""
    standing: list[Version] = []
    for version in versions:
        if version.counts and not (standing and version.says_as(standing[-1])):
            standing.append(version)
    return standing


def find_corrections(versions: Sequence[Version]) -> dict[int, int]:
    """For each envelope that counts and whose version was corrected, the envelope that corrected it."""
    turns = [version.envelope for version in list_standing(versions)]
    return {
        version.envelope: turns[turn]
        for version in versions
        if version.counts and (turn := bisect_right(turns, version.envelope)) < len(turns)
    }


def is_duplicate(versions: Sequence[Version], envelope: int) -> bool:
    """Whether an envelope says of a signal what another one that counts says too, and adds nothing."""
    version = next((one for one in versions if one.envelope == envelope), None)
    if version is None:
        return False
    if version.counts:
        return version not in list_standing(versions)
    return any(other.counts and other.says_as(version) for other in versions)


def plain_row(row: Row[Any]) -> SignalRow:
    """A row of either table as it is inserted."""
    said = (row.kind, row.value, row.occurred_at, row.envelope, row.id_time)
    return row.person, row.partner, bytes(row.key), *said


def describe_envelopes(connection: Connection, ids: Iterable[int]) -> dict[int, EnvelopeInfo]:
    """The envelopes of these ids that are in the ledger."""
    wanted = is_in(envelopes.c.id, sorted(set(ids)))
    columns = (envelopes.c.id, envelopes.c.jti, envelopes.c.kid, envelopes.c.received_at)
    rows = connection.execute(select(*columns).where(wanted)).all()
    void = set(connection.scalars(select(envelopes.c.id).where(wanted, envelopes.c.id.in_(void_envelopes()))))
    return {
        row.id: EnvelopeInfo(row.jti, row.kid, from_micros(row.received_at), row.id in void) for row in rows
    }


@frozen
class Histories:
    """The versions of some signals by key, in the order of the ledger, and the envelopes that they are of."""

    versions: dict[SignalKey, list[Version]]
    envelopes: dict[int, EnvelopeInfo]

    def standing_versions(self, key: SignalKey) -> list[SignalVersion]:
        """What stood of a signal in its turn, as a person reads it."""
        return [self._describe(version) for version in list_standing(self.versions[key])]

    def _describe(self, version: Version) -> SignalVersion:
        _, _, _, _, value, occurred_at, envelope, _ = version.row
        info = self.envelopes[envelope]
        return SignalVersion(value, from_micros(occurred_at), info.jti, info.received_at)


def read_histories(connection: Connection, person: int, partner: int, keys: Sequence[bytes]) -> Histories:
    """All versions of a person's signals with these keys at one partner."""
    rows: defaultdict[SignalKey, list[SignalRow]] = defaultdict(list)
    for table in (signals, further_disclosures):
        mine: list[ColumnElement[bool]] = [table.c.person == person, table.c.partner == partner]
        for row in connection.execute(select(table).where(*mine, table.c.key.in_(keys))):
            plain = plain_row(row)
            rows[plain[:3]].append(plain)
    known = describe_envelopes(connection, (row[6] for some in rows.values() for row in some))
    return Histories({key: order_versions(some, known) for key, some in rows.items()}, known)


def order_versions(rows: Iterable[SignalRow], known: dict[int, EnvelopeInfo]) -> list[Version]:
    """Versions of one signal in the order of the ledger. An envelope that is not `known` does not count."""
    ordered = sorted(rows, key=lambda row: row[6])
    return [Version(row, row[6] in known and not known[row[6]].void) for row in ordered]
