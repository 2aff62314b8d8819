"""The claims and members that an envelope may hold.

A hub stores what it gave a receipt for, so further members would be stored too, and people consented to
signals only. RFC 8417 section 2.2 lets a receiver ignore unknown claims; around signals they are refused.
"""

import json
from collections.abc import Sequence
from typing import Annotated

import msgspec
from attrs import fields

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.signals import Signal

SD_ALG = "sha-256"
#: A salt and a signal of maximal length take about half of it.
MAX_DISCLOSURE_BYTES = 1024
_MEMBERS = {attribute.name for attribute in fields(Signal)}
_TEXTS = 4  # among a signal's values: all but the number
#: Quotes in a disclosure: around the salt, the names of the members, and those values that are text.
_QUOTES = 2 * (1 + len(_MEMBERS) + _TEXTS)
_ABSENT = msgspec.Raw(b"null")


class Element(msgspec.Struct, rename={"digest": "..."}, forbid_unknown_fields=True, frozen=True):
    """The digest of a disclosure in an array (RFC 9901 section 4.2.4.2)."""

    digest: str


class Digests(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The event of an envelope whose signals are disclosures."""

    signals: Annotated[list[Element], msgspec.Meta(max_length=MAX_SIGNALS)]


class InTheClear(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The event of a plain SET."""

    signals: Annotated[tuple[Signal, ...], msgspec.Meta(max_length=MAX_SIGNALS)]


class EnvelopeClaims(
    msgspec.Struct, rename={"algorithm": "_sd_alg"}, forbid_unknown_fields=True, frozen=True
):
    """The claims that an envelope may have (RFC 8417 section 2.2, RFC 9901 section 4.1.1).

    `Token` has decoded all but the last. ``sub_id`` is not among them: signals name their own subjects.
    """

    iss: msgspec.Raw
    iat: msgspec.Raw
    jti: msgspec.Raw
    aud: msgspec.Raw
    events: msgspec.Raw
    exp: msgspec.Raw = _ABSENT
    nbf: msgspec.Raw = _ABSENT
    toe: msgspec.Raw = _ABSENT
    txn: msgspec.Raw = _ABSENT
    algorithm: str = SD_ALG


def check_disclosed(texts: Sequence[bytes]) -> None:
    """Check that each decoded disclosure holds a salt and the members of a signal.

    Raises:
        InvalidInputError: one holds more, or is too long.
    """
    if max(map(len, texts), default=0) > MAX_DISCLOSURE_BYTES:
        raise InvalidInputError(f"must be at most {MAX_DISCLOSURE_BYTES} bytes", field="disclosure")
    # A further member adds two quotes, and escaped text may add some: only those are parsed again, which
    # for each would cost more than all the rest of opening.
    for text in texts:
        if text.count(b'"') != _QUOTES:
            _check_members(json.loads(text, object_pairs_hook=list)[1])


def check_in_the_clear(payload: msgspec.Raw) -> None:
    """Check that each signal in the clear has the members of a signal.

    Raises:
        InvalidInputError: one has more.
    """
    for pairs in json.loads(bytes(payload), object_pairs_hook=list)[0][1]:
        _check_members(pairs)


def _check_members(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len(names) != len(_MEMBERS) or set(names) != _MEMBERS:
        raise InvalidInputError("must have the members of a signal, each once, and no others", field="signal")
