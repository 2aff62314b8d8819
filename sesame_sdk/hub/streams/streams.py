"""Streams: which readers want to be told, and how (OpenID Shared Signals Framework 1.0, section 8.1.1).

Rules:
    * a reader has one stream for each purpose and context that it registered, and manages it with the
      token that it would read with
    * a stream without withdrawals and erasures is none: what was told could never be taken back
    * we push to the host of the issuer whom the operator admitted, and nowhere else, so that nobody can
      send the hub to other doors
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from attrs import field, frozen, validators
from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import partners, stream_messages, stream_subjects, streams
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.envelope import EventType

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
SUPPORTED = (EventType.SCORES_CHANGED, EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED)
_NEEDED = {EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED}
#: Seconds between two verifications that a consumer asks for.
VERIFICATION_INTERVAL = 2
ENABLED, PAUSED, DISABLED = "enabled", "paused", "disabled"
StreamStatus = Literal["enabled", "paused", "disabled"]
_BEARER = model_validators.text(1024, pattern=r"Bearer [A-Za-z0-9._~+/=-]+", example="Bearer eyJ...")
_Events = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(max_length=32)]


@frozen
class Delivery:
    """How a consumer wants its messages: pushed to it, or polled by it.

    Attributes:
        method: `PUSH` or `POLL`.
        endpoint_url: where to push.
        authorization_header: what to show there, ``Bearer ...``.
    """

    method: Literal["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"] = POLL  # type: ignore[assignment]
    endpoint_url: str | None = field(default=None, validator=validators.optional(model_validators.text(512)))
    authorization_header: str | None = field(default=None, validator=validators.optional(_BEARER))


@frozen
class StreamRequest:
    """What a consumer asks for when it makes or changes a stream. What it leaves out stays as it was."""

    stream_id: str | None = None
    delivery: Delivery | None = None
    events_requested: _Events | None = None
    description: str | None = field(
        default=None, validator=validators.optional(model_validators.optional_text(400))
    )


@frozen
class StatusRequest:
    """A stream's status, as its consumer wants it."""

    stream_id: str
    status: StreamStatus
    reason: str | None = field(default=None, validator=validators.optional(model_validators.sentence))


def select_streams() -> Select[Any]:
    """Every stream, with the issuer whose it is."""
    return select(streams, partners.c.issuer).join(partners, partners.c.id == streams.c.partner)


def find_stream(connection: Connection, partner: int, purpose: str, context: str) -> Row[Any] | None:
    """The reader's stream for this purpose in this context, if it made one."""
    mine = (streams.c.partner == partner, streams.c.purpose == purpose, streams.c.context == context)
    return connection.execute(select_streams().where(*mine)).first()


def get_stream(connection: Connection, name: str) -> Row[Any]:
    """The stream of this name.

    Raises:
        InvalidInputError: ``not_found``.
    """
    found = connection.execute(select_streams().where(streams.c.name == name)).first()
    if found is None:
        raise stream_not_found()
    return found


def stream_not_found() -> InvalidInputError:
    """The error of naming a stream that is not there, or somebody else's: they look the same."""
    return InvalidInputError("there is none of this id", field="stream_id", code="not_found")


def create_stream(
    connection: Connection, partner: int, purpose: str, context: str, requested: StreamRequest, at: datetime
) -> None:
    """Make a stream.

    Raises:
        InvalidInputError: ``conflict``, there is one already; or the wish cannot be met.
    """
    if find_stream(connection, partner, purpose, context) is not None:
        raise InvalidInputError(
            "there is one already", field="stream", hint="change or delete it", code="conflict"
        )
    row = {
        "name": secrets.token_hex(16),
        "partner": partner,
        "purpose": purpose,
        "context": context,
        "status": ENABLED,
        "reason": "",
        "verification_requested_at": 0,
        "last_message_at": 0,
        "seq": to_micros(at),
        "scan_cursor": 0,
    }
    connection.execute(insert(streams).values(**row, **_terms(connection, partner, requested)))


def update_stream(connection: Connection, stream: Row[Any], requested: StreamRequest, *, whole: bool) -> None:
    """Change what the wish names; or all of it, where what it leaves out falls back to the usual."""
    terms = _terms(connection, stream.partner, requested)
    named = {
        "endpoint": requested.delivery,
        "bearer_token": requested.delivery,
        "events_requested": requested.events_requested,
        "description": requested.description,
    }
    values = {name: value for name, value in terms.items() if whole or named[name] is not None}
    if values:
        connection.execute(update(streams).where(streams.c.id == stream.id).values(**values))


def delete_stream(connection: Connection, stream: Row[Any]) -> None:
    """Forget a stream and all that it was told."""
    for table in (stream_subjects, stream_messages):
        connection.execute(delete(table).where(table.c.stream == stream.id))
    connection.execute(delete(streams).where(streams.c.id == stream.id))


def set_status(connection: Connection, stream: Row[Any], status: StreamStatus, reason: str | None) -> None:
    """Let a stream run, hold what it owes, or also stop keeping its scores. Who leaves is kept always."""
    values: dict[str, Any] = {"status": status, "reason": reason or ""}
    if stream.status == DISABLED and status != DISABLED:
        values |= {"as_of": None, "scan_cursor": 0}
    connection.execute(update(streams).where(streams.c.id == stream.id).values(**values))


def describe_stream(hub: str, stream: Row[Any]) -> dict[str, Any]:
    """A stream's configuration, as SSF has it; purpose and context are ours."""
    supported = [str(event) for event in SUPPORTED]
    return {
        "stream_id": stream.name,
        "iss": hub,
        "aud": stream.issuer,
        "delivery": _delivery(hub, stream),
        "events_supported": supported,
        "events_requested": stream.events_requested,
        "events_delivered": [event for event in supported if event in stream.events_requested],
        "min_verification_interval": VERIFICATION_INTERVAL,
        "description": stream.description,
        "purpose": stream.purpose,
        "context": stream.context,
    }


def _delivery(hub: str, stream: Row[Any]) -> dict[str, str]:
    if stream.endpoint is None:
        return {"method": POLL, "endpoint_url": f"{hub.rstrip('/')}/v1/ssf/poll/{stream.name}"}
    return {"method": PUSH, "endpoint_url": stream.endpoint}


def _terms(connection: Connection, partner: int, wish: StreamRequest) -> Mapping[str, Any]:
    delivery = wish.delivery or Delivery()
    requested = wish.events_requested or tuple(str(event) for event in SUPPORTED)
    if not _NEEDED.issubset(requested):
        needed = " and ".join(sorted(_NEEDED))
        raise InvalidInputError(
            "lacks those who leave", field="events_requested", hint=f"ask for {needed} too"
        )
    pushed = delivery.method == PUSH
    if pushed:
        _check_endpoint(connection, partner, delivery.endpoint_url or "")
    return {
        "endpoint": delivery.endpoint_url if pushed else None,
        "bearer_token": (delivery.authorization_header or "").removeprefix("Bearer ") or None
        if pushed
        else None,
        "events_requested": list(requested),
        "description": wish.description or "",
    }


def _check_endpoint(connection: Connection, partner: int, endpoint: str) -> None:
    issuer = connection.scalar(select(partners.c.issuer).where(partners.c.id == partner)) or ""
    if not (endpoint.isascii() and endpoint.isprintable() and _host(endpoint) == _host(issuer)):
        hint = "push to your own host, or poll"
        raise InvalidInputError("is not at your issuer's host", field="endpoint_url", hint=hint)


def _host(url: str) -> tuple[str, str | None] | None:
    """Scheme and host of a URL that names nothing but them, a port, a path and a query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return None if parts.username is not None or parts.fragment else (parts.scheme, parts.hostname)
