"""Candidates from a file: CSV or JSON lines with a profile, its relevance, maybe the interest in return."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from sesame_sdk import InvalidInputError

FIELDS = ("profile", "relevance")
IN_RETURN = "in_return"
#: Candidates for one member. Whoever has more narrows them down first.
MOST = 5_000_000


@frozen
class Profile:
    """One candidate, as the site knows them.

    Attributes:
        name: the site's own id.
        relevance: how well they fit the member who looks, 0 to 1.
        in_return: how well the member fits them; all profiles of a file have it, or none.
    """

    name: str
    relevance: float
    in_return: float | None = None


def read(path: Path) -> tuple[Profile, ...]:
    """The candidates of a file, in its order. All or nothing: a ranking that misses somebody is unfair.

    Args:
        path: ``.jsonl`` and ``.ndjson`` are JSON lines, all else CSV with a header.

    Raises:
        InvalidInputError: the file cannot be read; names the line and what is wrong with it.
    """
    found: dict[str, Profile] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _from_json(file) if path.suffix in (".jsonl", ".ndjson") else _from_csv(file)
            for number, values in lines:
                profile = _profile(values, number)
                if profile.name in found:
                    raise InvalidInputError(
                        "names a profile that an earlier line names", field=f"line {number}"
                    )
                if len(found) == MOST:
                    raise InvalidInputError(f"must name at most {MOST:,} profiles", field=path.name)
                if (profile.in_return is None) is not (next(iter(found.values()), profile).in_return is None):
                    raise InvalidInputError("all lines have in_return, or none", field=f"line {number}")
                found[profile.name] = profile
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error
    return tuple(found.values())


def _from_csv(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    rows = csv.DictReader(file)
    missing = [name for name in FIELDS if name not in (rows.fieldnames or ())]
    if missing:
        raise InvalidInputError(f"the header lacks {', '.join(missing)}", field="header")
    for values in rows:
        yield rows.line_num, values


def _from_json(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, start=1):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError("is not JSON", field=f"line {number}") from error


def _profile(values: object, number: int) -> Profile:
    if not isinstance(values, dict) or any(values.get(name) in (None, "") for name in FIELDS):
        raise InvalidInputError(f"needs {' and '.join(FIELDS)}", field=f"line {number}")
    back = values.get(IN_RETURN)
    return Profile(
        str(values["profile"]),
        _share(values["relevance"], "relevance", number),
        None if back in (None, "") else _share(back, IN_RETURN, number),
    )


def _share(value: Any, name: str, number: int) -> float:  # noqa: ANN401 - whatever JSON holds
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be a number", field=f"line {number}") from error
    if not 0 <= share <= 1:
        raise InvalidInputError(f"{name} must lie between 0 and 1", field=f"line {number}")
    return share
