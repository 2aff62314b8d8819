"""The keys of partners that publish a JWK set at a URL: the set decides which keys are valid.

Rules:
    * the operator names the URL; its owner decides on the partner's keys, so such a partner announces none by
      message
    * a key that is new in the set is valid from then on, or from its ``nbf``; it ends at its ``exp``, and
      when the set lists it no longer, or as revoked. What was received before stays: only the operator's
      revocation voids it
    * a key that the operator revoked stays revoked, and one that has ended stays so, whatever the set says
    * a set without a valid key, or with a key of another partner, changes nothing
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import evolve, frozen
from sqlalchemy import Connection, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import partner_keys, partners
from sesame_sdk.hub.database.timestamps import to_micros, to_micros_or_none
from sesame_sdk.hub.partners import keys
from sesame_sdk.signing.keys import TrustedKey


@frozen
class KeySet:
    """Where a partner publishes its keys."""

    partner: int
    issuer: str
    url: str


def set_url(connection: Connection, issuer: str, url: str, next_check: datetime) -> KeySet:
    """Record where a partner publishes its keys, to be fetched again at `next_check`."""
    partner = keys.partner_id(connection, issuer)
    values = {"jwks_url": url, "jwks_due_at": to_micros(next_check)}
    connection.execute(update(partners).where(partners.c.id == partner).values(values))
    return KeySet(partner, issuer, url)


def find(connection: Connection, issuer: str) -> KeySet:
    """The key set of a partner. Raises `InvalidInputError`: no such partner, or it publishes none."""
    partner = keys.partner_id(connection, issuer)
    url = connection.scalar(select(partners.c.jwks_url).where(partners.c.id == partner))
    if url is None:
        hint = "name one with: sesame partners add --jwks-url"
        raise InvalidInputError("has no JWK set at a URL", field="partner", hint=hint)
    return KeySet(partner, issuer, url)


def check_announces(connection: Connection, partner: int) -> None:
    """Raise `InvalidInputError` if a partner publishes its keys at a URL, instead of announcing them."""
    if connection.scalar(select(partners.c.jwks_url).where(partners.c.id == partner)) is not None:
        hint = "publish the next key in your JWK set"
        raise InvalidInputError("are published at a URL", field="keys", hint=hint, code="invalid_key")


def due(connection: Connection, at: datetime) -> list[KeySet]:
    """The sets that are to be fetched."""
    columns = (partners.c.id, partners.c.issuer, partners.c.jwks_url)
    is_due = partners.c.jwks_url.is_not(None) & (partners.c.jwks_due_at <= to_micros(at))
    return [KeySet(*row) for row in connection.execute(select(*columns).where(is_due))]


def claim(connection: Connection, at: datetime, interval: timedelta) -> list[KeySet]:
    """The sets that are to be fetched, by the caller alone of all processes."""
    claimed = due(connection, at)
    ids = [one.partner for one in claimed]
    this = update(partners).where(partners.c.id.in_(ids))
    if claimed:
        connection.execute(this.values(jwks_due_at=to_micros(at + interval)))
    return claimed


def apply(connection: Connection, key_set: KeySet, published: Iterable[TrustedKey], at: datetime) -> int:
    """Make a partner's keys those of its set, by this module's rules. Returns how many changed.

    Raises:
        InvalidInputError: the set has no valid key, or one of another partner.
    """
    listed = {key.kid: key for key in published if key.revoked_at is None}
    known = {key.kid: key for key in keys.load_keys(connection, key_set.issuer)}
    keys.check_own(connection, key_set.partner, listed)
    after = {kid: _with_end(key, listed.get(kid), at) for kid, key in known.items()}
    new = [evolve(key, not_before=max(at, key.not_before)) for kid, key in listed.items() if kid not in known]
    if not any(_is_usable(key, at) for key in (*after.values(), *new)):
        raise InvalidInputError("has no valid key", field="jwks", code="invalid_key")
    changed = [key for kid, key in after.items() if key != known[kid]]
    for key in changed:
        this = update(partner_keys).where(
            partner_keys.c.partner == key_set.partner, partner_keys.c.kid == key.kid
        )
        connection.execute(this.values(not_after=to_micros_or_none(key.not_after)))
    if new:
        connection.execute(insert(partner_keys), [keys.key_row(key_set.partner, key) for key in new])
    return len(changed) + len(new)


def _with_end(key: TrustedKey, listed: TrustedKey | None, at: datetime) -> TrustedKey:
    ends = [end for end in (key.not_after, listed.not_after if listed else at) if end is not None]
    return evolve(key, not_after=min(ends, default=None))


def _is_usable(key: TrustedKey, at: datetime) -> bool:
    """Valid now or later: a set may hold the next key before it begins."""
    return evolve(key, not_before=min(at, key.not_before)).fault(at) is None
