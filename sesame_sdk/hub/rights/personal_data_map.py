"""Where the hub holds what of a person: the one list that erasure goes by, and that exports are held to.

A test looks for every table with a person in it, so that none can be forgotten here.
"""

from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, select

from sesame_sdk.hub.database.tables import (
    envelopes,
    grant_crossings,
    grant_kinds,
    grants,
    people,
    pseudonyms,
    score_reads,
    signals,
)
from sesame_sdk.hub.rights.tables import dispute_steps, disputes, duplicate_disclosures, notices
from sesame_sdk.hub.streams.tables import rescore_queue, stream_messages, stream_subjects

#: Tables with something of people that are not a matter of deleting rows, and what becomes of it.
OTHERWISE: dict[Table, str] = {
    envelopes: "the disclosures are dropped, the tokens stay: see `redaction`",
    stream_subjects: "says that the person is erased, until that was told: see `feed.erase`",
    stream_messages: "those with the person in them are thrown away: see `feed.dissolve`",
    rescore_queue: "numbers of people to look at, which then belong to nobody",
}


def rows_of(person: int) -> dict[Table, ColumnElement[bool]]:
    """Which rows of which tables are a person's, in an order in which they can be deleted."""
    disputed = _scalars(select(disputes.c.id).where(disputes.c.person == person))
    named = _scalars(select(pseudonyms.c.id).where(pseudonyms.c.person == person))
    granted = _scalars(select(grants.c.id).where(grants.c.pseudonym.in_(named)))
    return {
        notices: notices.c.dispute.in_(disputed),
        dispute_steps: dispute_steps.c.dispute.in_(disputed),
        disputes: disputes.c.person == person,
        duplicate_disclosures: duplicate_disclosures.c.person == person,
        signals: signals.c.person == person,
        grant_kinds: grant_kinds.c.grant_id.in_(granted),
        grant_crossings: grant_crossings.c.grant_id.in_(granted),
        grants: grants.c.pseudonym.in_(named),
        score_reads: score_reads.c.person == person,
        pseudonyms: pseudonyms.c.person == person,
        people: people.c.id == person,
    }


def _scalars(chosen: Select[int]) -> ScalarSelect[int]:
    return chosen.scalar_subquery()
