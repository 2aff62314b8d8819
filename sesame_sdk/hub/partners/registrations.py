"""Signed registrations: which kinds each partner's plugins may send, and for which purposes they may read.

Rules:
    * a plugin is written for a major version of the hook API that the hub supports
    * its digest is the digest of what it declares
    * the guard allows every kind and every consumer, and no current policy contradicts a kind that it weights
    * the name of a kind has one meaning in a hub for good: later registrations declare it as the first one
      did, also those of the same plugin (the reason text may differ), since policies, grants and stored
      signals refer to the first meaning. A meaning that only revoked keys registered does not count: a thief
      must not block a name
    * a partner has at most `MAX_PLUGINS` plugins, each of at most `manifest.MAX_DECLARATIONS` kinds
    * a newer registration of a plugin replaces the older one; an older one is rejected
    * when the key that signed a registration is revoked, the registration before it is in force again
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache, partial
from time import thread_time
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import Connection, Select, Table, bindparam, delete, func, insert, select

from sesame_sdk.catalogue.observations import Measure
from sesame_sdk.errors import GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import MAX_LISTED, Guard
from sesame_sdk.hub.database import ids
from sesame_sdk.hub.database.engine import is_in
from sesame_sdk.hub.database.tables import (
    kinds,
    partners,
    registered_consumers,
    registered_kinds,
    registrations,
)
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.partners.keys import kids_by_issuer, void_envelopes
from sesame_sdk.model import codec
from sesame_sdk.model.finding import Action, Finding
from sesame_sdk.model.manifest import API_VERSION, Manifest
from sesame_sdk.model.policy import Policy
from sesame_sdk.model.signals import SignalKind

#: Of one partner: each batch of envelopes reads all of its kinds.
MAX_PLUGINS = 16


@frozen
class AllowedKind:
    """A kind that a partner may send, and what its values are."""

    kind_id: int
    measure: Measure


def active_registrations() -> Select[int]:
    """Ids of the registrations in force: the latest of each plugin whose key is not revoked."""
    return (
        select(func.max(registrations.c.envelope))
        .where(registrations.c.envelope.not_in(void_envelopes()))
        .group_by(registrations.c.partner, registrations.c.plugin)
    )


def check_manifest(manifest: Manifest) -> None:
    """Reject a manifest that is invalid in itself. Raises `InvalidInputError`: naming the field."""
    if manifest.api.split(".")[0] != API_VERSION.split(".")[0]:
        raise InvalidInputError(
            f"unsupported API version {manifest.api}", field="api", hint=f"write it for {API_VERSION}"
        )
    if not hmac.compare_digest(manifest.digest.encode(), codec.manifest_digest(manifest).encode()):
        raise InvalidInputError("is not that of the manifest", field="digest", hint="let the SDK compute it")
    for field, names in (
        ("kinds", [kind.name for kind in manifest.kinds]),
        ("consumers", [consumer.name for consumer in manifest.consumers]),
    ):
        if len(names) != len(set(names)):
            raise InvalidInputError("contains a duplicate name", field=field)


def check_with_guard(
    manifest: Manifest, guard: Guard, policies: Iterable[Policy], max_seconds: float
) -> list[Finding]:
    """Check everything with the guard at once, so that a plugin's author sees all findings.

    Returns those that do not refuse.

    Raises:
        GuardRefusedError: with all findings.
        InvalidInputError: it took more than `max_seconds` of this thread's processor time.
    """
    ends, findings = thread_time() + max_seconds, list[Finding]()
    for check in _guard_checks(manifest, guard, policies):
        if thread_time() > ends:
            raise InvalidInputError(
                f"take more than {max_seconds:g} s to check", field="kinds", hint="split the plugin"
            )
        findings += check()
    if any(finding.action is Action.REFUSE for finding in findings):
        raise GuardRefusedError(
            f"the guard refuses {manifest.name}", list(dict.fromkeys(findings))[:MAX_LISTED]
        )
    return findings


def _guard_checks(
    manifest: Manifest, guard: Guard, policies: Iterable[Policy]
) -> Iterator[Callable[[], tuple[Finding, ...]]]:
    names = {kind.name for kind in manifest.kinds}
    for kind in manifest.kinds:
        yield partial(guard.check_kind, kind)
    for consumer in manifest.consumers:
        yield partial(guard.check_consumer, consumer)
    for policy in policies:  # those that weight none of the kinds were checked when they were set
        if not names.isdisjoint(weighting.kind.name for weighting in policy.weightings):
            yield partial(guard.check_policy, policy, manifest.kinds)


def check_plugin_count(connection: Connection, partner: int, plugin: str) -> None:
    """Reject a further plugin of a partner that has `MAX_PLUGINS` registered. Raises `InvalidInputError`."""
    registered = set(
        connection.scalars(
            select(registrations.c.plugin).where(
                registrations.c.envelope.in_(active_registrations()), registrations.c.partner == partner
            )
        )
    )
    if plugin not in registered and len(registered) >= MAX_PLUGINS:
        raise InvalidInputError(
            f"would be plugin number {len(registered) + 1} of this partner; {MAX_PLUGINS} are allowed",
            field="name",
            hint="register its kinds in a plugin that is registered",
        )


def check_kind_meanings(connection: Connection, manifest: Manifest) -> None:
    """Reject a kind that was registered with another meaning under a key that is not revoked.

    Raises:
        InvalidInputError: naming it.
    """
    named = select(kinds.c.id).where(is_in(kinds.c.name, [kind.name for kind in manifest.kinds]))
    valid = _ever().where(
        registered_kinds.c.kind.in_(named), registrations.c.envelope.not_in(void_envelopes())
    )
    meanings = {kind.name: _meaning(kind) for kind in _declared(connection, valid)}
    for kind in manifest.kinds:
        if meanings.get(kind.name, _meaning(kind)) != _meaning(kind):
            raise InvalidInputError(
                f"{kind.name} is registered with another meaning",
                field="kinds",
                hint="declare it as before, or choose another name",
                code="access_denied",
            )


def check_not_older(connection: Connection, partner: int, issued_at: datetime, manifest: Manifest) -> None:
    """Reject a registration that was signed before the one in force.

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


@frozen
class RegistrationChange:
    """What a registration changes for scores: the kinds that count, and the purposes of reading."""

    kinds: bool
    consumers: bool


def compare_with_current(connection: Connection, partner: int, manifest: Manifest) -> RegistrationChange:
    """What `manifest` would change of the registration of its plugin that is in force.

    The name of a kind has one meaning, so equal names are equal kinds.
    """
    current = (
        registrations.c.envelope.in_(active_registrations()),
        registrations.c.partner == partner,
        registrations.c.plugin == manifest.name,
    )
    of = registrations.join(registered_kinds, registered_kinds.c.registration == registrations.c.envelope)
    names = select(kinds.c.name).select_from(of.join(kinds, kinds.c.id == registered_kinds.c.kind))
    terms = select(registered_consumers.c.purpose, registered_consumers.c.context).join(
        registrations, registrations.c.envelope == registered_consumers.c.registration
    )
    return RegistrationChange(
        set(connection.scalars(names.where(*current))) != {kind.name for kind in manifest.kinds},
        {tuple(row) for row in connection.execute(terms.where(*current))}
        != {(one.purpose, one.context) for one in manifest.consumers},
    )


def insert_registration(
    connection: Connection, envelope: int, partner: int, issued_at: datetime, manifest: Manifest
) -> None:
    """Insert a registration, which is then in force. Its envelope is in the ledger already."""
    kind_ids = ids.ensure_kind_ids(connection, [kind.name for kind in manifest.kinds])
    for table, rows in _rows_of(envelope, partner, issued_at, manifest, kind_ids).items():
        if rows:
            connection.execute(insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])


def is_registered(
    connection: Connection, envelope: int, partner: int, issued_at: datetime, manifest: Manifest
) -> bool:
    """Whether the tables have exactly what a registration declares."""
    kind_ids = ids.find_kind_ids(connection, [kind.name for kind in manifest.kinds])
    if len(kind_ids) < len(manifest.kinds):
        return False
    expected = _rows_of(envelope, partner, issued_at, manifest, kind_ids)
    return all(
        rows
        == {tuple(row) for row in connection.execute(select(table).where(next(iter(table.c)) == envelope))}
        for table, rows in expected.items()
    )


def delete_registrations(connection: Connection) -> None:
    """Delete all registrations, to insert them again from the ledger."""
    for table in (registered_kinds, registered_consumers, registrations):
        connection.execute(delete(table))


def _rows_of(
    envelope: int, partner: int, issued_at: datetime, manifest: Manifest, kind_ids: Mapping[str, int]
) -> dict[Table, set[tuple[Any, ...]]]:
    """The rows of a registration in each table, which all begin with the envelope's id."""
    plugin = (manifest.name, manifest.version, manifest.digest)
    return {
        registrations: {(envelope, partner, *plugin, to_micros(issued_at))},
        registered_kinds: {
            (envelope, kind_ids[kind.name], kind.context, codec.encode(kind)) for kind in manifest.kinds
        },
        registered_consumers: {(envelope, one.name, one.purpose, one.context) for one in manifest.consumers},
    }


def allowed_kinds(connection: Connection, partner: int) -> dict[str, AllowedKind]:
    """The kinds that a partner may send now, by name."""
    mine = _in_force().where(registrations.c.partner == partner)
    return {
        kind.name: AllowedKind(number, kind.entry.measure) for number, kind in _numbered(connection, mine)
    }


def list_registered_kinds(connection: Connection) -> tuple[SignalKind, ...]:
    """Every kind that any partner may send now."""
    return tuple(_declared(connection, _in_force()))


def list_declared_kinds(connection: Connection) -> tuple[SignalKind, ...]:
    """Every kind that any partner ever registered, by its latest declaration."""
    latest = _ever().order_by(registrations.c.envelope)
    return tuple({kind.name: kind for kind in _declared(connection, latest)}.values())


def may_read(connection: Connection, partner: int, purpose: str, context: str) -> bool:
    """Whether a partner registered a consumer for this purpose in this context."""
    terms = {"by": partner, "why": purpose, "which": context}
    return connection.execute(_READERS, terms).first() is not None


def read_terms(connection: Connection, partner: int) -> list[tuple[str, str]]:
    """Purpose and context of each consumer that a partner has registered."""
    mine = registrations.c.envelope.in_(active_registrations()) & (registrations.c.partner == partner)
    terms = select(registered_consumers.c.purpose, registered_consumers.c.context).distinct()
    joined = terms.join(registrations, registered_consumers.c.registration == registrations.c.envelope)
    rows = connection.execute(joined.where(mine).order_by(*terms.selected_columns))
    return [(row.purpose, row.context) for row in rows]


#: Built once: building it takes longer than executing it.
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


def _ever() -> Select[int, bytes]:
    """Id and declaration of the kinds that any partner ever registered."""
    return select(registered_kinds.c.kind, registered_kinds.c.declaration).join(
        registrations, registrations.c.envelope == registered_kinds.c.registration
    )


def _in_force() -> Select[int, bytes]:
    """Id and declaration of the kinds that may be sent now."""
    return _ever().where(registrations.c.envelope.in_(active_registrations()))


def _numbered(connection: Connection, chosen: Select[int, bytes]) -> list[tuple[int, SignalKind]]:
    return [(row.kind, _decode_kind(row.declaration)) for row in connection.execute(chosen)]


#: Each batch of envelopes asks for the kinds of its partner, and they seldom change.
@lru_cache(maxsize=4096)
def _decode_kind(declaration: bytes) -> SignalKind:
    return codec.decode(declaration, SignalKind)


def _declared(connection: Connection, chosen: Select[int, bytes]) -> list[SignalKind]:
    return [kind for _, kind in _numbered(connection, chosen)]


def _meaning(kind: SignalKind) -> SignalKind:
    return evolve(kind, title="")


@frozen
class Partner:
    """A partner as operators see it: its keys, and what its registered plugins may send and read for."""

    issuer: str
    kids: tuple[str, ...]
    plugins: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]
    jwks_url: str | None = None


def list_partners(connection: Connection) -> list[Partner]:
    """Every partner with its keys and what it registered."""
    described = []
    for issuer, kids in kids_by_issuer(connection).items():
        mine = (
            select(registrations)
            .join(partners, partners.c.id == registrations.c.partner)
            .where(registrations.c.envelope.in_(active_registrations()), partners.c.issuer == issuer)
            .order_by(registrations.c.plugin)
        )
        rows = connection.execute(mine).all()
        envelopes = [row.envelope for row in rows]
        kinds = _declared(connection, _in_force().where(registrations.c.envelope.in_(envelopes)))
        consumers = registered_consumers.c.registration.in_(envelopes)
        purposes = connection.scalars(select(registered_consumers.c.purpose).distinct().where(consumers))
        plugins = tuple(f"{row.plugin} {row.version}" for row in rows)
        names = tuple(sorted(kind.name for kind in kinds))
        url = connection.scalar(select(partners.c.jwks_url).where(partners.c.issuer == issuer))
        described.append(Partner(issuer, kids, plugins, names, tuple(sorted(purposes)), url))
    return described
