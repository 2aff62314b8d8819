"""No table with a person in it is forgotten: each is erased, and each is in the export."""

from sqlalchemy import Table

from sesame_sdk.hub.database.tables import metadata, people
from sesame_sdk.hub.rights.export import SECTIONS
from sesame_sdk.hub.rights.export_schema import schema
from sesame_sdk.hub.rights.personal_data_map import SPECIAL_TABLES, personal_rows

#: Names of columns that identify a row's person without a foreign key. Bytes may hold anything.
_IDENTIFYING = {"person", "people", "subject", "pseudonym", "token", "disclosures", "payload", "person_ids"}


def with_people() -> set[Table]:
    """Tables that name a person, or belong to a row that does."""
    covered = {
        table
        for table in metadata.sorted_tables
        if table is people or _IDENTIFYING & set(table.columns.keys())
    }
    while True:
        theirs = covered | {
            table
            for table in metadata.sorted_tables
            if any(
                key.column.table in covered and not _is_a_stay(table, key.column.table)
                for key in table.foreign_keys
            )
        }
        if theirs == covered:
            return covered
        covered = theirs


def _is_a_stay(table: Table, parent: Table) -> bool:
    """A registration belongs to an envelope, which holds people's signals or a registration, never both.

    And that an envelope is in quarantine says nothing of whom it is about.
    """
    apart = table.name.startswith("regist") or table.name == "quarantined_envelopes"
    return apart and parent.name in {"envelopes", "registrations"}


def test_every_table_with_people_in_it_is_erased() -> None:
    """Row by row, or in a way of its own that is described in words."""
    assert with_people() == {*personal_rows(1), *SPECIAL_TABLES}
    assert not {*personal_rows(1)} & {*SPECIAL_TABLES}
    assert all(SPECIAL_TABLES.values())


def test_every_table_with_people_in_it_is_exported() -> None:
    """In a part that the form of exports has."""
    assert with_people() == {*SECTIONS}
    assert set(SECTIONS.values()) <= set(schema()["$defs"]["Export"]["properties"])


def test_rows_can_be_deleted_in_the_order_of_the_list() -> None:
    """A row goes before what it refers to."""
    order = list(personal_rows(1))
    for place, table in enumerate(order):
        assert not {key.column.table for key in table.foreign_keys} & {*order[:place]}, table.name
