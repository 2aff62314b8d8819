"""People and the names that partners have for them.

A person is known here by the operator's own reference, and to each partner by pseudonyms of that
partner's making. A pseudonym belongs to one person for good: if it could move, somebody else's
signals would move with it.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select

from sesame_sdk.errors import Rejected
from sesame_sdk.hub.schema import people, pseudonyms

LONGEST_REFERENCE = 128


def find(connection: Connection, reference: str) -> int | None:
    """The number of a person, if there is one."""
    return connection.scalar(select(people.c.id).where(people.c.person == reference))


def numbered(connection: Connection, references: Iterable[str]) -> dict[str, int]:
    """The number of each person, given out where there was none.

    Raises:
        Rejected: a reference is empty or too long.
    """
    wanted = sorted(set(references))
    if any(not reference.strip() or len(reference) > LONGEST_REFERENCE for reference in wanted):
        raise Rejected(f"must be 1 to {LONGEST_REFERENCE} characters", field="person")
    chosen = select(people.c.person, people.c.id).where(people.c.person.in_(wanted))
    found = {row.person: row.id for row in connection.execute(chosen)}
    if missing := [{"person": reference} for reference in wanted if reference not in found]:
        connection.execute(insert(people), missing)
        found = {row.person: row.id for row in connection.execute(chosen)}
    return found


def tied(connection: Connection, partner: int, owners: Mapping[str, int]) -> dict[str, int]:
    """The number of each of a partner's pseudonyms, once it is tied to its person.

    Args:
        connection: in a transaction.
        partner: whose pseudonyms.
        owners: the person that each one should belong to.

    Raises:
        Rejected: one belongs to somebody else already.
    """
    mine = pseudonyms.c.partner == partner
    chosen = select(pseudonyms).where(mine, pseudonyms.c.subject.in_(sorted(owners)))
    known = {row.subject: row for row in connection.execute(chosen)}
    if any(row.person != owners[subject] for subject, row in known.items()):
        raise second_owner()
    missing = [
        {"partner": partner, "subject": subject, "person": person}
        for subject, person in owners.items()
        if subject not in known
    ]
    if missing:
        connection.execute(insert(pseudonyms), missing)
        known = {row.subject: row for row in connection.execute(chosen)}
    return {subject: row.id for subject, row in known.items()}


def owners(connection: Connection, partner: int, subjects: Iterable[str]) -> dict[str, int]:
    """The person behind each of a partner's pseudonyms that belongs to somebody."""
    mine = (pseudonyms.c.partner == partner) & pseudonyms.c.subject.in_(sorted(subjects))
    return {row.subject: row.person for row in connection.execute(select(pseudonyms).where(mine))}


def second_owner() -> Rejected:
    """The error of tying a pseudonym to a second person. It names neither."""
    return Rejected("belongs to another person already", field="subject", mend="check whose pseudonym it is")
