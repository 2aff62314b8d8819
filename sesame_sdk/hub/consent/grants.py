"""Grants: what people consented to, as the operator of the hub records it.

Rules:
    * a partner's pseudonym belongs to one person for good, unless an operator corrects it
    * the same consent recorded twice is one consent
    * only people who are known to be 18 consent (rule MIN-1)
    * a withdrawal is valid from its time on, whether it is requested here or recorded with the grant;
      recording the old consent again does not undo it: a new consent is a new grant
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from secrets import randbits
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import BigInteger, Connection, Table, bindparam, select
from sqlalchemy.sql import ColumnElement, Select, and_, delete, insert, or_, update

from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.database import ids
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import (
    cache_versions,
    grant_crossings,
    grant_kinds,
    grants,
    kinds,
    partners,
    people,
    pseudonyms,
)
from sesame_sdk.hub.database.timestamps import from_micros, from_micros_or_none, to_micros, to_micros_or_none
from sesame_sdk.hub.partners import keys
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction, Grant

#: The names under which `cache_versions` notes changes of grants, and of what concerns every score: policies,
#: registrations and revoked keys.
GRANTS_CACHE, SCORES = "grants", "scores"
_BATCH_SIZE = 500
#: Grants whose kinds and crossings one statement reads.
_MAX_LOOKUP = 5000
#: The operator's own reference of a person, and a grant of the person's.
PersonGrant = tuple[str, Grant]
_GUARD = Guard()


@frozen
class GrantChange:
    """How many grants a change added or ended, and the ids of their persons, whose scores may change."""

    count: int
    persons: frozenset[int]


def add_grants(connection: Connection, pairs: Iterable[PersonGrant]) -> GrantChange:
    """Record consents, all or none; counts the new ones.

    Raises:
        GuardRefusedError: a consent of a person who is not known to be 18.
        InvalidInputError: the partner is unknown, or its pseudonym belongs to another person.
    """
    remaining = iter(pairs)
    persons: set[int] = set()
    added = ended = 0
    while batch := list(islice(remaining, _BATCH_SIZE)):
        for _, grant in batch:
            _GUARD.admit_grant(grant)
        by_digest = _by_digest(batch)
        recorded = select(grants.c.digest).where(is_in(grants.c.digest, by_digest))
        known = set(connection.scalars(recorded))
        new = {digest: pair for digest, pair in by_digest.items() if digest not in known}
        added += _insert(connection, new)
        ended += _end(connection, {digest: by_digest[digest][1] for digest in known})
        in_batch = subjects.ensure_person_ids(connection, (person for person, _ in batch)).values()
        subjects.count_change(connection, in_batch)
        persons.update(in_batch)
    if added or ended:
        renew_version(connection, GRANTS_CACHE)
    return GrantChange(added, frozenset(persons))


def withdraw_grants(
    connection: Connection, person: str, partner: str, direction: Direction | None, at: datetime
) -> GrantChange:
    """End what a person granted to a partner; counts the grants that ended.

    Raises:
        InvalidInputError: no such partner.
    """
    theirs = (
        select(pseudonyms.c.id)
        .join(people, people.c.id == pseudonyms.c.person)
        .where(people.c.person == person, pseudonyms.c.partner == keys.partner_id(connection, partner))
    )
    end = update(grants).where(
        grants.c.pseudonym.in_(theirs), is_valid(at) | (grants.c.given_at > to_micros(at))
    )
    if direction is not None:
        end = end.where(grants.c.direction == direction.value)
    ended = connection.execute(end.values(withdrawn_at=to_micros(at))).rowcount
    renew_version(connection, GRANTS_CACHE)
    person_id = subjects.find_person_id(connection, person)
    persons = frozenset() if person_id is None else frozenset([person_id])
    subjects.count_change(connection, persons)
    return GrantChange(ended, persons)


def renew_version(connection: Connection, name: str) -> None:
    """Let every process drop what it cached or is computing under this name.

    The version is a new random number, not one higher: a transaction may be rolled back after its version was
    seen, and no other may come to the same.
    """
    connection.execute(delete(cache_versions).where(cache_versions.c.name == name))
    connection.execute(insert(cache_versions).values(name=name, version=randbits(62)))


def version_of(connection: Connection, name: str) -> int | None:
    """The version under this name; None before the first change."""
    return connection.scalar(select(cache_versions.c.version).where(cache_versions.c.name == name))


def is_valid(at: datetime | str) -> ColumnElement[bool]:
    """Whether a row of `grants` is valid at a time, or at the microseconds of the parameter of this name."""
    now = bindparam(at, type_=BigInteger) if isinstance(at, str) else to_micros(at)
    return and_(
        grants.c.given_at <= now,
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
        or_(grants.c.withdrawn_at.is_(None), grants.c.withdrawn_at > now),
    )


def _end(connection: Connection, known: Mapping[str, Grant]) -> int:
    """End grants that are recorded again as withdrawn. An end is never made later."""
    ended = 0
    for digest, grant in known.items():
        if grant.withdrawn_at is not None:
            end = to_micros(grant.withdrawn_at)
            later = grants.c.withdrawn_at.is_(None) | (grants.c.withdrawn_at > end)
            this_one = update(grants).where(grants.c.digest == digest, later)
            ended += connection.execute(this_one.values(withdrawn_at=end)).rowcount
    return ended


def _insert(connection: Connection, new: Mapping[str, PersonGrant]) -> int:
    if not new:
        return 0
    pseudonym_ids = _pseudonym_ids(connection, list(new.values()))
    rows = [
        {
            "pseudonym": pseudonym_ids[grant.partner, grant.subject],
            "direction": grant.direction.value,
            "given_at": to_micros(grant.given_at),
            "purpose": grant.purpose,
            "context": grant.context,
            "expires_at": to_micros_or_none(grant.expires_at),
            "withdrawn_at": to_micros_or_none(grant.withdrawn_at),
            "adult": grant.adult,
            "digest": digest,
        }
        for digest, (_, grant) in new.items()
    ]
    inserted = connection.scalars(
        insert(grants).returning(grants.c.id, sort_by_parameter_order=True), rows
    ).all()
    added = dict(zip(inserted, (grant for _, grant in new.values()), strict=True))
    kind_ids = ids.ensure_kind_ids(connection, {kind for grant in added.values() for kind in grant.kinds})
    kind_rows = [
        {"grant_id": grant_id, "kind": kind_ids[kind]}
        for grant_id, grant in added.items()
        for kind in dict.fromkeys(grant.kinds)
    ]
    crossing_rows = [
        {"grant_id": grant_id, "context": context}
        for grant_id, grant in added.items()
        for context in dict.fromkeys(grant.crossings)
    ]
    for table, terms in ((grant_kinds, kind_rows), (grant_crossings, crossing_rows)):
        if terms:
            connection.execute(insert(table), terms)
    return len(new)


def _by_digest(pairs: Sequence[PersonGrant]) -> dict[str, PersonGrant]:
    """Each consent once, by its digest; of two records, the one that ends it sooner."""
    by_digest: dict[str, PersonGrant] = {}
    for person, grant in pairs:
        digest = _digest(person, grant)
        if digest not in by_digest or _ends_sooner(grant, by_digest[digest][1]):
            by_digest[digest] = (person, grant)
    return by_digest


def _digest(person: str, grant: Grant) -> str:
    """Identifies a consent, whatever the order of its kinds, and whether it was withdrawn since."""
    kinds, crossings = (tuple(sorted(set(names))) for names in (grant.kinds, grant.crossings))
    return codec.digest((person, evolve(grant, kinds=kinds, crossings=crossings, withdrawn_at=None)))


def _ends_sooner(one: Grant, other: Grant) -> bool:
    if one.withdrawn_at is None or other.withdrawn_at is None:
        return other.withdrawn_at is None
    return one.withdrawn_at < other.withdrawn_at


def _pseudonym_ids(connection: Connection, pairs: Sequence[PersonGrant]) -> dict[tuple[str, str], int]:
    """The id of each pseudonym, by partner and subject."""
    persons = subjects.ensure_person_ids(connection, (person for person, _ in pairs))
    owners: dict[str, dict[str, int]] = {}
    for person, grant in pairs:
        mine = owners.setdefault(grant.partner, {})
        if mine.setdefault(grant.subject, persons[person]) != persons[person]:
            raise subjects.second_owner_error()
    return {
        (issuer, subject): number
        for issuer, mine in owners.items()
        for subject, number in subjects.link_pseudonyms(
            connection, keys.partner_id(connection, issuer), mine
        ).items()
    }


def list_grants(connection: Connection, person: str | None = None) -> list[PersonGrant]:
    """Every grant with its person, or one person's; also those that have ended."""
    return [*_load_grants(connection, *([] if person is None else [people.c.person == person])).values()]


def move_grants(connection: Connection, pseudonym: int, to: int) -> None:
    """Let the grants under a pseudonym be those under another one of the same person and partner."""
    connection.execute(update(grants).where(grants.c.pseudonym == pseudonym).values(pseudonym=to))
    for number, (person, grant) in _load_grants(connection, grants.c.pseudonym == to).items():
        this_one = update(grants).where(grants.c.id == number)
        connection.execute(this_one.values(digest=_digest(person, grant)))


def _load_grants(connection: Connection, *which: ColumnElement[bool]) -> dict[int, PersonGrant]:
    """Grants with their persons, by row id."""
    query = (
        select(grants, partners.c.issuer, pseudonyms.c.subject, people.c.person)
        .join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
        .join(people, people.c.id == pseudonyms.c.person)
        .join(partners, partners.c.id == pseudonyms.c.partner)
        .order_by(people.c.person, grants.c.id)
    )
    rows = connection.execute(query.where(*which)).all()
    grant_ids = [row.id for row in rows]
    named = select(grant_kinds.c.grant_id, kinds.c.name).join(kinds, kinds.c.id == grant_kinds.c.kind)
    kind_names = _terms(connection, named, grant_kinds, grant_ids)
    crossings = _terms(connection, select(grant_crossings), grant_crossings, grant_ids)
    return {
        row.id: (
            row.person,
            Grant(
                partner=row.issuer,
                subject=row.subject,
                direction=Direction(row.direction),
                given_at=from_micros(row.given_at),
                kinds=tuple(sorted(kind_names[row.id])),
                purpose=row.purpose,
                context=row.context,
                crossings=tuple(sorted(crossings[row.id])),
                expires_at=from_micros_or_none(row.expires_at),
                withdrawn_at=from_micros_or_none(row.withdrawn_at),
                adult=row.adult,
            ),
        )
        for row in rows
    }


def _terms(
    connection: Connection, query: Select[Any], table: Table, grant_ids: Sequence[int]
) -> defaultdict[int, list[str]]:
    """The kinds or crossings of each grant."""
    terms: defaultdict[int, list[str]] = defaultdict(list)
    for start in range(0, len(grant_ids), _MAX_LOOKUP):
        batch = grant_ids[start : start + _MAX_LOOKUP]
        for grant_id, term in connection.execute(query.where(table.c.grant_id.in_(batch))):
            terms[grant_id].append(term)
    return terms
