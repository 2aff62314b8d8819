"""Schema migrations (Alembic); each is one transaction on both databases.

A new database gets all of them when it is first opened. A database that lacks one is not opened: its operator
makes a backup and runs ``sesame hub migrate``.
"""

from sqlalchemy import Connection, inspect, text

from sesame_sdk.errors import ConfigurationError

#: The schema version that this program needs.
HEAD = "0001"


def upgrade(connection: Connection) -> str | None:
    """Run the migrations that the database lacks, in a transaction that holds `LockScope.EXCLUSIVE`.

    Returns the version that it had; None if it was empty.

    Raises:
        ConfigurationError: its tables are not a hub's, or of a version that this program does not know.
    """
    before = current_version(connection)
    if before == HEAD:
        return before
    # The import takes a third of a second, and most hubs are opened without a migration.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "sesame_sdk.hub.database:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before


def check_version(connection: Connection) -> bool:
    """Whether the database has tables; False for an empty one.

    Raises:
        ConfigurationError: as `upgrade`; or they are of an earlier version.
    """
    version = current_version(connection)
    if version is not None and version != HEAD:
        hint = "make a backup, then: sesame hub migrate"
        raise ConfigurationError(f"has tables of version {version}, not {HEAD}", field="database", hint=hint)
    return version is not None


def current_version(connection: Connection) -> str | None:
    """The schema version of a database; None if it is empty. Raises `ConfigurationError`: as `upgrade`."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        hint = "name an empty database; hubs from before versions were numbered cannot be used"
        raise ConfigurationError("has tables without a version", field="database", hint=hint)
    version: str = connection.scalar(text("SELECT version_num FROM alembic_version")) or ""
    if version > HEAD:
        raise ConfigurationError(
            f"has tables of version {version}, which is newer than this program's {HEAD}",
            field="database",
            hint="install the version of sesame-sdk that made them, or a later one",
        )
    return version
