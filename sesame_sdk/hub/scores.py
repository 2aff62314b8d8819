"""Scores, computed in the ledger's own database when they are asked for."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import Connection, select

from sesame_sdk.hub import counting, people, policies
from sesame_sdk.hub.database import driver_connection
from sesame_sdk.hub.grants import valid
from sesame_sdk.hub.schema import grant_crossings, grants, pseudonyms
from sesame_sdk.model.grant import Direction
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.score import Score
from sesame_sdk.scoring import engines
from sesame_sdk.scoring.explain import scores


def of_people(
    connection: Connection,
    asked: Mapping[int, Iterable[str]],
    policy: Policy,
    as_of: date,
    at: datetime,
    *,
    reasons: bool,
) -> dict[int, Score]:
    """The score of each person who has one.

    Args:
        connection: in a transaction.
        asked: for each person, the contexts whose kinds may count.
        policy: how the score is made.
        as_of: the day.
        at: the moment at which consents are looked at; UTC.
        reasons: whether to say what each kind added or took.
    """
    if not asked:
        return {}
    counting.count(connection, asked, at)
    rows = engines.score_in_sqlite(driver_connection(connection), policy, as_of)
    return scores(rows, policy, as_of, reasons=reasons)


def explain(connection: Connection, person: str, context: str, as_of: date, at: datetime) -> Score | None:
    """A person's own view of a score, with every reason.

    It is the fullest score that any reader could see now: kinds of another context count if any valid
    grant to read this score lets that context in. With no such grant it is the context's own kinds.
    """
    number = people.find(connection, person)
    policy = policies.in_force(connection, context)
    if number is None or policy is None:
        return None
    asked = {number: {context, *_crossings(connection, number, context, at)}}
    return of_people(connection, asked, policy, as_of, at, reasons=True).get(number)


def _crossings(connection: Connection, person: int, context: str, at: datetime) -> list[str]:
    mine = (
        select(grant_crossings.c.context)
        .distinct()
        .join(grants, grants.c.id == grant_crossings.c.grant_id)
        .join(pseudonyms, pseudonyms.c.id == grants.c.pseudonym)
        .where(pseudonyms.c.person == person, grants.c.direction == Direction.READ.value)
    )
    return list(connection.scalars(mine.where(grants.c.context == context, valid(at))))
