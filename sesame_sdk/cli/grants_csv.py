"""A CSV file of consents, read and checked whole before any of it is recorded.

Rules:
    * UTF-8, with or without a byte order mark; `COLUMNS`, and `OPTIONAL` ones where somebody knows them
    * a consent without ``given_at`` is given when it is loaded, once: told again, it is known already
    * every error names the file and the line
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from sesame_sdk.cli.options import moment
from sesame_sdk.constants import MAX_PERSON_LENGTH
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.grant import Direction, Grant

#: Several kinds or crossings in one cell are parted by spaces; adult is yes, or no where it is not known.
COLUMNS = ("person", "partner", "subject", "direction", "kinds", "purpose", "context", "crossings", "adult")
#: RFC 3339 moments; a cell may be empty.
OPTIONAL = ("given_at", "expires_at")
_Told = tuple[str, Grant]


def read(
    file: Path, now: datetime, partners: Iterable[str], advance: Callable[[int], None]
) -> list[tuple[_Told, bool]]:
    """Each consent of `file`, and whether the file says when it was given.

    Args:
        file: the CSV file.
        now: when the others were given; UTC.
        partners: issuers that the hub knows.
        advance: told of each line.

    Raises:
        GuardRefusedError: naming file and line, a consent of somebody who is not known to be 18.
        InvalidInputError: naming file and line, when anything in it is not as it should be.
    """
    known = set(partners)
    with file.open("rb") as data:
        reader = csv.DictReader(_lines(data), strict=True)
        try:
            _check_header(reader.fieldnames or ())
            found = []
            for row in reader:
                found.append((_consent(row, now, known), bool(row.get("given_at"))))
                advance(1)
        except GuardRefusedError as error:
            error.field = f"{file}, line {reader.line_num}"
            raise
        except (ValueError, csv.Error) as error:
            # A line that could not even be split is not counted yet.
            line = reader.line_num + (not isinstance(error, InvalidInputError))
            raise InvalidInputError(_words(error), field=f"{file}, line {max(line, 1)}") from error
    if not found:
        raise InvalidInputError("has no rows", field=f"{file}, line 1")
    return found


def new_ones(rows: Iterable[tuple[_Told, bool]], recorded: Iterable[_Told]) -> tuple[list[_Told], int]:
    """What to record of the rows that `read` gave, and how many others were withdrawn since.

    Left out is what has no moment of its own and is on record, whether it stands or was withdrawn.

    Args:
        rows: the consents of the file.
        recorded: all that the hub has, also those that have ended.
    """
    standing: dict[object, bool] = {}
    for person, grant in recorded:
        key = _key(person, grant)
        standing[key] = standing.get(key, False) or grant.withdrawn_at is None
    told, withdrawn = [], 0
    for (person, grant), dated in rows:
        key = _key(person, grant)
        if dated or key not in standing:
            told.append((person, grant))
            standing[key] = True
        else:
            withdrawn += not standing[key]
    return told, withdrawn


def _key(person: str, grant: Grant) -> object:
    kinds, crossings = frozenset(grant.kinds), frozenset(grant.crossings)
    return (
        person,
        grant.partner,
        grant.subject,
        grant.direction,
        kinds,
        grant.purpose,
        grant.context,
        crossings,
        grant.adult,
    )


def _lines(data: Iterable[bytes]) -> Iterator[str]:
    # Line by line, so that an error knows its line.
    for number, line in enumerate(data):
        yield line.decode("utf-8" if number else "utf-8-sig")


def _words(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8"
    return str(error)


def _check_header(names: Iterable[str]) -> None:
    names = list(names)
    if missing := sorted(set(COLUMNS) - set(names)):
        raise InvalidInputError(f"lacks the column(s) {', '.join(missing)}")
    if further := sorted(set(names) - {*COLUMNS, *OPTIONAL}):
        raise InvalidInputError(
            f"has the column {further[0]!r}, which means nothing here", hint="take it out"
        )
    if len(set(names)) < len(names):
        raise InvalidInputError("names a column twice")


def _consent(row: dict[str, str], now: datetime, partners: set[str]) -> _Told:
    if None in row or None in row.values():
        raise InvalidInputError("has not as many cells as the first line has columns")
    if not 0 < len(row["person"].strip()) <= len(row["person"]) <= MAX_PERSON_LENGTH:
        raise InvalidInputError(f"must be 1 to {MAX_PERSON_LENGTH} characters", field="person")
    if row["direction"] not in list(Direction):
        raise InvalidInputError(f"must be one of {', '.join(Direction)}", field="direction")
    if row["adult"] not in {"yes", "no"}:
        raise InvalidInputError("must be yes or no", field="adult", hint="yes: known to be 18 or older")
    grant = _grant(row, now)
    if grant.partner not in partners:
        raise InvalidInputError("is not a partner here", field="partner", hint="sesame partners add")
    if grant.expires_at and grant.expires_at <= grant.given_at:
        raise InvalidInputError("lies before it was given", field="expires_at")
    Guard().admit_grant(grant)
    return row["person"], grant


def _grant(row: dict[str, str], now: datetime) -> Grant:
    given_at, expires_at = (_moment_or_none(row, name) for name in OPTIONAL)
    return Grant(
        partner=row["partner"],
        subject=row["subject"],
        direction=Direction(row["direction"]),
        given_at=given_at or now,
        kinds=tuple(row["kinds"].split()),
        purpose=row["purpose"] or None,
        context=row["context"] or None,
        crossings=tuple(row["crossings"].split()),
        expires_at=expires_at,
        adult=row["adult"] == "yes",
    )


def _moment_or_none(row: dict[str, str], name: str) -> datetime | None:
    return moment(row[name], field=name) if row.get(name) else None
