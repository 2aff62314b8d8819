"""A CSV file of consents, read and checked as a whole before any is recorded.

Rules:
    * UTF-8, with or without a byte order mark; all of `COLUMNS`, and `OPTIONAL` ones if known
    * a consent without ``given_at`` is given at the time of import; importing it again changes nothing
    * every error names the file and the line
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from sesame_sdk.cli.options import parse_timestamp
from sesame_sdk.constants import MAX_PERSON_LENGTH
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.grant import Direction, Grant

#: A cell with several kinds or crossings separates them with spaces; adult is yes or no.
COLUMNS = ("person", "partner", "subject", "direction", "kinds", "purpose", "context", "crossings", "adult")
#: RFC 3339 timestamps; a cell may be empty.
OPTIONAL = ("given_at", "expires_at")
_PersonGrant = tuple[str, Grant]


def read_grants(
    file: Path, now: datetime, partners: Iterable[str], advance: Callable[[int], None]
) -> list[tuple[_PersonGrant, bool]]:
    """Each consent of `file`, and whether the file says when it was given; others are given `now`, in UTC.

    Partners are the issuers that the hub has admitted. `advance` is called with 1 for each line.

    Raises:
        GuardRefusedError: naming file and line, for a person who is not known to be 18.
        InvalidInputError: naming file and line, for any other fault.
    """
    issuers = set(partners)
    with file.open("rb") as data:
        reader = csv.DictReader(_lines(data), strict=True)
        try:
            _check_header(reader.fieldnames or ())
            grants = []
            for row in reader:
                grants.append((_parse_row(row, now, issuers), bool(row.get("given_at"))))
                advance(1)
        except GuardRefusedError as error:
            error.field = f"{file}, line {reader.line_num}"
            raise
        except (ValueError, csv.Error) as error:
            # A line that could not even be split is not counted yet.
            line = reader.line_num + (not isinstance(error, InvalidInputError))
            message = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise InvalidInputError(message, field=f"{file}, line {max(line, 1)}") from error
    if not grants:
        raise InvalidInputError("has no rows", field=f"{file}, line 1")
    return grants


def select_new(
    rows: Iterable[tuple[_PersonGrant, bool]], recorded: Iterable[_PersonGrant]
) -> tuple[list[_PersonGrant], int]:
    """The grants to record of what `read_grants` returned, and how many others were withdrawn since.

    A grant without its own ``given_at`` is left out if it is on record, valid or withdrawn.
    """
    active: dict[object, bool] = {}
    for person, grant in recorded:
        key = _key(person, grant)
        active[key] = active.get(key, False) or grant.withdrawn_at is None
    new_grants, withdrawn = [], 0
    for (person, grant), dated in rows:
        key = _key(person, grant)
        if dated or key not in active:
            new_grants.append((person, grant))
            active[key] = True
        else:
            withdrawn += not active[key]
    return new_grants, withdrawn


def _key(person: str, grant: Grant) -> object:
    kinds, crossings = frozenset(grant.kinds), frozenset(grant.crossings)
    scope = (grant.direction, kinds, grant.purpose, grant.context, crossings)
    return (person, grant.partner, grant.subject, *scope, grant.adult)


def _lines(data: Iterable[bytes]) -> Iterator[str]:
    # Line by line, so that an error knows its line.
    for number, line in enumerate(data):
        yield line.decode("utf-8" if number else "utf-8-sig")


def _check_header(header: Iterable[str]) -> None:
    names = list(header)
    if missing := sorted(set(COLUMNS) - set(names)):
        raise InvalidInputError(f"lacks the column(s) {', '.join(missing)}")
    if unknown := sorted(set(names) - {*COLUMNS, *OPTIONAL}):
        raise InvalidInputError(f"has the unknown column {unknown[0]!r}", hint="remove it")
    if len(set(names)) < len(names):
        raise InvalidInputError("names a column twice")


def _parse_row(row: dict[str, str], now: datetime, issuers: set[str]) -> _PersonGrant:
    if None in row or None in row.values():
        raise InvalidInputError("has not as many cells as the first line has columns")
    if not 0 < len(row["person"].strip()) <= len(row["person"]) <= MAX_PERSON_LENGTH:
        raise InvalidInputError(f"must be 1 to {MAX_PERSON_LENGTH} characters", field="person")
    if row["direction"] not in list(Direction):
        raise InvalidInputError(f"must be one of {', '.join(Direction)}", field="direction")
    if row["adult"] not in {"yes", "no"}:
        raise InvalidInputError("must be yes or no", field="adult", hint="yes: known to be 18 or older")
    grant = _parse_grant(row, now)
    if grant.partner not in issuers:
        raise InvalidInputError("is not a partner of this hub", field="partner", hint="sesame partners add")
    if grant.expires_at and grant.expires_at <= grant.given_at:
        raise InvalidInputError("is before given_at", field="expires_at")
    Guard().admit_grant(grant)
    return row["person"], grant


def _parse_grant(row: dict[str, str], now: datetime) -> Grant:
    given_at, expires_at = (
        parse_timestamp(row[name], field=name) if row.get(name) else None for name in OPTIONAL
    )
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
