"""Erases a person from the ledger and everything derived from it (GDPR 17), and notifies partners (GDPR 19).

Rules:
    * in one transaction
    * the rest of the ledger still verifies: see `redaction`
    * every partner with a pseudonym of the person is notified, and a reader's stream too. The pseudonym stays
      with the notice until that is delivered, and is deleted with it
    * a token keeps its ``jti`` and digest: the same envelope again gets the first receipt and adds nothing,
      and the same signal in a new envelope has no grant
    * stored receipts hold no ids of signals that were not kept: see `ingest.outcome`

The person's row id is never reused.

A deleted row is unreachable, but its bytes may remain. SQLite's ``secure_delete`` overwrites them, except for
copies that a page kept when an earlier row moved, about one person's in two thousand. In PostgreSQL deleted
rows stay until their page is vacuumed and used again. So from time to time the files are rewritten, which
takes as long as copying them, and blocks writers.
"""

from contextlib import closing
from datetime import datetime

from attrs import frozen
from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from sesame_sdk.errors import ConfigurationError, RetryableError
from sesame_sdk.hub.consent import grants, subjects
from sesame_sdk.hub.database.tables import erasures, signals
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.rights import notices, redaction
from sesame_sdk.hub.rights.notices import Notice
from sesame_sdk.hub.rights.personal_data_map import SPECIAL_TABLES, personal_rows
from sesame_sdk.hub.streams import subject_states
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.stream_events import SubjectRemoved

#: The person does not matter here: only the tables are used.
_TABLES: tuple[Table, ...] = (*personal_rows(0), *SPECIAL_TABLES)
_DELETE_STATISTICS = text("DELETE FROM pg_catalog.pg_statistic WHERE starelid = CAST(:name AS regclass)")
_HINT = "run it again when the hub is less busy"


@frozen
class ErasureResult:
    """Counts of an erasure: envelopes that lost a disclosure, and partners to be notified."""

    signals: int
    envelopes: int
    partners: int


def erase(connection: Connection, person: str, at: datetime) -> ErasureResult:
    """Erase a person. `InvalidInputError`: unknown person, or one of the envelopes is damaged."""
    person_id = subjects.person_id(connection, person, lock=True)
    # First, so that a concurrent ingest either commits before this or finds no grant.
    grants.renew_version(connection, grants.GRANTS_CACHE)
    subjects_by_partner = redaction.pseudonyms_of(connection, person_id)
    result = delete_person(connection, person_id, EventType.PERSON_ERASED, at)
    _notify_partners(connection, subjects_by_partner, result.signals, at)
    return result


def delete_person(connection: Connection, person: int, event: EventType, at: datetime) -> ErasureResult:
    """Delete all that is stored about a person; streams get the event. Raises as `erase` does."""
    subject_states.enqueue_removal(connection, person, event, at)
    subjects_by_partner = redaction.pseudonyms_of(connection, person)
    of_person = signals.c.person == person
    count = connection.scalar(select(func.count()).select_from(signals).where(of_person)) or 0
    envelopes = redaction.redact_person(connection, person, subjects_by_partner)
    for table, condition in personal_rows(person).items():
        connection.execute(delete(table).where(condition))
    return ErasureResult(count, envelopes, len(subjects_by_partner))


def _notify_partners(
    connection: Connection, subjects_by_partner: dict[int, str], count: int, at: datetime
) -> None:
    """Record the erasure, and enqueue a notice to every partner."""
    row = {"erased_at": to_micros(at), "signals": count}
    (number,) = connection.execute(insert(erasures).values(**row)).inserted_primary_key or (0,)
    for partner, subject in subjects_by_partner.items():
        payload = SubjectRemoved(to_micros(at))
        notice = Notice(partner, EventType.PERSON_ERASED, subject, payload, erasure=number)
        notices.enqueue(connection, notice, at)
    notices.close_erasure(connection, number, at)


def vacuum(engine: Engine) -> None:
    """Rewrite the database files without deleted data.

    Raises:
        RetryableError: other connections block it for too long.
        ConfigurationError: the database system is not supported.
    """
    functions = {"sqlite": _vacuum_sqlite, "postgresql": _vacuum_postgresql}
    if engine.dialect.name not in functions:
        raise ConfigurationError(f"{engine.dialect.name} is not supported", field="database")
    functions[engine.dialect.name](engine)


def _vacuum_sqlite(engine: Engine) -> None:
    # Not through SQLAlchemy, which opens a transaction for each statement: VACUUM must run outside of one.
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        try:
            cursor.execute("VACUUM")
            # Old pages that a reader still needs stay in the write-ahead log.
            blocked = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except engine.dialect.loaded_dbapi.OperationalError as error:
            raise RetryableError(f"cannot be rewritten: {error}", field="database", hint=_HINT) from error
    if blocked:
        message = "a reader blocks the checkpoint of the write-ahead log"
        raise RetryableError(message, field="database", hint=_HINT)


def _vacuum_postgresql(engine: Engine) -> None:
    """Needs a superuser, because it switches the server's write-ahead log."""
    quoted = engine.dialect.identifier_preparer.format_table
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            for table in _TABLES:
                # The planner's statistics hold common values, such as a pseudonym. ANALYZE replaces them, but
                # not those of a table that has become empty.
                connection.execute(_DELETE_STATISTICS, {"name": quoted(table)})
                connection.execute(text(f"VACUUM (FULL, ANALYZE) {quoted(table)}"))
            connection.execute(text("VACUUM FULL pg_catalog.pg_statistic"))
            _end_segment(connection)
            connection.execute(text("CHECKPOINT"))
            # The server recycles old segments with their content. Ending one fills it with zeros.
            segments = connection.scalar(text("SELECT count(*) FROM pg_ls_waldir()")) or 0
            for _ in range(segments):
                _end_segment(connection)
            connection.execute(text("CHECKPOINT"))
        except DBAPIError as error:
            message = f"cannot be rewritten: {error.orig}"
            raise RetryableError(message, field="database", hint=_HINT) from error


def _end_segment(connection: Connection) -> None:
    # A segment without new records does not end.
    connection.execute(text("SELECT pg_logical_emit_message(false, 'vacuum', '')"))
    connection.execute(text("SELECT pg_switch_wal()"))
