"""Which envelopes keep a person's disclosure though the signal stands by another one: see `redaction`."""

from collections.abc import Collection

from sqlalchemy import Connection, insert

from sesame_sdk.hub.rights.tables import duplicate_disclosures


def note(connection: Connection, envelope: int, persons: Collection[int]) -> None:
    """Remember for whom an envelope that is new in the ledger keeps such disclosures."""
    if persons:
        rows = [{"person": person, "envelope": envelope} for person in sorted(persons)]
        connection.execute(insert(duplicate_disclosures), rows)
