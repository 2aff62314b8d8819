"""Lists which rows hold a person's data; a test checks that every table with a person in it is listed."""

from sqlalchemy import ColumnElement, Table, select

from sesame_sdk.hub.database import tables

#: Tables with personal data of which erasure does not simply delete the rows, and what it does instead.
SPECIAL_TABLES: dict[Table, str] = {
    tables.envelopes: "the disclosures are dropped, the tokens stay: see `redaction`",
    tables.stream_subjects: "record the erasure until it is delivered: see `streams.subject_states`",
    tables.stream_messages: "messages about the person are discarded: see `streams.subject_states`",
    tables.rescore_queue: "ids of persons to rescore, which then refer to no row",
}


def personal_rows(person: int) -> dict[Table, ColumnElement[bool]]:
    """A condition per table that selects a person's rows, in an order that allows deletion."""
    disputed = select(tables.disputes.c.id).where(tables.disputes.c.person == person).scalar_subquery()
    named = select(tables.pseudonyms.c.id).where(tables.pseudonyms.c.person == person).scalar_subquery()
    granted = select(tables.grants.c.id).where(tables.grants.c.pseudonym.in_(named)).scalar_subquery()
    return {
        tables.notices: tables.notices.c.dispute.in_(disputed),
        tables.dispute_steps: tables.dispute_steps.c.dispute.in_(disputed),
        tables.disputes: tables.disputes.c.person == person,
        tables.further_disclosures: tables.further_disclosures.c.person == person,
        tables.signals: tables.signals.c.person == person,
        tables.grant_kinds: tables.grant_kinds.c.grant_id.in_(granted),
        tables.grant_crossings: tables.grant_crossings.c.grant_id.in_(granted),
        tables.grants: tables.grants.c.pseudonym.in_(named),
        tables.score_reads: tables.score_reads.c.person == person,
        tables.pseudonyms: tables.pseudonyms.c.person == person,
        tables.people: tables.people.c.id == person,
    }
