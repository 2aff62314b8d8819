"""Loads the public data sets and the labels of a site's moderators, and selects the texts to hold out.

A text is held out by its hash: copies of one text are on the same side, on every machine. Posts that a
moderator labelled are never held out.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from sesame_sdk import InvalidInputError
from sesame_social.classifier.attributes import Attribute
from sesame_social.classifier.language import detect_languages
from sesame_social.classifier.normalize import normalize
from sesame_social.labelled_posts import MODERATOR, LabelledPost, read_labelled_posts

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
    "hatecheck-en": ("hatecheck/en.csv",),
    "hatecheck-zh": ("hatecheck/zh.csv",),
    "hatemoji": ("hatemoji/train.csv", "hatemoji/validation.csv"),
    "edos": ("edos/train.csv", "edos/dev.csv"),
}
SETS = tuple(_FILES)
#: Sets of which a part is held out. The others are small or made of templates: they are evaluated by
#: cross-validation only, and the model learns from all of them.
HELD_OUT_SETS = ("sms", "youtube", "davidson", "cold")
#: Source of the posts that a site's moderators labelled.
SITE = "site"
#: Davidson's label for neither hate nor offence.
NEITHER = 2
_LABELS = {"spam": 1, "ham": 0, "hateful": 1, "non-hateful": 0, "sexist": 1, "not sexist": 0}
#: Columns that hold the group of a text.
_GROUPS = ("topic", "video", "functionality", "type", "category")
#: Texts of a contrasting pair, which have adjacent ids, share at least so many of their words.
_SHARED_WORDS = 0.5


@frozen
class LabelledText:
    """One labelled text, of one of `SETS` or of `SITE`.

    Attributes:
        label: 1 is spam (sms, youtube), offensive (cold), hateful (hatecheck, hatemoji) or sexist (edos);
            davidson has 0 hate, 1 offensive, 2 neither; a site's posts have `scores` instead.
        group: cold's topic, youtube's video, hatecheck's function, hatemoji's type, edos's category, the
            language of a site's post.
        family: equal for near copies: texts of one template, of one contrasting pair, or of equal beginning.
        scores: of a site's post only: the score of each attribute that a moderator judged, 0 to 1.
    """

    source: str
    text: str
    label: int
    group: str
    family: str
    held_out: bool
    scores: Mapping[Attribute, float] = field(factory=dict)


def load_rows(folder: Path, *sets: str) -> list[LabelledText]:
    """Load all texts of some data sets; raise InvalidInputError if a file is missing or invalid."""
    try:
        return [row for name in sets for row in _read_set(folder, name)]
    except (OSError, KeyError, ValueError) as error:
        reason = f"the data cannot be read: {type(error).__name__}"
        raise InvalidInputError(reason, field=folder.name) from error


def load_site_rows(path: Path) -> tuple[list[LabelledText], Counter[str]]:
    """Load the posts that moderators labelled, and count those that teach nothing by reason.

    If a text was labelled several times, its last label counts.

    Raises:
        InvalidInputError: a line is not a labelled post, it has an attribute that the model lacks, or no line
            is a moderator's.
    """
    skipped: Counter[str] = Counter()
    posts: dict[str, LabelledPost] = {}
    for number, post in enumerate(read_labelled_posts(path), 1):
        unknown = sorted(set(post.scores) - set(Attribute))
        if unknown:
            where, hint = f"{path.name}, post {number}", f"use {', '.join(Attribute)}"
            raise InvalidInputError("has an attribute that is unknown", field=where, hint=hint)
        if post.source == MODERATOR:
            posts[" ".join(post.text.split())] = post
        else:
            skipped["not from a moderator"] += 1
    languages = detect_languages(normalize([post.text for post in posts.values()]))
    rows = [_to_row(post, str(language)) for post, language in zip(posts.values(), languages, strict=True)]
    skipped["in another language"] = sum(not row.group for row in rows)
    rows = [row for row in rows if row.group]
    if not rows:
        hint = "sesame social queue serve --labels writes this file"
        raise InvalidInputError("has no label of a moderator", field=path.name, hint=hint)
    return rows, +skipped


def _to_row(post: LabelledPost, language: str) -> LabelledText:
    scores = {Attribute(name): score for name, score in post.scores.items()}
    family = similarity_key(post.text)
    return LabelledText(SITE, post.text, 0, language, family, held_out=False, scores=scores)


def _read_set(folder: Path, source: str) -> Iterator[LabelledText]:
    lines = [line for file in _FILES[source] for line in _read_lines(folder / file)]
    pairs = _number_pairs(lines) if source == "hatemoji" else {}
    for line in lines:
        text, label = line["text"], line.get("class") or line["label"]
        group = next((line[name] for name in _GROUPS if line.get(name)), "")
        family = similarity_key(text)
        if "template" in line:
            family = f"{group} {line['template']}"
        elif pairs:
            family = f"pair {pairs[line['id']]}"
        number = _LABELS[label] if label in _LABELS else int(label)
        held_out = source in HELD_OUT_SETS and is_held_out(text)
        yield LabelledText(source, text, number, group, family, held_out)


def _read_lines(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _number_pairs(lines: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Number the contrasting pairs: neighbours by id that share half of their words."""
    numbers: dict[str, int] = {}
    before: set[str] = set()
    for line in sorted(lines, key=lambda line: int(line["id"])):
        words = set(re.findall(r"\w+", line["text"].lower()))
        apart = len(words & before) < _SHARED_WORDS * max(1, min(len(words), len(before)))
        numbers[line["id"]] = next(reversed(numbers.values()), 0) + apart
        before = words
    return numbers


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
