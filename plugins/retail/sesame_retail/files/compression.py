"""A shop's file opened for reading: plain, gzip or zstd, with a look at how far it has been read."""

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
    """An open file.

    Attributes:
        stream: what is in it, unpacked.
        raw: the file itself, whose position tells how far it was read.
        size: bytes of the file itself.
    """

    stream: BinaryIO
    raw: BinaryIO
    size: int

    def position(self) -> int:
        """Bytes of the file itself that were read."""
        return self.raw.tell()


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file; ``.gz`` and ``.zst`` are unpacked as they are read.

    Raises:
        InvalidInputError: it is not there, or its packing is broken.
        ConfigurationError: it is packed by zstd, and there is nothing to unpack that.
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
    """What goes wrong with a file, in our words."""
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
            "is packed by zstd", field=raw.name, hint="pip install 'sesame-retail[zstd]'"
        ) from error
    # A window of at most 128 MiB: a few bytes of a hostile file could ask for gigabytes.
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        with unpacker.stream_reader(raw, read_across_frames=True, closefd=False) as stream:
            yield cast("BinaryIO", stream)
    except zstandard.ZstdError as error:
        raise OSError from error
