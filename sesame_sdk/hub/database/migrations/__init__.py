"""The schema in steps, each of which a hub's database has taken or not (Alembic).

A new database takes them all when it is first opened. One that lacks a step is not opened: its operator makes
a backup, and says ``sesame hub migrate``. Each step is one transaction, on both products: it is taken whole
or not at all.
"""

from sqlalchemy import Connection, inspect, text

from sesame_sdk.errors import ConfigurationError

#: The step that this program needs.
HEAD = "0001"
_MIGRATE = "make a backup, then: sesame hub migrate"


def upgrade(connection: Connection) -> str | None:
    """Take the steps that the database lacks. Where it came from; None if it was empty.

    Args:
        connection: in a transaction, and no other process writes.

    Raises:
        ConfigurationError: its tables are not ours, or of a version that this program does not know.
    """
    before = current_version(connection)
    if before == HEAD:
        return before
    # A third of a second to import, and most hubs are opened with nothing to do here.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "sesame_sdk.hub.database:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before


def check_version(connection: Connection) -> bool:
    """Whether the tables are there; False for a database that is empty.

    Raises:
        ConfigurationError: as `upgrade`; or they are of an earlier version.
    """
    found = current_version(connection)
    if found is not None and found != HEAD:
        raise ConfigurationError(
            f"has tables of version {found}, not {HEAD}", field="database", hint=_MIGRATE
        )
    return found is not None


def current_version(connection: Connection) -> str | None:
    """The last step that a database took; None if it is empty.

    Raises:
        ConfigurationError: its tables are not ours, or of a version that this program does not know.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        hint = "name an empty database; hubs from before versions were numbered cannot be used"
        raise ConfigurationError("has tables without a version", field="database", hint=hint)
    found: str = connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
    if found > HEAD:
        raise ConfigurationError(
            f"has tables of version {found}, which is newer than this program's {HEAD}",
            field="database",
            hint="install the version of sesame-sdk that made them, or a later one",
        )
    return found
