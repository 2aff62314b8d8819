"""Loads the four public data sets, and selects the texts to hold out.

A text is held out by its hash: copies of one text are on the same side, on every machine.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from sesame_sdk import InvalidInputError

#: Texts are near duplicates if so many first letters are equal.
_KEY_LENGTH = 40
_LINKS, _LETTERS = re.compile(r"https?:\S+|&#?\w+;|<[^>]*>"), re.compile(r"[\W\d_]+")
#: Share of the texts.
HELD_OUT = 0.15
_FILES = {
    "sms": ("sms-spam/train.csv",),
    "youtube": ("youtube-spam/train.csv",),
    "davidson": ("davidson/train.csv",),
    "cold": ("cold/train.csv", "cold/dev.csv"),
}
SETS = tuple(_FILES)
#: Davidson's label for neither hate nor offence.
NEITHER = 2


@frozen
class LabelledText:
    """One labelled text of one of `SETS`.

    Attributes:
        label: 1 is spam (sms, youtube) or offensive (cold); davidson has 0 hate, 1 offensive, 2 neither.
        group: cold's topic, youtube's video; empty elsewhere.
    """

    source: str
    text: str
    label: int
    group: str
    held_out: bool


def load_rows(folder: Path, *sets: str) -> list[LabelledText]:
    """Load all texts of some data sets; raise InvalidInputError if a file is missing or invalid."""
    try:
        return [row for name in sets for file in _FILES[name] for row in _read(folder / file, name)]
    except (OSError, KeyError, ValueError) as error:
        reason = f"the data cannot be read: {type(error).__name__}"
        raise InvalidInputError(reason, field=folder.name) from error


def _read(path: Path, source: str) -> Iterator[LabelledText]:
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            label = line["class"] if source == "davidson" else line["label"]
            number = int(label == "spam") if source == "sms" else int(label)
            group = line.get("topic") or line.get("video") or ""
            yield LabelledText(source, line["text"], number, group, is_held_out(line["text"]))


def similarity_key(text: str) -> str:
    """The key that near duplicates share: the first letters, without links, numbers and punctuation."""
    bare = _LETTERS.sub("", _LINKS.sub("", text.lower()))
    return bare[:_KEY_LENGTH] or text


def number_groups(names: Iterable[str]) -> NDArray[np.int64]:
    """Number the names; equal names get equal numbers."""
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def is_held_out(text: str) -> bool:
    """Whether a text is held out for evaluation."""
    same = " ".join(text.lower().split())
    digest = hashlib.sha256(same.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT * 2**32
