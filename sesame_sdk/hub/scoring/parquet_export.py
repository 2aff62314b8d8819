"""Export the signals that count to a Parquet file, for scoring everyone with DuckDB.

The rows are sorted by person, so that an engine that sums by person meets each person once: for ten million
signals that is more than twice as fast as the order of arrival. Persons and partners are the hub's internal
ids.
"""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from sqlalchemy import Connection

from sesame_sdk.errors import ConfigurationError
from sesame_sdk.hub.database.engine import dialect_of
from sesame_sdk.hub.scoring import eligible_signals

_IDS = {"subject": "BIGINT", "partner": "BIGINT"}
_COLUMNS = {**_IDS, "kind": "VARCHAR", "value": "DOUBLE", "occurred_at": "BIGINT"}
#: Rows of one group, which is read at once: small enough to give every core some.
_ROW_GROUP = 250_000


def export_parquet(connection: Connection, path: Path, context: str, at: datetime) -> int:
    """Write every signal that counts for a context's own score. Returns how many.

    The file (0600) appears only when it is complete.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    eligible_signals.select_eligible_of_all(connection, context, at)
    try:
        # A private directory, since DuckDB creates its files with the umask.
        with TemporaryDirectory(dir=path.parent, prefix=".sesame-") as folder:
            rows, parquet = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
            with rows.open("wb") as file:
                dialect_of(connection).write_csv(connection, eligible_signals.eligible_rows(), file)
            count = _to_parquet(rows, parquet)
            parquet.chmod(0o600)
            parquet.replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", field=str(path)) from error
    return count


def _to_parquet(rows: Path, parquet: Path) -> int:
    with duckdb.connect() as engine:
        # One thread keeps the order, in bounded memory.
        engine.execute("SET threads = 1")
        rows_csv = engine.read_csv(
            str(rows), header=False, columns=_COLUMNS, auto_detect=False, delimiter=",", quotechar='"'
        )
        engine.register("signals", rows_csv)
        name = str(parquet).replace("'", "''")
        written = engine.execute(f"COPY signals TO '{name}' (FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP})")
        (count,) = written.fetchone() or (0,)
    return int(count)
