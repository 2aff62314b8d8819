"""Lists which rows hold a person's data, for erasure and export.

A test checks that every table with a person in it is listed.
"""

from sqlalchemy import ColumnElement, ScalarSelect, Select, Table, select

from sesame_sdk.hub.database.tables import (
    dispute_steps,
    disputes,
    duplicate_disclosures,
    envelopes,
    grant_crossings,
    grant_kinds,
    grants,
    notices,
    people,
    pseudonyms,
    rescore_queue,
    score_reads,
    signals,
    stream_messages,
    stream_subjects,
)

#: Tables with personal data of which erasure does not simply delete the rows, and what it does instead.
SPECIAL_TABLES: dict[Table, str] = {
    envelopes: "the disclosures are dropped, the tokens stay: see `redaction`",
    stream_subjects: "record the erasure until it is delivered: see `streams.subject_states`",
    stream_messages: "messages about the person are discarded: see `streams.subject_states`",
    rescore_queue: "ids of persons to rescore, which then refer to no row",
}


def personal_rows(person: int) -> dict[Table, ColumnElement[bool]]:
    """A condition per table that selects a person's rows, in an order that allows deletion."""
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
