"""Field validators of the model.

Each raises an `InvalidInputError` that names the field. None repeats the invalid value: it may be personal.
"""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from attrs import Attribute
from attrs.validators import instance_of as instance_of
from attrs.validators import optional as optional

from sesame_sdk.constants import MAX_KIND_LENGTH, MAX_SUBJECT_LENGTH, MAX_URL_LENGTH
from sesame_sdk.errors import InvalidInputError

Validator = Callable[[Any, "Attribute[Any]", Any], None]

CONTEXT_PATTERN = r"[a-z][a-z0-9-]{0,31}"
KIND_PATTERN = rf"{CONTEXT_PATTERN}(\.[a-z][a-z0-9-]{{0,31}}){{1,4}}"
URL_PATTERN = r"https?://[^\s/?#@]+(/[^\s?#]*)?"
#: UUIDv7 in its canonical form, RFC 9562 section 5.7.
SIGNAL_ID_PATTERN = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

#: What may stand for a person in a signal or a request: visible ASCII.
SUBJECT_PATTERN = r"[\x21-\x7e]+"
#: A pseudonym: 128 bits of a keyed hash in base32 (RFC 4648 section 6), in lower case and without padding.
PSEUDONYM_PATTERN = r"[a-z2-7]{26}"


#: An identifier of a message or a transaction: no text of sentences.
ID_PATTERN = r"[A-Za-z0-9._~:+/=-]{1,64}"


def text(max_length: int, *, pattern: str | None = None, example: str = "") -> Validator:
    """A non-empty string of at most `longest` characters, matching `pattern` whole if one is given."""
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(_: object, field: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, str):
            raise InvalidInputError(f"must be text, not {type(value).__name__}", field=field.name)
        if not value.strip():
            raise InvalidInputError("must not be empty", field=field.name)
        if len(value) > max_length:
            raise InvalidInputError(
                f"must be at most {max_length} characters, not {len(value)}", field=field.name
            )
        if "\0" in value:  # not valid in a PostgreSQL text
            raise InvalidInputError("must not contain a NUL character", field=field.name)
        if matches and not matches(value):
            raise InvalidInputError("has an invalid format", field=field.name, hint=f"example: {example}")

    return check


_is_pseudonym = re.compile(PSEUDONYM_PATTERN).fullmatch


def pseudonym(_: object, field: "Attribute[Any]", value: object) -> None:
    """A partner's pseudonym of a person: see `check_pseudonym`."""
    check_pseudonym(value, field.name)


def check_pseudonym(value: object, field: str) -> None:
    """Refuse what is not a pseudonym, such as a partner's own number or name of a person."""
    if not isinstance(value, str) or not _is_pseudonym(value):
        hint = "the partner derives it from its own id of the person: sesame keys pseudonym ID"
        text = "must be a pseudonym: 26 letters a to z and digits 2 to 7"
        raise InvalidInputError(text, field=field, hint=hint)


def finite(_: object, field: "Attribute[Any]", value: object) -> None:
    """A number that is neither NaN nor infinite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(f"must be a number, not {type(value).__name__}", field=field.name)
    if not abs(value) <= sys.float_info.max:  # also an integer that no float can hold
        raise InvalidInputError("must be finite, not NaN or infinity", field=field.name)


def utc(_: object, field: "Attribute[Any]", value: object) -> None:
    """A datetime in UTC. A naive one is refused: a guessed time zone would change the time."""
    if not isinstance(value, datetime):
        raise InvalidInputError(f"must be a datetime, not {type(value).__name__}", field=field.name)
    if value.tzinfo is None:
        raise InvalidInputError("has no time zone", field=field.name, hint="pass datetime(..., tzinfo=UTC)")
    if value.tzinfo is not UTC:
        raise InvalidInputError("must be in UTC", field=field.name, hint="call .astimezone(UTC) on it")


def tuple_of(kind: type, max_items: int | None = None, *, min_items: int = 0) -> Validator:
    """A tuple of `min_items` to `max_items` members, all instances of `kind`."""

    def check(_: object, field: "Attribute[Any]", value: object) -> None:
        # The types of all members in C; one by one only if there are other types.
        if not isinstance(value, tuple) or not all(
            issubclass(member, kind) for member in set(map(type, value))
        ):
            raise InvalidInputError(f"must be a tuple of {kind.__name__}", field=field.name)
        if len(value) < min_items:
            raise InvalidInputError(f"must hold at least {min_items}", field=field.name)
        if max_items is not None and len(value) > max_items:
            raise InvalidInputError(f"must hold at most {max_items}, not {len(value)}", field=field.name)

    return check


def optional_text(max_length: int) -> Validator:
    """A string as in `text`, or an empty one."""
    some = text(max_length)

    def check(owner: object, field: "Attribute[Any]", value: object) -> None:
        if value != "":
            some(owner, field, value)

    return check


def texts(max_items: int, *, max_length: int) -> Validator:
    """A tuple of at most `max_items` strings, each as in `text`."""
    return each(text(max_length), max_items)


def each(check: Validator, max_items: int) -> Validator:
    """A tuple of at most `max_items` members that all pass `check`."""

    def check_all(owner: object, field: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, tuple):
            raise InvalidInputError(f"must be a tuple, not {type(value).__name__}", field=field.name)
        if len(value) > max_items:
            raise InvalidInputError(f"must hold at most {max_items}, not {len(value)}", field=field.name)
        for member in value:
            check(owner, field, member)

    return check_all


url = text(MAX_URL_LENGTH, pattern=URL_PATTERN, example="https://shop.example")
iri = text(256, pattern=r"[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+", example="https://w3id.org/dpv#CustomerCare")
context = text(32, pattern=CONTEXT_PATTERN, example="retail")
kind_name = text(MAX_KIND_LENGTH, pattern=KIND_PATTERN, example="retail.order.completed")
observation = text(48, pattern=r"[a-z][a-z0-9_]*", example="order_kept")
signal_id = text(36, pattern=SIGNAL_ID_PATTERN, example="018bcfe5-6800-7abc-8abc-0123456789ab")
subject = text(MAX_SUBJECT_LENGTH, pattern=SUBJECT_PATTERN, example="rt_V2hvIGtub3dz")
sentence = text(400)
