"""Keys of partners: rotation by overlap, revocation from a point in time.

A revocation includes the keys that the revoked key announced since: a thief announces a key too. Which of
them the partner itself announced is unknown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen
from sqlalchemy import (
    CompoundSelect,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    bindparam,
    insert,
    select,
    union_all,
    update,
)

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.guard.text.normalize import confusable_skeleton
from sesame_sdk.hub.database.engine import ordered_join, read_transaction
from sesame_sdk.hub.database.tables import (
    envelopes,
    ledger_heads,
    partner_keys,
    partners,
    quarantined_envelopes,
)
from sesame_sdk.hub.database.timestamps import from_micros, from_micros_or_none, to_micros, to_micros_or_none
from sesame_sdk.model.issuers import normalize_issuer
from sesame_sdk.model.manifest import Party
from sesame_sdk.signing.keys import Trust, TrustedKey, thumbprint


class CurrentKeys:
    """Finds valid keys in the database: a `KeyFinder`.

    Nothing is cached, so a key that another process revokes is rejected from then on.
    """

    def __init__(self, engine: Engine, *, with_ended: bool = False) -> None:
        self._engine, self._with_ended = engine, with_ended

    def find_key(self, kid: str) -> tuple[str, TrustedKey] | None:
        """The partner with this key, and the key, which may not be valid; None if no partner has it."""
        with read_transaction(self._engine) as connection:
            issuer = connection.scalar(_OWNER, {"key": kid})
            keys = [] if issuer is None else load_keys(connection, issuer)
        return next(((issuer, key) for key in keys if issuer and key.kid == kid), None)

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:
        """See `signing.tokens.KeyFinder`."""
        with read_transaction(self._engine) as connection:
            keys = load_keys(connection, issuer)
        if self._with_ended:
            keys = [evolve(key, not_after=None) for key in keys]
        return Trust({issuer: keys} if keys else {}).find(issuer, kid, at)

    def with_ended(self) -> "CurrentKeys":
        """Find keys that have ended too: a sender whose receipt was lost sends its announcement again.

        `rotate_key` refuses another announcement under such a key.
        """
        return CurrentKeys(self._engine, with_ended=True)


@frozen
class HistoricalKeys:
    """Finds any key that a partner ever had, to verify what was accepted in the past: a `KeyFinder`."""

    connection: Connection
    _keys: dict[str, dict[str, Mapping[str, Any]]] = field(factory=dict, init=False, repr=False)

    def find(self, issuer: str, kid: str, at: datetime) -> Mapping[str, Any]:  # noqa: ARG002 - as the protocol
        """See `signing.tokens.KeyFinder`. The keys of an issuer are read once."""
        if issuer not in self._keys:
            self._keys[issuer] = {key.kid: key.jwk for key in load_keys(self.connection, issuer)}
        if kid in self._keys[issuer]:
            return self._keys[issuer][kid]
        raise InvalidInputError("is not a key of this issuer", field="kid", code="invalid_key")


def load_keys(connection: Connection, issuer: str) -> list[TrustedKey]:
    """All keys of a partner; none if there is no such partner."""
    rows = connection.execute(_KEYS, {"whose": issuer})
    return [
        TrustedKey(
            jwk=row.jwk,
            not_before=from_micros(row.not_before),
            not_after=from_micros_or_none(row.not_after),
            revoked_at=from_micros_or_none(row.revoked_at),
        )
        for row in rows
    ]


_OWNER = (
    select(partners.c.issuer)
    .join(partner_keys, partner_keys.c.partner == partners.c.id)
    .where(partner_keys.c.kid == bindparam("key"))
)
_KEYS = (
    select(partner_keys)
    .join(partners, partner_keys.c.partner == partners.c.id)
    .where(partners.c.issuer == bindparam("whose"))
)


def add_keys(
    connection: Connection, issuer: str, jwks: Iterable[Mapping[str, Any]], not_before: datetime
) -> None:
    """Add a partner, or further keys of one.

    Raises:
        InvalidInputError: no key, an invalid key or URL, a key of another partner, or a revoked one.
    """
    published = [TrustedKey.from_jwk(jwk) for jwk in jwks]
    keys = [evolve(key, not_before=max(not_before, key.not_before)) for key in published]
    if not keys:
        raise InvalidInputError("must hold at least one key", field="jwks")
    for key in keys:
        if fault := key.fault(key.not_before):
            raise InvalidInputError(fault, field="jwks", hint="leave it out", code="invalid_key")
    partner = ensure_partner(connection, issuer)
    known = _known(connection, partner, [key.kid for key in keys])
    new = [key for key in {key.kid: key for key in keys}.values() if key.kid not in known]
    if new:
        connection.execute(insert(partner_keys), [key_row(partner, key) for key in new])


def ensure_partner(connection: Connection, issuer: str) -> int:
    """The id of a partner, which is added unless it is there. Raises `InvalidInputError`: an invalid URL."""
    issuer = Party(issuer).issuer
    partner = _find(connection, issuer)
    if partner is None:
        connection.execute(insert(partners).values(issuer=issuer))
        partner = partner_id(connection, issuer)
        connection.execute(insert(ledger_heads).values(partner=partner, number=0, chain=b""))
    return partner


def key_row(partner: int, key: TrustedKey, announced_by: str | None = None) -> dict[str, Any]:
    """The row of a key that is not revoked."""
    return {
        "partner": partner,
        "kid": key.kid,
        "jwk": dict(key.jwk),
        "not_before": to_micros(key.not_before),
        "not_after": to_micros_or_none(key.not_after),
        "announced_by": announced_by,
    }


def rotate_key(
    connection: Connection,
    partner: int,
    present: str,
    following: Mapping[str, Any],
    at: datetime,
    overlap: timedelta,
) -> None:
    """Add the key `following`, valid from `at` on. `present`, which announced it, ends after `overlap`.

    Raises:
        InvalidInputError: `present` is revoked or has an end already, or `following` is a key of another
            partner, revoked, or one that has an end.
    """
    mine = partner_keys.c.partner == partner
    rows = {row.kid: row for row in connection.execute(select(partner_keys).where(mine))}
    old, new = rows[present], TrustedKey(following, at)
    if old.revoked_at is not None:
        raise InvalidInputError("was revoked", field="kid", code="invalid_key")
    if old.not_after is not None:
        hint = "sign with the key that replaced it; if that is not yours, tell the hub's operator"
        raise InvalidInputError("has been replaced already", field="kid", hint=hint, code="invalid_key")
    if new.kid not in _known(connection, partner, [new.kid]):
        connection.execute(insert(partner_keys), key_row(partner, new, announced_by=present))
    elif rows[new.kid].not_after is not None:
        raise InvalidInputError("was used before", field="jwk", hint="create a new key", code="invalid_key")
    this_one = update(partner_keys).where(mine, partner_keys.c.kid == present)
    connection.execute(this_one.values(not_after=to_micros(at + overlap)))


def _known(connection: Connection, partner: int, kids: Iterable[str]) -> set[str]:
    """Those of `kids` that the partner has already; `InvalidInputError` if it may not have one of them."""
    rows = check_own(connection, partner, kids)
    if any(row.revoked_at is not None for row in rows):
        raise _revoked_error()
    return {row.kid for row in rows}


def check_own(connection: Connection, partner: int, kids: Iterable[str]) -> Sequence[Row[Any, Any, Any]]:
    """The rows of the keys with these thumbprints; `InvalidInputError` if one is of another partner."""
    query = select(partner_keys.c.kid, partner_keys.c.partner, partner_keys.c.revoked_at)
    rows = connection.execute(query.where(partner_keys.c.kid.in_(sorted(set(kids))))).all()
    if any(row.partner != partner for row in rows):
        raise InvalidInputError("is a key of another partner", field="jwks", hint="create a key of your own")
    return rows


def check_not_revoked(jwks: Iterable[Mapping[str, Any]], revoked: Collection[str]) -> None:
    """Pass if no key has a thumbprint among `revoked`. Raises `InvalidInputError`: one has, or is invalid."""
    if any(thumbprint(jwk) in revoked for jwk in jwks):
        raise _revoked_error()


def _revoked_error() -> InvalidInputError:
    return InvalidInputError("was revoked", field="jwks", hint="create a new key")


def is_revoked(connection: Connection, partner: int, kid: str, at: datetime) -> bool:
    """Whether what a partner's key signed and the hub receives at a time does not count."""
    mine = and_(partner_keys.c.partner == partner, partner_keys.c.kid == kid)
    revoked_at = connection.scalar(select(partner_keys.c.revoked_at).where(mine))
    return revoked_at is not None and revoked_at <= to_micros(at)


def is_known(connection: Connection, kid: str) -> bool:
    """Whether any partner has, or had, the key with this thumbprint."""
    query = select(partner_keys.c.kid).where(partner_keys.c.kid == kid)
    return connection.execute(query).first() is not None


def partner_id(connection: Connection, issuer: str) -> int:
    """The id of a partner. Raises `InvalidInputError`: no such partner."""
    partner = _find(connection, normalize_issuer(issuer))
    if partner is None:
        raise InvalidInputError(
            f"{issuer} is not a partner of this hub", field="partner", hint="add it first"
        )
    return partner


@frozen
class PartnerKey:
    """A partner's key, since when it is revoked, if it is, and the keys that are revoked with it."""

    partner: int
    issuer: str
    kid: str
    revoked_at: datetime | None
    announced: tuple["PartnerKey", ...] = ()

    @property
    def all(self) -> tuple["PartnerKey", ...]:
        """This key and the announced ones."""
        return (self, *self.announced)


def find_key(connection: Connection, kid: str, issuer: str | None = None) -> PartnerKey:
    """The key of this thumbprint, of any partner unless one is named.

    Raises:
        InvalidInputError: there is none.
    """
    columns = (partner_keys.c.partner, partners.c.issuer, partner_keys.c.revoked_at)
    query = select(*columns).join_from(partner_keys, partners).where(partner_keys.c.kid == kid)
    if issuer is not None:
        query = query.where(partners.c.issuer == normalize_issuer(issuer))
    row = connection.execute(query).first()
    if row is None:
        whose = "any partner" if issuer is None else "this partner"
        raise InvalidInputError(
            f"is not a key of {whose}", field="kid", hint="list them with: sesame partners list"
        )
    return PartnerKey(row.partner, row.issuer, kid, from_micros_or_none(row.revoked_at))


def revoke_key(connection: Connection, key: PartnerKey, at: datetime) -> None:
    """Revoke a key from `at` on: what it signed and the hub received since does not count.

    The announced ones are revoked too. A revocation is never moved to a later time.
    """
    mine = and_(partner_keys.c.partner == key.partner, partner_keys.c.kid.in_([one.kid for one in key.all]))
    earlier = partner_keys.c.revoked_at.is_(None) | (partner_keys.c.revoked_at > to_micros(at))
    connection.execute(update(partner_keys).where(mine, earlier).values(revoked_at=to_micros(at)))


def with_announced(connection: Connection, key: PartnerKey, since: datetime) -> PartnerKey:
    """`key` with the keys that it, or one of these, announced since a time."""
    mine = and_(partner_keys.c.partner == key.partner, partner_keys.c.not_before >= to_micros(since))
    rows = connection.execute(select(partner_keys).where(mine).order_by(partner_keys.c.not_before)).all()
    chain = [key]
    for one in chain:  # which grows
        chain += [
            PartnerKey(key.partner, key.issuer, row.kid, from_micros_or_none(row.revoked_at))
            for row in rows
            if row.announced_by == one.kid
        ]
    return evolve(key, announced=tuple(chain[1:]))


def find_lookalikes(connection: Connection, issuer: str, own: str) -> list[str]:
    """The issuers, `own` and the partners', that look like `issuer`; none if it is one of them."""
    known = [own, *connection.scalars(select(partners.c.issuer).order_by(partners.c.issuer))]
    shown = confusable_skeleton(issuer)
    return [] if issuer in known else [each for each in known if confusable_skeleton(each) == shown]


def kids_by_issuer(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Every partner with the thumbprints of its keys that are not revoked."""
    rows = connection.execute(
        select(partners.c.issuer, partner_keys.c.kid, partner_keys.c.revoked_at)
        .join_from(partners, partner_keys)
        .order_by(partners.c.issuer, partner_keys.c.not_before)
    )
    kids: dict[str, tuple[str, ...]] = {}
    for issuer, kid, revoked_at in rows:
        kids[issuer] = kids.get(issuer, ()) + ((kid,) if revoked_at is None else ())
    return kids


def void_envelopes() -> CompoundSelect[int]:
    """Ids of envelopes that do not count: received after their key was revoked, or quarantined."""
    return union_all(revoked_envelopes(), select(quarantined_envelopes.c.envelope))


def revoked_envelopes() -> Select[int]:
    """Ids of envelopes that were received after their key was revoked."""
    signed = and_(envelopes.c.partner == partner_keys.c.partner, envelopes.c.kid == partner_keys.c.kid)
    return (
        select(envelopes.c.id)
        .select_from(ordered_join(partner_keys, (envelopes, signed)))  # few keys are revoked
        .where(partner_keys.c.revoked_at.is_not(None), partner_keys.c.revoked_at <= envelopes.c.received_at)
    )


def _find(connection: Connection, issuer: str) -> int | None:
    return connection.scalar(_PARTNER_ID, {"whose": issuer})


_PARTNER_ID = select(partners.c.id).where(partners.c.issuer == bindparam("whose"))
