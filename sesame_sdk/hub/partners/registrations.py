"""Signed registrations: what each partner's plugins may say, and why they may read.

Rules:
    * a plugin speaks a major version of the hook API that we speak
    * its digest is the one that we compute of what it declares
    * the guard passes every kind and every consumer, and no live policy contradicts a kind
    * a name of a kind means one thing on this hub for good: whoever comes later declares it as who came
      first did, the same plugin too (the reason text may differ). Policies weigh kinds by name, and what
      people agreed to and what is kept already was said under the first meaning. A meaning whose every
      registration fell with a key is no meaning: a thief must not take a name away
    * a newer registration of a plugin takes the place of the older one; an older one is refused
    * a registration falls with the key that signed it, and the one before it stands again
"""

import hmac
from collections.abc import Iterable
from datetime import datetime

from attrs import evolve, frozen
from sqlalchemy import Connection, Select, bindparam, func, insert, select

from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import MAX_LISTED, Guard
from sesame_sdk.hub.database import ids as kind_names
from sesame_sdk.hub.database.tables import partners, registered_consumers, registered_kinds, registrations
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners.keys import kids_by_issuer, void_envelopes
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.manifest import API_VERSION, Manifest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import Polarity, SignalKind


@frozen
class AllowedKind:
    """A kind that a partner may say: its number, and whether it may be less than nothing."""

    kind_id: int
    may_be_negative: bool


def active_registrations() -> Select[int]:
    """The registrations in force: the latest of each plugin whose key still counts for it."""
    return (
        select(func.max(registrations.c.envelope))
        .where(registrations.c.envelope.not_in(void_envelopes()))
        .group_by(registrations.c.partner, registrations.c.plugin)
    )


def check_manifest(manifest: Manifest) -> None:
    """Refuse a manifest that is wrong in itself.

    Raises:
        InvalidInputError: naming the field.
    """
    if manifest.api.split(".")[0] != API_VERSION.split(".")[0]:
        raise InvalidInputError(
            f"{manifest.api} is not spoken here", field="api", hint=f"write it for {API_VERSION}"
        )
    if not hmac.compare_digest(manifest.digest.encode(), codec.manifest_digest(manifest).encode()):
        raise InvalidInputError("is not that of the manifest", field="digest", hint="let the SDK compute it")
    for field, names in (
        ("kinds", [kind.name for kind in manifest.kinds]),
        ("consumers", [consumer.name for consumer in manifest.consumers]),
    ):
        if len(names) != len(set(names)):
            raise InvalidInputError("names one twice", field=field)


def check_with_guard(manifest: Manifest, guard: Guard, policies: Iterable[Policy]) -> None:
    """Ask the guard about everything at once, so that a plugin's author mends it in one go.

    Raises:
        GuardRefusedError: with all findings.
    """
    findings = [finding for kind in manifest.kinds for finding in guard.check_kind(kind)]
    findings += [finding for consumer in manifest.consumers for finding in guard.check_consumer(consumer)]
    findings += [finding for policy in policies for finding in guard.check_policy(policy, manifest.kinds)]
    if any(finding.action is Action.REFUSE for finding in findings):
        raise GuardRefusedError(f"the guard refuses {manifest.name}", _once_each(findings)[:MAX_LISTED])


def check_kind_meanings(connection: Connection, manifest: Manifest) -> None:
    """Refuse a kind that already means something else here, or ever did under a key that counted.

    Raises:
        InvalidInputError: naming it.
    """
    standing = _ever().where(registrations.c.envelope.not_in(void_envelopes()))
    told = {kind.name: _meaning(kind) for kind in _declared(connection, standing)}
    for kind in manifest.kinds:
        if told.get(kind.name, _meaning(kind)) != _meaning(kind):
            raise InvalidInputError(
                f"{kind.name} is registered with another meaning",
                field="kinds",
                hint="declare it as before, or choose another name",
                code="access_denied",
            )


def check_not_older(connection: Connection, partner: int, issued_at: datetime, manifest: Manifest) -> None:
    """Refuse a registration that was signed before the one in force.

    Raises:
        InvalidInputError: it is older.
    """
    latest = connection.scalar(
        select(func.max(registrations.c.issued_at)).where(
            registrations.c.envelope.in_(active_registrations()),
            registrations.c.partner == partner,
            registrations.c.plugin == manifest.name,
        )
    )
    if latest is not None and to_micros(issued_at) < latest:
        raise InvalidInputError("is older than the registration in force", field="iat", hint="register again")


def insert_registration(
    connection: Connection, envelope: int, partner: int, issued_at: datetime, manifest: Manifest
) -> None:
    """Put a registration in force. Its envelope is in the ledger already."""
    row = {
        "envelope": envelope,
        "partner": partner,
        "plugin": manifest.name,
        "version": manifest.version,
        "digest": manifest.digest,
        "issued_at": to_micros(issued_at),
    }
    connection.execute(insert(registrations), row)
    numbers = kind_names.ensure_kind_ids(connection, [kind.name for kind in manifest.kinds])
    kind_rows = [
        {
            "registration": envelope,
            "kind": numbers[kind.name],
            "context": kind.context,
            "declaration": codec.encode(kind),
        }
        for kind in manifest.kinds
    ]
    consumer_rows = [
        {"registration": envelope, "name": one.name, "purpose": one.purpose, "context": one.context}
        for one in manifest.consumers
    ]
    for table, rows in ((registered_kinds, kind_rows), (registered_consumers, consumer_rows)):
        if rows:
            connection.execute(insert(table), rows)


def allowed_kinds(connection: Connection, partner: int) -> dict[str, AllowedKind]:
    """What a partner may say now, by name."""
    mine = _in_force().where(registrations.c.partner == partner)
    return {
        kind.name: AllowedKind(number, kind.polarity is Polarity.BOTH)
        for number, kind in _numbered(connection, mine)
    }


def list_registered_kinds(connection: Connection) -> tuple[SignalKind, ...]:
    """Every kind that anybody may say now."""
    return tuple(_declared(connection, _in_force()))


def may_read(connection: Connection, partner: int, purpose: str, context: str) -> bool:
    """Whether a partner registered a consumer for this purpose in this context."""
    told = {"by": partner, "why": purpose, "which": context}
    return connection.execute(_READERS, told).first() is not None


#: Made once: to build it takes longer than to ask it.
_READERS = (
    select(registrations.c.envelope)
    .join(registered_consumers, registered_consumers.c.registration == registrations.c.envelope)
    .where(
        registrations.c.envelope.in_(active_registrations()),
        registrations.c.partner == bindparam("by"),
        registered_consumers.c.purpose == bindparam("why"),
        registered_consumers.c.context == bindparam("which"),
    )
)


def describe_registrations(connection: Connection, issuer: str) -> tuple[list[str], list[str], list[str]]:
    """What a partner registered: plugins with their versions, kinds, purposes."""
    mine = (
        select(registrations)
        .join(partners, partners.c.id == registrations.c.partner)
        .where(registrations.c.envelope.in_(active_registrations()), partners.c.issuer == issuer)
        .order_by(registrations.c.plugin)
    )
    rows = connection.execute(mine).all()
    numbers = [row.envelope for row in rows]
    kinds = _declared(connection, _in_force().where(registrations.c.envelope.in_(numbers)))
    chosen = select(registered_consumers.c.purpose).distinct()
    purposes = connection.scalars(chosen.where(registered_consumers.c.registration.in_(numbers)))
    plugins = [f"{row.plugin} {row.version}" for row in rows]
    return plugins, sorted(kind.name for kind in kinds), sorted(purposes)


def _ever() -> Select[int, bytes]:
    """Number and declaration of the kinds that anybody ever registered."""
    return select(registered_kinds.c.kind, registered_kinds.c.declaration).join(
        registrations, registrations.c.envelope == registered_kinds.c.registration
    )


def _in_force() -> Select[int, bytes]:
    """The same of the kinds that may be said now."""
    return _ever().where(registrations.c.envelope.in_(active_registrations()))


def _numbered(connection: Connection, chosen: Select[int, bytes]) -> list[tuple[int, SignalKind]]:
    return [(row.kind, codec.decode(row.declaration, SignalKind)) for row in connection.execute(chosen)]


def _declared(connection: Connection, chosen: Select[int, bytes]) -> list[SignalKind]:
    return [kind for _, kind in _numbered(connection, chosen)]


def _meaning(kind: SignalKind) -> SignalKind:
    return evolve(kind, reason="-", title="", description="")


def _once_each(findings: Iterable[Finding]) -> list[Finding]:
    return list(dict.fromkeys(findings))


@frozen
class Partner:
    """A partner as operators see it.

    Attributes:
        issuer: its URL.
        kids: thumbprints of its keys that are not revoked.
        plugins: name and version of each plugin that it registered.
        kinds: the kinds that it may send.
        purposes: the purposes that it may read for.
    """

    issuer: str
    kids: tuple[str, ...]
    plugins: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]


def list_partners(connection: Connection) -> list[Partner]:
    """Every partner with its keys and what it registered."""
    return [
        Partner(issuer, kids, *map(tuple, describe_registrations(connection, issuer)))
        for issuer, kids in kids_by_issuer(connection).items()
    ]
