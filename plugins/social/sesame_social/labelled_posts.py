"""Keeps texts with the scores that they should have, for the site's own training.

It is a file of JSON lines, readable by its owner only. It exists only where the site asks for it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError, ensure_private_file

#: Source of the labels that moderators gave on their page. Others are suggestions of clients.
MODERATOR = "moderator"
_Score = Annotated[float, msgspec.Meta(ge=0, le=1)]


class LabelledPost(msgspec.Struct, frozen=True):
    """A text with the score of each attribute, 0 to 1, and where the scores are from."""

    text: str
    scores: Mapping[str, _Score]
    source: str


class LabelledPosts:
    """A file of labelled posts.

    Raises:
        ConfigurationError: the file cannot be created, or others can read it.
    """

    def __init__(self, path: Path) -> None:
        try:
            ensure_private_file(path)
        except OSError as error:
            raise ConfigurationError("the file of labels cannot be opened", field=path.name) from error
        self._path = path

    def append(self, post: LabelledPost) -> None:
        """Add a post; it is on disk when this returns.

        Raises:
            RetryableError: it cannot be written.
        """
        line = msgspec.json.encode(post) + b"\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(descriptor, line)  # one write, so that lines of two processes do not mix
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise RetryableError("the label cannot be written", field=self._path.name) from error


def read_labelled_posts(path: Path) -> Iterator[LabelledPost]:
    """Read a file of labelled posts.

    Raises:
        InvalidInputError: a line is not one; it names the line.
    """
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield msgspec.json.decode(line, type=LabelledPost)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InvalidInputError(str(error), field=f"{path.name}, line {number}") from error
