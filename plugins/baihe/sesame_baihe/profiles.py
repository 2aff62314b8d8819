"""Candidates from a file: CSV or JSON lines with a profile and its relevance."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from sesame_sdk import Rejected

FIELDS = ("profile", "relevance")
#: Candidates for one member. Whoever has more narrows them down first.
MOST = 5_000_000


@frozen
class Profile:
    """One candidate, as the site knows them.

    Attributes:
        name: the site's own id.
        relevance: how well they fit the member who looks, 0 to 1.
    """

    name: str
    relevance: float


def read(path: Path) -> tuple[Profile, ...]:
    """The candidates of a file, in its order. All or nothing: a ranking that misses somebody is unfair.

    Args:
        path: ``.jsonl`` and ``.ndjson`` are JSON lines, all else CSV with a header.

    Raises:
        Rejected: the file cannot be read; names the line and what is wrong with it.
    """
    found: dict[str, Profile] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _from_json(file) if path.suffix in (".jsonl", ".ndjson") else _from_csv(file)
            for number, values in lines:
                profile = _profile(values, number)
                if profile.name in found:
                    raise Rejected("names a profile that an earlier line names", field=f"line {number}")
                if len(found) == MOST:
                    raise Rejected(f"must name at most {MOST:,} profiles", field=path.name)
                found[profile.name] = profile
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Rejected(f"cannot be read: {type(error).__name__}", field=path.name) from error
    return tuple(found.values())


def _from_csv(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    rows = csv.DictReader(file)
    missing = [name for name in FIELDS if name not in (rows.fieldnames or ())]
    if missing:
        raise Rejected(f"the header lacks {', '.join(missing)}", field="header")
    for values in rows:
        yield rows.line_num, values


def _from_json(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, start=1):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Rejected("is not JSON", field=f"line {number}") from error


def _profile(values: object, number: int) -> Profile:
    if not isinstance(values, dict) or any(values.get(name) in (None, "") for name in FIELDS):
        raise Rejected(f"needs {' and '.join(FIELDS)}", field=f"line {number}")
    try:
        relevance = float(values["relevance"])
    except (TypeError, ValueError) as error:
        raise Rejected("relevance must be a number", field=f"line {number}") from error
    if not 0 <= relevance <= 1:
        raise Rejected("relevance must lie between 0 and 1", field=f"line {number}")
    return Profile(str(values["profile"]), relevance)
