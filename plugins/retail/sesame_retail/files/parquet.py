"""Parquet, by pyarrow, as the texts that CSV would hold."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from sesame_sdk import ConfigurationError, InvalidInputError

ROWS = 8192


def read_batches(stream: BinaryIO, wanted: tuple[str, ...]) -> Iterator[list[list[str]]]:
    """The wanted columns as text, of many rows at a time; a null is an empty one.

    Raises:
        InvalidInputError: it is no Parquet, or lacks a column.
        ConfigurationError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "needs pyarrow", field="parquet", hint="pip install 'sesame-retail[parquet]'"
        ) from error
    try:
        file = parquet.ParquetFile(stream)
        if missing := [name for name in wanted if name not in file.schema_arrow.names]:
            raise InvalidInputError(f"the header lacks {', '.join(missing)}", field="header")
        for batch in file.iter_batches(batch_size=ROWS, columns=list(wanted)):
            yield [_texts(pa, batch.column(name)) for name in wanted]
    except (pa.ArrowException, UnicodeError) as error:
        raise InvalidInputError(
            f"is no Parquet that can be read: {type(error).__name__}", field="parquet"
        ) from error


def _texts(pa: Any, column: Any) -> list[str]:  # noqa: ANN401 - pyarrow has no types
    """A column as text. Software that knows no integers beside nulls writes 17850 as 17850.0."""
    if pa.types.is_floating(column.type):
        return ["" if value is None else _number(value) for value in column.to_pylist()]
    found = column.cast(pa.string()).to_pylist()
    return ["" if value is None else value for value in found]


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(value)


def column_names(stream: BinaryIO) -> list[str]:
    """What the columns are called."""
    from pyarrow import parquet

    found: list[str] = parquet.ParquetFile(stream).schema_arrow.names
    return found
