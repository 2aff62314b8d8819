"""The keys that a hub publishes, and how trust follows from one to the next.

A JWK set (RFC 7517) with the further member ``rotations``: the announcements by which each key named its
successor, oldest first. Other software ignores the member. Keys that have ended stay in it with ``exp``, so
that old receipts can still be verified, as the historical keys of OpenID Federation 1.0 section 8.7.

Rules, after the root keys of The Update Framework, section 5.3: trust goes step by step
    * a key that is trusted, has no end and was not revoked names one successor, which is then trusted, and
      ends after the overlap. The dates in announcements do not matter, since a thief can write any
    * an end or a revocation that was seen once is never taken back
    * a key that is valid now and was not named by such a step is a reason to ask the operator
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from attrs import evolve, frozen

from sesame_sdk.errors import ConfigurationError, InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model import codec
from sesame_sdk.signing.jwt import Token
from sesame_sdk.signing.key_rotation import announce, verify_rotation
from sesame_sdk.signing.keys import ALWAYS, Trust, TrustedKey, jwk_set, read_jwk_set

#: So that a set stays below `keys.MAX_SET_BYTES`.
_MAX_PUBLISHED, _MAX_ROTATIONS = 50, 24
_ANY_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@frozen
class _Rotations:
    rotations: tuple[str, ...] = ()


@frozen
class PublishedKeys:
    """The keys of one hub, and the announcements of those that replaced another, both oldest first."""

    keys: tuple[TrustedKey, ...] = ()
    rotations: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Decode a published set, without keys of other types and uses.

        Raises:
            InvalidInputError: as `read_jwk_set`, or the announcements' form is invalid.
        """
        keys = tuple(TrustedKey.from_jwk(jwk) for jwk in read_jwk_set(data, skip_unusable=True))
        return cls(keys, codec.decode(data, _Rotations, field="jwks").rotations[-_MAX_ROTATIONS:])

    def to_dict(self) -> dict[str, Any]:
        """The JWK set, to be published."""
        keys = jwk_set(key.published_jwk for key in self.keys)
        return {**keys, **({"rotations": self.rotations} if self.rotations else {})}

    def with_key(self, jwk: dict[str, Any], not_before: datetime | None = None) -> Self:
        """With one more key, unless it is there; of too many the oldest go."""
        new = TrustedKey.from_jwk(jwk)
        if new.kid in {key.kid for key in self.keys}:
            return self
        new = evolve(new, not_before=not_before or new.not_before)
        return evolve(self, keys=(*self.keys, new)[-_MAX_PUBLISHED:])

    def rotated(
        self, present: Signer, following: Signer, *, issuer: str, now: datetime, overlap: timedelta
    ) -> Self:
        """With the announcement of `following`, and the end of `present`."""
        statement, _ = announce(present, following, issuer=issuer, audience=issuer, now=now, overlap=overlap)
        ended = self._change(present.kid, not_after=now + overlap).with_key(following.public_jwk, now)
        return evolve(ended, rotations=(*self.rotations, statement.decode())[-_MAX_ROTATIONS:])

    def revoked(self, present: Signer, following: Signer, *, now: datetime, since: datetime) -> Self:
        """With `present` revoked, and `following` in its place, which nothing announces."""
        return self._change(present.kid, revoked_at=since).with_key(following.public_jwk, now)

    def _change(self, kid: str, **times: Any) -> Self:  # noqa: ANN401 - of `TrustedKey`
        keys = tuple(evolve(key, **times) if key.kid == kid else key for key in self.keys)
        return evolve(self, keys=keys)


def follow(
    pinned: Iterable[TrustedKey], published: PublishedKeys, *, issuer: str, now: datetime
) -> PublishedKeys:
    """What to trust of `published`, if `pinned` was trusted until now, by this module's rules.

    Raises:
        ConfigurationError: a published key is valid now and no trusted one named it, or none is valid.
    """
    listed = {key.kid: key for key in published.keys}
    trusted = {key.kid: _revoked_like(key, listed.get(key.kid, key)) for key in pinned}
    for statement in published.rotations:
        _step(trusted, statement, issuer)
    keys = tuple(_ended_like(trusted[kid], key) for kid, key in listed.items() if kid in trusted)
    unnamed = [key for key in published.keys if key.kid not in trusted and _is_valid(key, now)]
    if unnamed or not any(_is_valid(key, now) for key in keys):
        raise ConfigurationError(
            "publishes other keys than the pinned ones, and no pinned key announced them",
            field="hub",
            hint="confirm with its operator that they changed, then run sesame keys trust, or call repin()",
        )
    return PublishedKeys(keys)


def _step(trusted: dict[str, TrustedKey], statement: str, issuer: str) -> None:
    """Trust the key that a trusted one names in this statement, if one does."""
    announcing = [key for key in trusted.values() if key.not_after is None and key.revoked_at is None]
    try:
        token = Token.parse(statement.encode())
        step = verify_rotation(token, Trust({issuer: announcing}), audience=issuer, now=_ANY_TIME)
    except InvalidInputError:
        return  # by a key that is not trusted, or has a successor already
    end = step.issued_at + step.payload.overlap
    trusted[step.kid] = evolve(trusted[step.kid], not_after=end)
    trusted.setdefault(step.payload.kid, TrustedKey(step.payload.jwk, ALWAYS))


def _revoked_like(key: TrustedKey, other: TrustedKey) -> TrustedKey:
    return evolve(key, revoked_at=_earlier(key.revoked_at, other.revoked_at))


def _ended_like(key: TrustedKey, other: TrustedKey) -> TrustedKey:
    # The JWK as published, with alg and kid. Validity begins at once: this machine's clock may be behind.
    return evolve(
        other,
        not_before=ALWAYS,
        not_after=_earlier(key.not_after, other.not_after),
        revoked_at=key.revoked_at,
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)


def _is_valid(key: TrustedKey, at: datetime) -> bool:
    return evolve(key, not_before=ALWAYS).fault(at) is None
