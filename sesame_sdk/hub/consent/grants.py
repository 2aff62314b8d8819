"""Grants: what people consented to, as the operator of the hub records it.

Rules:
    * a partner's pseudonym belongs to one person for good
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
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

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

#: The name under which `cache_versions` notes changes of grants.
GRANTS_CACHE = "grants"
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

    Args:
        connection: in a transaction.
        pairs: the operator's own reference of each person, and what the person consented to.

    Raises:
        GuardRefusedError: a consent of a person who is not known to be 18.
        InvalidInputError: the partner is unknown, or its pseudonym belongs to another person.
    """
    remaining = map(_admitted, pairs)
    persons: set[int] = set()
    added = ended = 0
    while batch := list(islice(remaining, _BATCH_SIZE)):
        by_digest = _by_digest(batch)
        recorded = select(grants.c.digest).where(is_in(grants.c.digest, by_digest))
        known = set(connection.scalars(recorded))
        new = {digest: pair for digest, pair in by_digest.items() if digest not in known}
        added += _insert(connection, new)
        ended += _end(connection, {digest: by_digest[digest][1] for digest in known})
        persons.update(subjects.ensure_person_ids(connection, (person for person, _ in batch)).values())
    if added or ended:
        invalidate_grant_caches(connection)
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
    valid: list[ColumnElement[bool]] = [
        grants.c.pseudonym.in_(theirs),
        is_valid(at) | (grants.c.given_at > to_micros(at)),
    ]
    if direction is not None:
        valid.append(grants.c.direction == direction.value)
    ended = connection.execute(update(grants).where(*valid).values(withdrawn_at=to_micros(at))).rowcount
    invalidate_grant_caches(connection)
    person_id = subjects.find_person_id(connection, person)
    return GrantChange(ended, frozenset() if person_id is None else frozenset([person_id]))


def invalidate_grant_caches(connection: Connection) -> None:
    """Let every process drop its cache of grants.

    The version is a new random number, not one higher: a transaction may be rolled back after its version was
    seen, and no other may come to the same.
    """
    connection.execute(delete(cache_versions).where(cache_versions.c.name == GRANTS_CACHE))
    connection.execute(insert(cache_versions).values(name=GRANTS_CACHE, version=randbits(62)))


def is_valid(at: datetime | str) -> ColumnElement[bool]:
    """Whether a row of `grants` is valid at a time: `Grant.valid`, in SQL.

    Args:
        at: or the name of the parameter that holds it, in microseconds.
    """
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
    names = _pseudonym_ids(connection, list(new.values()))
    rows = [_row(digest, names[grant.partner, grant.subject], grant) for digest, (_, grant) in new.items()]
    inserted = insert(grants).returning(grants.c.id, sort_by_parameter_order=True)
    numbers = connection.scalars(inserted, rows).all()
    _add_terms(connection, dict(zip(numbers, (grant for _, grant in new.values()), strict=True)))
    return len(new)


def _admitted(pair: PersonGrant) -> PersonGrant:
    _GUARD.admit_grant(pair[1])
    return pair


def _by_digest(pairs: Sequence[PersonGrant]) -> dict[str, PersonGrant]:
    """Each consent once, by its digest; of two records, the one that ends it sooner."""
    by_digest: dict[str, PersonGrant] = {}
    for person, grant in pairs:
        digest = codec.digest((person, evolve(grant, withdrawn_at=None)))
        if digest not in by_digest or _ends_sooner(grant, by_digest[digest][1]):
            by_digest[digest] = (person, grant)
    return by_digest


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


def _row(digest: str, pseudonym: int, grant: Grant) -> dict[str, object]:
    return {
        "pseudonym": pseudonym,
        "direction": grant.direction.value,
        "given_at": to_micros(grant.given_at),
        "purpose": grant.purpose,
        "context": grant.context,
        "expires_at": to_micros_or_none(grant.expires_at),
        "withdrawn_at": to_micros_or_none(grant.withdrawn_at),
        "adult": grant.adult,
        "digest": digest,
    }


def _add_terms(connection: Connection, added: Mapping[int, Grant]) -> None:
    numbers = ids.ensure_kind_ids(connection, {kind for grant in added.values() for kind in grant.kinds})
    covered = [
        {"grant_id": number, "kind": numbers[kind]}
        for number, grant in added.items()
        for kind in dict.fromkeys(grant.kinds)
    ]
    crossed = [
        {"grant_id": number, "context": context}
        for number, grant in added.items()
        for context in dict.fromkeys(grant.crossings)
    ]
    for table, rows in ((grant_kinds, covered), (grant_crossings, crossed)):
        if rows:
            connection.execute(insert(table), rows)


def list_grants(connection: Connection, person: str | None = None) -> list[PersonGrant]:
    """Every grant with its person, or one person's; also those that have ended."""
    chosen = select_grants()
    if person is not None:
        chosen = chosen.where(people.c.person == person)
    rows = connection.execute(chosen.order_by(people.c.person, grants.c.id)).all()
    return list(zip((row.person for row in rows), read_grants(connection, rows), strict=True))


def select_grants() -> Select[Any]:
    """Rows that `read_grants` can read, of all grants."""
    return (
        select(grants, partners.c.issuer, pseudonyms.c.subject, people.c.person)
        .join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
        .join(people, people.c.id == pseudonyms.c.person)
        .join(partners, partners.c.id == pseudonyms.c.partner)
    )


def read_grants(connection: Connection, rows: Sequence[Row[Any]]) -> list[Grant]:
    """Each row with its kinds and crossings."""
    numbers = [row.id for row in rows]
    named = select(grant_kinds.c.grant_id, kinds.c.name).join(kinds, kinds.c.id == grant_kinds.c.kind)
    kind_names = _terms(connection, named, grant_kinds, numbers)
    crossings = _terms(
        connection, select(grant_crossings.c.grant_id, grant_crossings.c.context), grant_crossings, numbers
    )
    return [
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
        )
        for row in rows
    ]


def _terms(
    connection: Connection, chosen: Select[int, str], table: Table, numbers: Sequence[int]
) -> defaultdict[int, list[str]]:
    """What belongs to each grant."""
    values: defaultdict[int, list[str]] = defaultdict(list)
    for start in range(0, len(numbers), _MAX_LOOKUP):
        some = chosen.where(table.c.grant_id.in_(numbers[start : start + _MAX_LOOKUP]))
        for row in connection.execute(some):
            values[row[0]].append(row[1])
    return values
