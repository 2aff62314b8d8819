"""The form of messages that a hub stores: only members that a message has, each of its form, each once.

A hub stores a message as long as its ledger, also after a person in it was erased. So a partner must not be
able to put a text about a person into it. RFC 8417 section 2.2 would let a receiver ignore what it does not
know; a hub refuses it.

| claim | form |
| --- | --- |
| ``iss`` | a known partner |
| ``aud`` | our issuer, alone or in a list of at most `MAX_AUDIENCES` URLs |
| ``iat``, ``exp``, ``nbf``, ``toe`` | numbers |
| ``jti``, ``txn`` | at most 64 letters, digits and ``._~:+/=-`` |
| ``_sd_alg`` | ``sha-256`` |
| ``events`` | one event, with the members of its type |
"""

import json
from typing import Annotated, Any

import msgspec
from attrs import evolve, frozen

from sesame_sdk.constants import MAX_URL_LENGTH
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import codec
from sesame_sdk.model.validators import ID_PATTERN
from sesame_sdk.signing import base64url
from sesame_sdk.signing.jwt import Token

SD_ALG = "sha-256"
MAX_AUDIENCES = 8
_Id = Annotated[str, msgspec.Meta(pattern=rf"^{ID_PATTERN}\Z")]
_Audience = Annotated[
    str, msgspec.Meta(max_length=MAX_URL_LENGTH, pattern=r"^https?://[A-Za-z0-9._~:\[\]/-]+\Z")
]
_Audiences = Annotated[tuple[_Audience, ...], msgspec.Meta(max_length=MAX_AUDIENCES)]


_MEMBERS = {"iss", "iat", "jti", "aud", "events", "exp", "nbf", "toe", "txn", "_sd_alg"}


@frozen
class MessageClaims:
    """The claims that a message may have (RFC 8417 section 2.2, RFC 9901 section 4.1.1).

    ``sub_id`` is not among them: signals name their own subjects.
    """

    iss: str
    iat: float
    jti: _Id
    aud: _Audience | _Audiences
    events: dict[str, msgspec.Raw]
    exp: float | None = None
    nbf: float | None = None
    toe: float | None = None
    txn: _Id | None = None
    algorithm: str = SD_ALG


def decode_claims(claims: bytes) -> MessageClaims:
    """Decode the claims of a message; `InvalidInputError` if one is unknown, repeated, or not of its form."""
    decoded = codec.decode(claims, MessageClaims, field="claims")
    for event in decoded.events.values():  # which has a form of its own, and may be long
        claims = claims.replace(bytes(event), b"0", 1)
    members = load_unique(claims)
    for name in sorted(members.keys() - _MEMBERS):
        raise InvalidInputError(f"has an unknown member {name[:64]!a}", field="claims", hint="leave it out")
    algorithm = members.get("_sd_alg", SD_ALG)
    if not isinstance(algorithm, str):
        raise InvalidInputError("must be a text", field="_sd_alg")
    return evolve(decoded, algorithm=algorithm)


def check_message(token: Token, payload: object) -> None:
    """Check the claims of a verified message, and that its event has the members of its `payload` alone.

    Raises:
        InvalidInputError: a member is unknown, repeated, or not of its form.
    """
    claims = decode_claims(base64url.decode(token.encoded.split(b".")[1], field="token"))
    (event,) = claims.events.values()
    _check_members(load_unique(bytes(event)), json.loads(codec.encode(payload)), "events")


def load_unique(text: bytes) -> Any:  # noqa: ANN401 - JSON
    """Decode JSON; `InvalidInputError` if an object has a member twice: parsers differ in which they take."""
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidInputError("has a duplicate member", field="token")
    return members


def _check_members(sent: object, known: object, field: str) -> None:
    if isinstance(sent, dict) and isinstance(known, dict):
        if sent.keys() - known.keys():
            raise InvalidInputError("has an unknown member", field=field, hint="leave it out")
        for name, member in sent.items():
            _check_members(member, known[name], name)
    elif isinstance(sent, list) and isinstance(known, list):
        for one, other in zip(sent, known, strict=False):
            _check_members(one, other, field)
