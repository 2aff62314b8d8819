"""A cache of the permissions to send that grants give, for ingest.

Ingest needs the consent for every signal, a hundred thousand times a second, and grants seldom change. It
uses the cache inside the transaction that writes, and first compares the version of `grants.GRANTS_CACHE`, so
a withdrawal in any process is effective for the next envelope.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Engine, Select, Text, bindparam, cast, func, literal_column, select

from sesame_sdk.hub.consent.grants import GRANTS_CACHE, version_of
from sesame_sdk.hub.database.dialects.base import JsonFunctions
from sesame_sdk.hub.database.engine import compile_sql, dialect_of
from sesame_sdk.hub.database.tables import grant_kinds, grants, pseudonyms
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction

#: Pseudonyms that one statement looks up.
_MAX_LOOKUP = 5000
#: About 300 bytes each; a cache that grew beyond it is emptied.
_MAX_CACHED = 500_000
_NEVER = 1 << 62
#: Person, kind, when given, when it ends.
_Term = tuple[int, int, int, int]
#: Pseudonym, person, kind, when given, when it expires, when it was withdrawn.
_GrantRow = tuple[str, int, int, int, int | None, int | None]
_decode_rows = codec.decoder(list[_GrantRow]).decode


@frozen
class Permission:
    """What a partner may send now under one pseudonym; `person` is None if it is unknown.

    Valid between two times in microseconds, unless a grant is added or withdrawn; a clock may be set back.
    """

    person: int | None = None
    kinds: frozenset[int] = frozenset()
    since: int = 0
    until: int = _NEVER


_UNKNOWN = Permission()


class GrantCache:
    """Valid grants to send, cached. For the writer's thread only."""

    def __init__(self, engine: Engine) -> None:
        self._look_up = compile_sql(engine, _terms_of_many(dialect_of(engine).json))
        self._mark: int | None = None
        self._since, self._until = 0, _NEVER
        self._known: defaultdict[int, dict[str, Permission]] = defaultdict(dict)

    def permissions(
        self, connection: Connection, partner: int, subjects: Set[str], at: datetime
    ) -> Mapping[str, Permission]:
        """The permission of each subject of a partner now; the mapping may hold more subjects."""
        now = to_micros(at)
        self._drop_outdated(connection, now)
        known = self._known[partner]
        # Not a difference of sets, which would iterate over all that is cached.
        missing = [subject for subject in subjects if subject not in known]
        for start in range(0, len(missing), _MAX_LOOKUP):
            loaded = self._load(connection, partner, missing[start : start + _MAX_LOOKUP], now)
            self._since = max(self._since, *(permission.since for permission in loaded.values()))
            self._until = min(self._until, *(permission.until for permission in loaded.values()))
            known |= loaded
        return known

    def _drop_outdated(self, connection: Connection, now: int) -> None:
        mark = version_of(connection, GRANTS_CACHE)
        count = sum(map(len, self._known.values())) > _MAX_CACHED
        if mark != self._mark or not self._since <= now < self._until or count:
            self._known.clear()
            self._mark, self._since, self._until = mark, 0, _NEVER

    def _load(
        self, connection: Connection, partner: int, subjects: list[str], now: int
    ) -> dict[str, Permission]:
        parameters = (Direction.SEND.value, partner, codec.encode(subjects).decode())
        terms: defaultdict[str, list[_Term]] = defaultdict(list)
        for row in _decode_rows(connection.exec_driver_sql(self._look_up, parameters).scalar_one()):
            subject, person, kind, given_at, expires_at, withdrawn_at = row
            end = min(_NEVER if turn is None else turn for turn in (expires_at, withdrawn_at))
            terms[subject].append((person, kind, given_at, end))
        return {
            subject: _permission(terms[subject], now) if subject in terms else _UNKNOWN
            for subject in subjects
        }


def _terms_of_many(words: JsonFunctions) -> Select[*tuple[Any, ...]]:
    """The grants of many pseudonyms. Placeholders: direction, partner, pseudonyms as JSON.

    The result is one row of JSON: SQLite's driver releases the GIL for each row that it fetches, and has to
    get it back from threads that verify signatures, which took longer than the query.
    """
    elements, array, collect = (getattr(func, word) for word in (words.elements, words.array, words.collect))
    sends = (grants.c.pseudonym == pseudonyms.c.id) & (grants.c.direction == bindparam(None))
    asked = elements(bindparam(None)).table_valued("value")
    row = array(
        *(pseudonyms.c.subject, pseudonyms.c.person, grant_kinds.c.kind),
        *(grants.c.given_at, grants.c.expires_at, grants.c.withdrawn_at),
    )
    return (
        select(func.coalesce(cast(collect(row), Text), literal_column("'[]'")))
        .select_from(pseudonyms)
        .join(grants, sends)
        .join(grant_kinds, grant_kinds.c.grant_id == grants.c.id)
        .where(pseudonyms.c.partner == bindparam(None), pseudonyms.c.subject.in_(select(asked.c.value)))
    )


def _permission(terms: Sequence[_Term], now: int) -> Permission:
    """The permission that one pseudonym's grants give. Grants that begin or end later bound its validity."""
    turns = [turn for _, _, given_at, end in terms for turn in (given_at, end)]
    since = max((turn for turn in turns if turn <= now), default=0)
    until = min((turn for turn in turns if turn > now), default=_NEVER)
    valid = frozenset(kind for _, kind, given_at, end in terms if given_at <= now < end)
    return Permission(terms[0][0], valid, since, until)
