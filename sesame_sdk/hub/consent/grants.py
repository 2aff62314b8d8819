"""What people agreed to, as told by whoever runs the hub.

Rules:
    * a partner's pseudonym belongs to one person for good
    * the same consent told twice is one consent
    * only people who are known to be 18 consent (rule MIN-1)
    * a withdrawal holds from its moment on, whether it was asked for here or is told with the grant; telling
      the old consent again does not undo it: to give again is a new grant
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from secrets import randbits

from attrs import evolve
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from sesame_sdk.guard.guard import Guard
from sesame_sdk.hub.consent import subjects
from sesame_sdk.hub.consent.validity import is_valid
from sesame_sdk.hub.database import ids as kind_names
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import cache_versions, grant_crossings, grant_kinds, grants, pseudonyms
from sesame_sdk.hub.database.tables import people as people_table
from sesame_sdk.hub.database.timestamps import to_micros, to_micros_or_none
from sesame_sdk.hub.partners import keys
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model import codec
from sesame_sdk.model.grant import Direction, Grant

#: The name under which `schema.changes` marks changes of grants.
GRANTS_CACHE = "grants"
_AT_ONCE = 500
_Told = tuple[str, Grant]
_GUARD = Guard()


def add_grants(connection: Connection, told: Iterable[_Told], at: datetime) -> int:
    """Record consents, all or none. Returns how many were new.

    Args:
        connection: in a transaction.
        told: the operator's own reference for the person, and what the person agreed to.
        at: now; UTC.

    Raises:
        Refused: by the guard, the consent of somebody who is not known to be 18.
        Rejected: the partner is unknown, or its pseudonym belongs to another person.
    """
    remaining = map(_admitted, told)
    added = ended = 0
    while some := list(islice(remaining, _AT_ONCE)):
        by_digest = _by_digest(some)
        told_before = select(grants.c.digest).where(is_in(grants.c.digest, by_digest))
        known = set(connection.scalars(told_before))
        added += _add(connection, {digest: pair for digest, pair in by_digest.items() if digest not in known})
        ended += _end(connection, {digest: by_digest[digest][1] for digest in known})
        _tell_feed(
            connection, subjects.ensure_person_ids(connection, (person for person, _ in some)).values(), at
        )
    if added or ended:
        invalidate_grant_caches(connection)
    return added


def withdraw_grants(
    connection: Connection, person: str, partner: str, direction: Direction | None, at: datetime
) -> int:
    """End what a person granted to a partner. Returns how many grants that ended.

    Raises:
        Rejected: no such partner.
    """
    theirs = (
        select(pseudonyms.c.id)
        .join(people_table, people_table.c.id == pseudonyms.c.person)
        .where(people_table.c.person == person, pseudonyms.c.partner == keys.partner_id(connection, partner))
    )
    standing: list[ColumnElement[bool]] = [
        grants.c.pseudonym.in_(theirs),
        is_valid(at) | (grants.c.given_at > to_micros(at)),
    ]
    if direction is not None:
        standing.append(grants.c.direction == direction.value)
    ended = connection.execute(update(grants).where(*standing).values(withdrawn_at=to_micros(at))).rowcount
    invalidate_grant_caches(connection)
    number = subjects.find_person_id(connection, person)
    _tell_feed(connection, [] if number is None else [number], at)
    return ended


def _tell_feed(connection: Connection, persons: Collection[int], at: datetime) -> None:
    """Streams hear of who left before this transaction ends, and of new scores soon after."""
    subject_states.enqueue_withdrawals(connection, persons, at)
    subject_states.mark_for_rescoring(connection, lambda: persons)


def invalidate_grant_caches(connection: Connection) -> None:
    """Tell whoever caches grants that theirs are old.

    The mark is a new random number, not one higher: a transaction may be undone after its mark was
    seen, and no other may come by the same.
    """
    connection.execute(delete(cache_versions).where(cache_versions.c.name == GRANTS_CACHE))
    connection.execute(insert(cache_versions).values(name=GRANTS_CACHE, version=randbits(62)))


def _end(connection: Connection, known: Mapping[str, Grant]) -> int:
    """End grants that were told before and are told again as withdrawn. An end is never made later."""
    ended = 0
    for digest, grant in known.items():
        if grant.withdrawn_at is not None:
            end = to_micros(grant.withdrawn_at)
            later = grants.c.withdrawn_at.is_(None) | (grants.c.withdrawn_at > end)
            this_one = update(grants).where(grants.c.digest == digest, later)
            ended += connection.execute(this_one.values(withdrawn_at=end)).rowcount
    return ended


def _add(connection: Connection, new: Mapping[str, _Told]) -> int:
    if not new:
        return 0
    names = _names(connection, list(new.values()))
    rows = [_row(digest, names[grant.partner, grant.subject], grant) for digest, (_, grant) in new.items()]
    inserted = insert(grants).returning(grants.c.id, sort_by_parameter_order=True)
    numbers = connection.scalars(inserted, rows).all()
    _add_terms(connection, dict(zip(numbers, (grant for _, grant in new.values()), strict=True)))
    return len(new)


def _admitted(told: _Told) -> _Told:
    _GUARD.admit_grant(told[1])
    return told


def _by_digest(told: Sequence[_Told]) -> dict[str, _Told]:
    """Each consent once, by what it is known by; of two tellings, the one that ends it sooner."""
    found: dict[str, _Told] = {}
    for person, grant in told:
        digest = codec.digest((person, evolve(grant, withdrawn_at=None)))
        if digest not in found or _ends_sooner(grant, found[digest][1]):
            found[digest] = (person, grant)
    return found


def _ends_sooner(one: Grant, other: Grant) -> bool:
    if one.withdrawn_at is None or other.withdrawn_at is None:
        return other.withdrawn_at is None
    return one.withdrawn_at < other.withdrawn_at


def _names(connection: Connection, told: Sequence[_Told]) -> dict[tuple[str, str], int]:
    """The number of each pseudonym, by partner and subject."""
    persons = subjects.ensure_person_ids(connection, (person for person, _ in told))
    owners: dict[str, dict[str, int]] = {}
    for person, grant in told:
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
    numbers = kind_names.ensure_kind_ids(
        connection, {kind for grant in added.values() for kind in grant.kinds}
    )
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
