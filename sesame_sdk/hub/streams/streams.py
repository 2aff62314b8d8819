"""Configuration of score streams (OpenID Shared Signals Framework 1.0, section 8.1.1).

Rules:
    * a reader has one stream for each purpose and context that it registered, and a limited number of them,
      since each adds to the work of every change. It manages a stream with a stream token
    * withdrawals and erasures are delivered, whatever a stream requests: a score must not outlive its consent
    * events that the hub does not have may be requested, and are not delivered. Those that no specification
      has are left out of what is stored: a name could be a text about a person
    * a description is deleted when a person is erased of whom the reader has a pseudonym; a reader's reason
      for a status is not stored
    * where the hub may push to: see `push_policy`
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from attrs import field, frozen, validators
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.database.tables import partners, stream_messages, stream_subjects, streams
from sesame_sdk.hub.database.timestamps import to_micros
from sesame_sdk.hub.streams.push_policy import PushPolicy
from sesame_sdk.model import validators as model_validators
from sesame_sdk.model.envelope import EventType

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
SUPPORTED = (EventType.SCORES_CHANGED, EventType.GRANT_WITHDRAWN, EventType.PERSON_ERASED)
#: Seconds between two verification requests of a reader.
VERIFICATION_INTERVAL = 2
ENABLED, PAUSED, DISABLED = "enabled", "paused", "disabled"
StreamStatus = Literal["enabled", "paused", "disabled"]
#: The types of other events that a reader may request: CAEP 1.0 section 3, RISC 1.0 section 2.
_FOREIGN_EVENTS = frozenset(
    f"https://schemas.openid.net/secevent/{profile}/event-type/{name}"
    for profile, names in {
        "caep": "session-revoked token-claims-change credential-change assurance-level-change "
        "device-compliance-change session-established session-presented risk-level-change",
        "risc": "account-credential-change-required account-purged account-disabled account-enabled "
        "identifier-changed identifier-recycled credential-compromise opt-in opt-out-initiated "
        "opt-out-cancelled opt-out-effective recovery-activated recovery-information-changed "
        "sessions-revoked",
        "ssf": "verification stream-updated",
    }.items()
    for name in names.split()
)
_KNOWN_EVENTS = _FOREIGN_EVENTS.union(str(event) for event in SUPPORTED)
MAX_DESCRIPTION = 100
#: A header value (RFC 9110 section 5.5) of visible characters with single spaces between them.
_AUTHORIZATION = model_validators.text(1024, pattern=r"[\x21-\x7e]+( [\x21-\x7e]+)*", example="Bearer eyJ...")
_DESCRIPTION = validators.optional(model_validators.optional_text(MAX_DESCRIPTION))
_Events = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(max_length=32)]


@frozen
class Delivery:
    """The delivery method of a stream; each push goes to `endpoint_url` with the `authorization_header`."""

    method: Literal["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"] = POLL  # type: ignore[assignment]
    endpoint_url: str | None = field(default=None, validator=validators.optional(model_validators.text(512)))
    authorization_header: str | None = field(default=None, validator=validators.optional(_AUTHORIZATION))


@frozen
class StreamRequest:
    """A request to create or update a stream. An update keeps what the request leaves out."""

    stream_id: str | None = None
    delivery: Delivery | None = None
    events_requested: _Events | None = None
    description: str | None = field(default=None, validator=_DESCRIPTION)


@frozen
class StatusRequest:
    """A request to change a stream's status."""

    stream_id: str
    status: StreamStatus
    reason: str | None = field(default=None, validator=validators.optional(model_validators.sentence))


def select_streams() -> Select[Any]:
    """Every stream, with its reader's issuer."""
    return select(streams, partners.c.issuer).join(partners, partners.c.id == streams.c.partner)


def find_stream(connection: Connection, partner: int, purpose: str, context: str) -> Row[Any] | None:
    """The reader's stream for this purpose in this context, if there is one."""
    mine = (streams.c.partner == partner, streams.c.purpose == purpose, streams.c.context == context)
    return connection.execute(select_streams().where(*mine)).first()


def get_stream(connection: Connection, name: str) -> Row[Any]:
    """The stream of this name; ``not_found`` if there is none."""
    stream = connection.execute(select_streams().where(streams.c.name == name)).first()
    if stream is None:
        raise stream_not_found()
    return stream


@frozen
class StreamKey:
    """A stream as work in progress names it: by its id for the reader, and by the reader, not by its row."""

    name: str
    partner: int

    @classmethod
    def from_row(cls, stream: Row[Any]) -> Self:
        """The key of a selected stream."""
        return cls(stream.name, stream.partner)

    def find(self, connection: Connection) -> Row[Any] | None:
        """The stream, unless it was deleted."""
        mine = (streams.c.name == self.name, streams.c.partner == self.partner)
        return connection.execute(select_streams().where(*mine)).first()


def stream_not_found() -> InvalidInputError:
    """The error for an unknown stream and for another reader's, which must look the same."""
    return InvalidInputError("unknown stream", field="stream_id", code="not_found")


def create_stream(
    connection: Connection,
    partner: int,
    purpose: str,
    context: str,
    request: StreamRequest,
    policy: PushPolicy,
    at: datetime,
    max_streams: int,
) -> None:
    """Create a stream.

    Raises:
        InvalidInputError: it exists, or the reader has `max_streams` already (``conflict``); or the endpoint
            is not allowed.
    """
    if find_stream(connection, partner, purpose, context) is not None:
        raise InvalidInputError("already exists", field="stream", hint="update or delete it", code="conflict")
    of_reader = select(func.count()).select_from(streams).where(streams.c.partner == partner)
    if (connection.scalar(of_reader) or 0) >= max_streams:
        raise InvalidInputError(
            f"a partner may have {max_streams}", field="stream", hint="delete another one", code="conflict"
        )
    key = {"name": secrets.token_hex(16), "partner": partner, "purpose": purpose, "context": context}
    state = {"status": ENABLED, "reason": "", "verification_requested_at": 0, "last_message_at": 0}
    terms = _terms(connection, partner, request, policy)
    connection.execute(
        insert(streams).values(
            **key, **state, **terms, seq=to_micros(at), scan_cursor=0, scan_end=0, scan_turn=0
        )
    )


def update_stream(
    connection: Connection, stream: Row[Any], request: StreamRequest, policy: PushPolicy, *, whole: bool
) -> None:
    """Change what the request names; with `whole`, reset the rest to the defaults."""
    terms = _terms(connection, stream.partner, request, policy)
    named = {
        "endpoint": request.delivery,
        "authorization_header": request.delivery,
        "events_requested": request.events_requested,
        "description": request.description,
    }
    values = {name: value for name, value in terms.items() if whole or named[name] is not None}
    if values:
        connection.execute(update(streams).where(streams.c.id == stream.id).values(**values))
    if EventType.SCORES_CHANGED not in values.get("events_requested", [EventType.SCORES_CHANGED]):
        _discard_scores(connection, stream.id)


def _discard_scores(connection: Connection, stream: int) -> None:
    """Delete unsent messages with scores; their contents stay pending until they are requested again."""
    mine = (stream_messages.c.stream == stream, stream_messages.c.event == EventType.SCORES_CHANGED.value)
    unsent = select(stream_messages.c.id).where(*mine, ~stream_messages.c.dead_lettered)
    in_unsent = update(stream_subjects).where(stream_subjects.c.message_id.in_(unsent))
    connection.execute(in_unsent.values(message_id=None))
    connection.execute(delete(stream_messages).where(*mine, ~stream_messages.c.dead_lettered))


def delete_stream(connection: Connection, stream: Row[Any]) -> None:
    """Delete a stream with its states and messages."""
    for table in (stream_subjects, stream_messages):
        connection.execute(delete(table).where(table.c.stream == stream.id))
    connection.execute(delete(streams).where(streams.c.id == stream.id))


def set_status(connection: Connection, stream: Row[Any], status: StreamStatus, reason: str = "") -> None:
    """Enable, pause or disable a stream. A disabled one is not rescored, but withdrawals stay pending."""
    values: dict[str, Any] = {"status": status, "reason": reason}
    if stream.status == DISABLED and status != DISABLED:
        values |= {"as_of": None, "scan_as_of": None}
    connection.execute(update(streams).where(streams.c.id == stream.id).values(**values))


def describe_stream(hub: str, stream: Row[Any]) -> dict[str, Any]:
    """A stream's configuration in SSF's form, with purpose and context added."""
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
        "purpose": stream.purpose,
        "context": stream.context,
    } | ({"description": stream.description} if stream.description else {})


def _delivery(hub: str, stream: Row[Any]) -> dict[str, str]:
    if stream.endpoint is None:
        return {"method": POLL, "endpoint_url": f"{hub.rstrip('/')}/v1/ssf/poll/{stream.name}"}
    return {"method": PUSH, "endpoint_url": stream.endpoint}


def _terms(
    connection: Connection, partner: int, request: StreamRequest, policy: PushPolicy
) -> Mapping[str, Any]:
    delivery = request.delivery or Delivery()
    events = request.events_requested or tuple(str(event) for event in SUPPORTED)
    endpoint = authorization_header = None
    if delivery.method == PUSH:
        endpoint = delivery.endpoint_url
        issuer = connection.scalar(select(partners.c.issuer).where(partners.c.id == partner)) or ""
        policy.check_endpoint(endpoint or "", issuer)
        authorization_header = delivery.authorization_header
    return {
        "endpoint": endpoint,
        "authorization_header": authorization_header,
        "events_requested": [event for event in events if event in _KNOWN_EVENTS],
        "description": request.description or "",
    }
