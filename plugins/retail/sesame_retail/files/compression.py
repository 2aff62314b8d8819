"""Opens a plain, gzip or zstd file, and reports how far it was read."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from attrs import frozen

from sesame_sdk import ConfigurationError, InvalidInputError

COMPRESSED = {".gz", ".zst"}


@frozen
class Source:
    """An open file: its content, decompressed, and the file itself, whose position is the progress."""

    stream: BinaryIO
    raw: BinaryIO
    size: int


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file; ``.gz`` and ``.zst`` are decompressed as they are read.

    Raises:
        InvalidInputError: it does not exist, or its compression is corrupt.
        ConfigurationError: it needs zstandard, which is not installed.
    """
    with ExitStack() as stack, file_errors(path):
        raw = stack.enter_context(path.open("rb"))
        size = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        if path.suffix == ".gz":
            yield Source(cast("BinaryIO", stack.enter_context(gzip.open(raw, "rb"))), raw, size)
        elif path.suffix == ".zst":
            yield Source(stack.enter_context(_decompress_zstd(raw)), raw, size)
        else:
            yield Source(raw, raw, size)


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into `InvalidInputError`."""
    try:
        yield
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error


@contextmanager
def _decompress_zstd(raw: BinaryIO) -> Iterator[BinaryIO]:
    try:
        import zstandard
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "is compressed with zstd; zstandard is not installed",
            field=raw.name,
            hint="pip install 'sesame-retail[zstd]'",
        ) from error
    # A window of at most 128 MiB: a few bytes of a hostile file could ask for gigabytes.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        with unpacker.stream_reader(raw, read_across_frames=True, closefd=False) as stream:
            yield cast("BinaryIO", stream)
    except zstandard.ZstdError as error:
        raise OSError from error
