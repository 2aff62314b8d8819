"""Persons and their pseudonyms.

A person has the operator's own reference, and one pseudonym at each partner, which the partner makes. A
pseudonym belongs to its person for good: if it could move, another person's signals would move with it. (A
wrong one is replaced, and what came under it is deleted: see `rights.correction`.) And there is only one:
with two, a grant under the first would apply to the second, and a reader could learn that two of its accounts
are one person.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, insert, select, update

from sesame_sdk.constants import MAX_PERSON_LENGTH
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import people, pseudonyms


def find_person_id(connection: Connection, reference: str) -> int | None:
    """The id of a person, if there is one."""
    return connection.scalar(select(people.c.id).where(people.c.person == reference))


def list_people(connection: Connection) -> list[str]:
    """The reference of every person."""
    return list(connection.scalars(select(people.c.person).order_by(people.c.id)))


def person_id(connection: Connection, reference: str, *, lock: bool = False) -> int:
    """The id of a person; with `lock`, the row stays locked until the transaction ends.

    Raises:
        InvalidInputError: there is no such person.
    """
    query = select(people.c.id).where(people.c.person == reference)
    person: int | None = connection.scalar(query.with_for_update() if lock else query)
    if person is None:
        raise InvalidInputError("unknown person", field="person", code="not_found")
    return person


def ensure_person_ids(connection: Connection, references: Iterable[str]) -> dict[str, int]:
    """The id of each person; new persons are inserted.

    Raises:
        InvalidInputError: a reference is empty or too long.
    """
    wanted = sorted(set(references))
    if any(not reference.strip() or len(reference) > MAX_PERSON_LENGTH for reference in wanted):
        raise InvalidInputError(f"must be 1 to {MAX_PERSON_LENGTH} characters", field="person")
    query = select(people.c.person, people.c.id).where(is_in(people.c.person, wanted))
    known = {row.person: row.id for row in connection.execute(query)}
    if missing := [{"person": reference} for reference in wanted if reference not in known]:
        connection.execute(insert(people), missing)
        known = {row.person: row.id for row in connection.execute(query)}
    return known


def count_change(connection: Connection, persons: Collection[int]) -> None:
    """Note that grants, pseudonyms or disputes of persons changed, for reads that are being computed."""
    changed = update(people).where(is_in(people.c.id, persons))
    connection.execute(changed.values(revision=people.c.revision + 1))


def link_pseudonyms(connection: Connection, partner: int, owners: Mapping[str, int]) -> dict[str, int]:
    """The id of each of a partner's pseudonyms; new ones are linked to the persons that `owners` names.

    Raises:
        InvalidInputError: one belongs to another person already, or its person has another one.
    """
    mine = pseudonyms.c.partner == partner
    query = select(pseudonyms).where(mine, is_in(pseudonyms.c.subject, owners))
    known = {row.subject: row for row in connection.execute(query)}
    if any(row.person != owners[subject] for subject, row in known.items()):
        raise second_owner_error()
    persons = set(owners.values())
    others = select(pseudonyms.c.subject).where(mine, is_in(pseudonyms.c.person, persons))
    if len(persons) < len(owners) or any(subject not in owners for subject in connection.scalars(others)):
        raise InvalidInputError(
            "the person has another pseudonym at this partner",
            field="subject",
            hint="use that one; if it is wrong: sesame grants correct-pseudonym",
        )
    missing = [
        {"partner": partner, "subject": subject, "person": person}
        for subject, person in owners.items()
        if subject not in known
    ]
    if missing:
        connection.execute(insert(pseudonyms), missing)
        known = {row.subject: row for row in connection.execute(query)}
    return {subject: row.id for subject, row in known.items()}


def subject_owners(connection: Connection, partner: int, subjects: Iterable[str]) -> dict[str, int]:
    """The person of each of a partner's pseudonyms that is known."""
    mine = (pseudonyms.c.partner == partner) & is_in(pseudonyms.c.subject, subjects)
    return {row.subject: row.person for row in connection.execute(select(pseudonyms).where(mine))}


def second_owner_error() -> InvalidInputError:
    """The error for a second person of a pseudonym. It names neither."""
    return InvalidInputError(
        "belongs to another person already",
        field="subject",
        hint="check whose pseudonym it is; to correct the other's: sesame grants correct-pseudonym",
    )
