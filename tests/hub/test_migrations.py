"""The tables come in numbered steps, and are what the program thinks they are."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.database import migrations
from sesame_sdk.hub.database.engine import migrate, open_engine
from sesame_sdk.hub.database.tables import metadata
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import load_settings
from tests.commands import run_sesame
from tests.hub.ledger import change, looking


@pytest.mark.usefixtures("hub")
def test_the_steps_make_the_tables_that_the_program_uses(hub_path: Path) -> None:
    """Column by column, index by index: a change of the schema without a step fails here."""
    with looking(hub_path) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert {table.name for table in metadata.sorted_tables} >= {"signals", "disputes", "rate_limits"}


def test_the_program_needs_the_last_step() -> None:
    """`HEAD` is a constant, so that opening a hub need not import Alembic."""
    config = Config()
    config.set_main_option("script_location", "sesame_sdk.hub.database:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


@pytest.mark.usefixtures("hub")
def test_a_hub_that_lacks_nothing_is_left_alone(hub_path: Path) -> None:
    """Migrating twice is once."""
    url = load_settings(hub_path).database_url
    assert migrate(url) == migrations.HEAD
    open_engine(url).dispose()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(
            "UPDATE alembic_version SET version_num = '0000'", "sesame hub migrate", id="an earlier version"
        ),
        pytest.param("UPDATE alembic_version SET version_num = '9999'", "newer", id="a later version"),
        pytest.param("DROP TABLE alembic_version", "without a version", id="no version"),
    ],
)
def test_tables_of_another_version_are_not_worked_with(hub_path: Path, damage: str, message: str) -> None:
    """Nothing is changed, and the error has a hint for the operator."""
    Hub.open(hub_path).close()
    change(hub_path, damage)
    with pytest.raises(ConfigurationError, match=message):
        Hub.open(hub_path)


def test_migrate_creates_the_tables_in_an_empty_database(hub_path: Path) -> None:
    """``sesame hub migrate`` makes them where there are none; a second time there is nothing to do."""
    engine = open_engine(load_settings(hub_path).database_url)
    with engine.begin() as connection:
        there = MetaData()
        there.reflect(connection)
        there.drop_all(connection)
        assert migrations.current_version(connection) is None
    engine.dispose()
    migrated = run_sesame(hub_path.parent, "hub", "migrate", "--hub", hub_path)
    assert (migrated.returncode, migrations.HEAD in migrated.stderr) == (0, True)
    with looking(hub_path) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert "already" in run_sesame(hub_path.parent, "hub", "migrate", "--hub", hub_path).stderr
