"""A party announces its next key by a message that its present key signs.

The message is a SET with the event `EventType.KEY_ROTATION`. A partner sends it to its hub; a hub publishes
its own, addressed to itself, in its JWK set.

Rules, after the key change of RFC 8555 (ACME) section 7.3.5:
    * the present key signs the SET, so that only its holder names a successor
    * the next key signs the proof in it, which names both parties and the present key, so that nobody
      announces a key of somebody else
    * the present key stays valid for the overlap, so that messages under way are still accepted
    * a key that has an end, or was revoked, announces none: a key has one successor
    * the announcement and its proof have no further members: a hub keeps both, and a text in them could be
      about a person (see `message_form`)
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen, validators

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.jwt import (
    Event,
    KeyFinder,
    Token,
    new_jti,
    numeric_date,
    sign_claims,
    sign_event,
    verify_event,
)
from sesame_sdk.signing.keys import Trust, TrustedKey, check_published, public_point, thumbprint
from sesame_sdk.signing.message_form import load_unique

PROOF_TYP = "sesame-key-proof+jwt"
MAX_OVERLAP = timedelta(days=90)
DEFAULT_OVERLAP = timedelta(days=7)
_MAX_PROOF_LENGTH = 2048
_JWK_MEMBERS = ("kty", "crv", "x")
_PROOF_MEMBERS = frozenset({"iss", "aud", "iat", "jti", "old_kid", "exp", "nbf"})


@frozen
class KeyRotation:
    """The payload of an announcement.

    Attributes:
        jwk: the next key, which is valid at once.
        overlap_seconds: how long the key that signs the announcement stays valid.
        proof: a JWT that the next key signs.
    """

    jwk: dict[str, Any]
    overlap_seconds: int = field(
        validator=[validators.ge(0), validators.le(int(MAX_OVERLAP.total_seconds()))]
    )
    proof: str = field(validator=validators.max_len(_MAX_PROOF_LENGTH))

    @property
    def kid(self) -> str:
        """The thumbprint of the next key."""
        return thumbprint(self.jwk)

    @property
    def overlap(self) -> timedelta:
        """How long the present key stays valid."""
        return timedelta(seconds=self.overlap_seconds)


@frozen
class _ProofClaims:
    aud: str
    old_kid: str


def announce(
    present: Signer, following: Signer, *, issuer: str, audience: str, now: datetime, overlap: timedelta
) -> tuple[bytes, str]:
    """Sign the announcement of the key `following`; the SET, and its ``jti``, which that key determines.

    Raises:
        InvalidInputError: `overlap` is negative or longer than `MAX_OVERLAP`.
    """
    if not timedelta() <= overlap <= MAX_OVERLAP:
        raise InvalidInputError(f"must be 0 to {MAX_OVERLAP.days} days", field="overlap")
    claims = {
        "iss": issuer,
        "aud": audience,
        "iat": numeric_date(now),
        "jti": new_jti(),
        "old_kid": present.kid,
    }
    proof = sign_claims(claims, following, typ=PROOF_TYP).decode()
    jwk = {name: following.public_jwk[name] for name in _JWK_MEMBERS}
    payload = KeyRotation(jwk, int(overlap.total_seconds()), proof)
    jti = announcement_jti(following.kid)
    parties = {"issuer": issuer, "audience": audience}
    return sign_event(EventType.KEY_ROTATION, payload, present, now=now, jti=jti, **parties), jti


def announcement_jti(kid: str) -> str:
    """The ``jti`` of the announcement of a key: the same key is announced once."""
    return f"key-{kid}"


def verify_rotation(token: Token, keys: KeyFinder, *, audience: str, now: datetime) -> Event[KeyRotation]:
    """Verify an announcement by the present key among `keys`, and the proof in it.

    Raises:
        InvalidInputError: one of them is invalid (codes of RFC 8935 section 2.4).
    """
    event = verify_event(
        token, keys, event=EventType.KEY_ROTATION, payload=KeyRotation, audience=audience, now=now
    )
    rotation = event.payload
    _check_members(rotation.jwk)
    if rotation.kid == event.kid:
        raise InvalidInputError("is the key that signs the announcement", field="jwk", code="invalid_key")
    proof = Token.parse(rotation.proof.encode())
    if proof.issuer != event.issuer:
        raise InvalidInputError("must have the issuer of the announcement", field="proof")
    following = Trust({event.issuer: [TrustedKey(rotation.jwk, datetime.min.replace(tzinfo=now.tzinfo))]})
    verified = proof.verify(following, typ=PROOF_TYP, audience=audience, now=now)
    if unknown := load_unique(verified.claims).keys() - _PROOF_MEMBERS:
        raise _unknown_member("proof", unknown)
    if codec.decode(verified.claims, _ProofClaims, field="proof").old_kid != event.kid:
        raise InvalidInputError("must name the key that signs the announcement", field="proof")
    return event


def _check_members(jwk: dict[str, Any]) -> None:
    public_point(jwk)
    check_published({"kid": thumbprint(jwk)} | jwk)
    if unknown := jwk.keys() - {*_JWK_MEMBERS, "kid", "use", "alg"}:
        raise _unknown_member("jwk", unknown)


def _unknown_member(field: str, members: Iterable[str]) -> InvalidInputError:
    text = f"has an unknown member {min(members)[:64]!a}"
    return InvalidInputError(text, field=field, hint="leave it out")
