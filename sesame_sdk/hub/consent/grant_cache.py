"""Reading grants back: as nouns for people and the guard, and as a cache for the door of signals.

A hub asks for the consent behind every signal, a hundred thousand times a second, and consents
seldom change. The cache is asked inside the writing transaction and compares `grants.GRANTS_CACHE` first,
so a withdrawal, by whatever process, holds for the very next envelope.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from attrs import frozen
from sqlalchemy import (
    Connection,
    Engine,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from sesame_sdk.hub.consent.grants import GRANTS_CACHE
from sesame_sdk.hub.database.dialects.base import JsonFunctions
from sesame_sdk.hub.database.engine import compile_sql, dialect_of
from sesame_sdk.hub.database.tables import (
    cache_versions,
    grant_kinds,
    grants,
    pseudonyms,
)
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction

#: Pseudonyms looked up by one statement, and grants read back.
_MANY = 5000
#: About 300 bytes each; a cache that grew beyond it starts anew.
_MOST_CACHED = 500_000
_NEVER = 1 << 62
#: Person, kind, when given, when it ends.
_Term = tuple[int, int, int, int]
#: Pseudonym, person, kind, when given, when it expires, when it was withdrawn.
_Told = tuple[str, int, int, int, int | None, int | None]
_read_told = codec.decoder(list[_Told]).decode


@frozen
class Permission:
    """What one pseudonym's person lets the partner send now.

    Attributes:
        person: whose it is; None if nobody's.
        kinds: numbers of the kinds that may come in.
        since: microseconds; from then on it is so: a clock that is set back may come before it.
        until: the same; until then it stays so, unless a grant is added or withdrawn.
    """

    person: int | None = None
    kinds: frozenset[int] = frozenset()
    since: int = 0
    until: int = _NEVER


_NOBODY = Permission()


class GrantCache:
    """Standing grants to send, cached. For the writer's thread alone.

    Args:
        engine: of the ledger.
    """

    def __init__(self, engine: Engine) -> None:
        self._look_up = compile_sql(engine, _terms_of_many(dialect_of(engine).json))
        self._mark: int | None = None
        self._since, self._until = 0, _NEVER
        self._known: defaultdict[int, dict[str, Permission]] = defaultdict(dict)

    def permissions(
        self, connection: Connection, partner: int, subjects: Set[str], at: datetime
    ) -> Mapping[str, Permission]:
        """The standing of each subject of a partner at this moment, among others that are known."""
        now = to_micros(at)
        self._forget_what_changed(connection, now)
        known = self._known[partner]
        # Not a difference of sets, which would walk through all that is known.
        missing = [subject for subject in subjects if subject not in known]
        for start in range(0, len(missing), _MANY):
            found = self._standings(connection, partner, missing[start : start + _MANY], now)
            self._since = max(self._since, *(standing.since for standing in found.values()))
            self._until = min(self._until, *(standing.until for standing in found.values()))
            known |= found
        return known

    def _forget_what_changed(self, connection: Connection, now: int) -> None:
        mark = connection.scalar(
            select(cache_versions.c.version).where(cache_versions.c.name == GRANTS_CACHE)
        )
        many = sum(map(len, self._known.values())) > _MOST_CACHED
        if mark != self._mark or not self._since <= now < self._until or many:
            self._known.clear()
            self._mark, self._since, self._until = mark, 0, _NEVER

    def _standings(
        self, connection: Connection, partner: int, subjects: list[str], now: int
    ) -> dict[str, Permission]:
        asked = (Direction.SEND.value, partner, codec.encode(subjects).decode())
        terms: defaultdict[str, list[_Term]] = defaultdict(list)
        for row in _read_told(connection.exec_driver_sql(self._look_up, asked).scalar_one()):
            subject, person, kind, given_at, expires_at, withdrawn_at = row
            end = min(_NEVER if turn is None else turn for turn in (expires_at, withdrawn_at))
            terms[subject].append((person, kind, given_at, end))
        return {
            subject: _standing(terms[subject], now) if subject in terms else _NOBODY for subject in subjects
        }


def _terms_of_many(words: JsonFunctions) -> Select[*tuple[Any, ...]]:
    """What was granted under many pseudonyms. Placeholders: direction, partner, pseudonyms as JSON.

    One row, all of it JSON too: for each row that it fetches SQLite's driver lets go of the interpreter's
    lock, and has to get it back from threads that verify. Row by row that took longer than the search.
    """
    elements, array, collect = (getattr(func, word) for word in (words.elements, words.array, words.collect))
    sends = (grants.c.pseudonym == pseudonyms.c.id) & (grants.c.direction == bindparam(None))
    asked = elements(bindparam(None)).table_valued("value")
    told = array(
        *(pseudonyms.c.subject, pseudonyms.c.person, grant_kinds.c.kind),
        *(grants.c.given_at, grants.c.expires_at, grants.c.withdrawn_at),
    )
    return (
        select(func.coalesce(cast(collect(told), Text), literal_column("'[]'")))
        .select_from(pseudonyms)
        .join(grants, sends)
        .join(grant_kinds, grant_kinds.c.grant_id == grants.c.id)
        .where(pseudonyms.c.partner == bindparam(None), pseudonyms.c.subject.in_(select(asked.c.value)))
    )


def _standing(terms: Sequence[_Term], now: int) -> Permission:
    """What one pseudonym's grants come to. Those that begin or end later say when to look again."""
    turns = [turn for _, _, given_at, end in terms for turn in (given_at, end)]
    since = max((turn for turn in turns if turn <= now), default=0)
    until = min((turn for turn in turns if turn > now), default=_NEVER)
    standing = frozenset(kind for _, kind, given_at, end in terms if given_at <= now < end)
    return Permission(terms[0][0], standing, since, until)
