"""Reads candidates from CSV or JSON lines: profile, relevance, and reciprocal relevance if it is known."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from sesame_sdk import InvalidInputError, records

FIELDS = ("profile", "relevance")
RECIPROCAL_FIELD = "reciprocal_relevance"
#: Candidates for one viewer; a site with more selects some of them first.
MAX_CANDIDATES = 5_000_000


@frozen
class Candidate:
    """A candidate; how well it fits the viewer, 0 to 1, and how well the viewer fits it, if that is known."""

    name: str
    relevance: float
    reciprocal_relevance: float | None = None


def read_candidates(path: Path) -> tuple[Candidate, ...]:
    """Read the candidates of a file, in its order: ``.jsonl`` and ``.ndjson``, all else is CSV with a header.

    An invalid line rejects the file: none is left out. The InvalidInputError names the line.
    """
    candidates: dict[str, Candidate] = {}
    reciprocal: bool | None = None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _read_json(file) if path.suffix in (".jsonl", ".ndjson") else _read_csv(file)
            for number, values in lines:
                candidate = _parse(values, number)
                if candidate.name in candidates:
                    raise InvalidInputError("repeats the profile of an earlier line", field=f"line {number}")
                if len(candidates) == MAX_CANDIDATES:
                    raise InvalidInputError(f"must name at most {MAX_CANDIDATES:,} profiles", field=path.name)
                has_reciprocal = candidate.reciprocal_relevance is not None
                if reciprocal not in (None, has_reciprocal):
                    reason = f"all lines must have {RECIPROCAL_FIELD}, or none"
                    raise InvalidInputError(reason, field=f"line {number}")
                reciprocal = has_reciprocal
                candidates[candidate.name] = candidate
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"cannot be read: {type(error).__name__}", field=path.name) from error
    return tuple(candidates.values())


def _read_csv(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    rows = csv.reader(file)
    header = next(rows, [])
    places = records.find_columns(header, FIELDS)
    if RECIPROCAL_FIELD in [name.strip() for name in header]:
        places = records.find_columns(header, (*FIELDS, RECIPROCAL_FIELD))
    for row in rows:
        if any(map(str.strip, row)):
            yield rows.line_num, {name: row[at] for name, at in places.items() if at < len(row)}


def _read_json(file: Iterable[str]) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError("is not JSON", field=f"line {number}") from error


def _parse(values: object, number: int) -> Candidate:
    if not isinstance(values, dict) or any(values.get(name) in (None, "") for name in FIELDS):
        raise InvalidInputError(f"needs {' and '.join(FIELDS)}", field=f"line {number}")
    try:
        name = records.clean_id(values["profile"], "profile", printable=False)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"profile {error.message}", field=f"line {number}", hint=error.hint
        ) from error
    if name is None:
        raise InvalidInputError(f"needs {' and '.join(FIELDS)}", field=f"line {number}")
    reciprocal = values.get(RECIPROCAL_FIELD)
    return Candidate(
        name,
        _parse_share(values["relevance"], "relevance", number),
        None if reciprocal in (None, "") else _parse_share(reciprocal, RECIPROCAL_FIELD, number),
    )


def _parse_share(value: Any, name: str, number: int) -> float:  # noqa: ANN401 - whatever JSON holds
    try:
        share = float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be a number", field=f"line {number}") from error
    if not 0 <= share <= 1:
        raise InvalidInputError(f"{name} must be from 0 to 1", field=f"line {number}")
    return share
