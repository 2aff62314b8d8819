"""A partner's notices from its hub: disputes of its signals, their results, people who were erased.

They wait at the hub until they are fetched, and are given again until they are acknowledged
(RFC 8936): acknowledge what you acted on, or wrote down to act on.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from attrs import field, frozen

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_REQUEST_LIFETIME
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Closeable, Signer
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.notice_events import DisputeDecided, SignalDisputed
from sesame_sdk.model.stream_events import SubjectId, SubjectRemoved
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.key_pinning import JWKS_PATH, PinnedKeys
from sesame_sdk.signing.jwt import NOTICES_TYP, SET_TYP, KeyFinder, Token, numeric_date, sign_claims
from sesame_sdk.signing.security_events import new_jti

POLL_PATH = "/v1/notices/poll"
_PAYLOADS: Mapping[EventType, Any] = {
    EventType.SIGNAL_DISPUTED: SignalDisputed,
    EventType.DISPUTE_DECIDED: DisputeDecided,
    EventType.PERSON_ERASED: SubjectRemoved,
}


@frozen
class Notice:
    """Something that the hub tells of one person, verified.

    Attributes:
        jti: its id, to acknowledge it by.
        event: what of.
        subject: about whom: our own pseudonym.
        issued_at: when it happened; UTC.
        payload: the event's payload.
    """

    jti: str
    event: EventType
    subject: str = field(repr=False)
    issued_at: datetime
    payload: SignalDisputed | DisputeDecided | SubjectRemoved = field(repr=False)


@frozen
class _About:
    sub_id: SubjectId


class _Answer(msgspec.Struct, frozen=True):
    """A poll's answer (RFC 8936 section 2.3)."""

    sets: dict[str, str]


class Notices(Closeable):
    """Fetches a partner's notices. `Notices.from_config` makes one of a partner's folder.

    Args:
        issuer: URL that the partner is known by.
        hub: base URL of the hub.
        signer: the partner's key.
        keys: knows the hub's keys.
        transport: the way to the hub.
        clock: tells the time, in UTC.
    """

    def __init__(
        self,
        *,
        issuer: str,
        hub: str,
        signer: Signer,
        keys: KeyFinder,
        transport: Transport,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._issuer, self._hub = issuer, hub
        self._signer, self._keys = signer, keys
        self._transport, self._clock = transport, clock
        self._owned: list[Callable[[], None]] = []

    @classmethod
    def from_config(cls, config: PartnerConfig) -> Self:
        """As the partner whose folder this is."""
        transport, pins = Transport(config.hub), Outbox(config.outbox)
        keys = PinnedKeys(config.hub, lambda: transport.get(JWKS_PATH).body, pins)
        made = cls(issuer=config.issuer, hub=config.hub, signer=config.signer, keys=keys, transport=transport)
        made._owned = [transport.close, pins.close]
        return made

    def fetch(self) -> list[Notice]:
        """The oldest that were not acknowledged, a hundred at most; none when there is nothing new.

        Raises:
            InvalidInputError: the hub refused, or one is not its own.
            RetryableError, ConfigurationError: see `Transport.post`.
        """
        body = self._ask({"returnImmediately": True})
        sets = codec.decode(body, _Answer, field="notices").sets
        return [self._read(jti, token.encode("ascii", "replace")) for jti, token in sets.items()]

    def acknowledge(self, notices: Iterable[Notice]) -> None:
        """Tell the hub that we have these. It gives them no more, and its duty to tell us is met.

        Raises:
            InvalidInputError, RetryableError, ConfigurationError: see `Transport.post`.
        """
        if jtis := [notice.jti for notice in notices]:
            self._ask({"maxEvents": 0, "returnImmediately": True, "ack": jtis})

    def close(self) -> None:
        """Close what `at` opened."""
        for close in self._owned:
            close()

    def _ask(self, asked: Mapping[str, object]) -> bytes:
        return self._transport.post(
            POLL_PATH,
            codec.encode(asked),
            content_type=JSON_MEDIA_TYPE,
            accept=JSON_MEDIA_TYPE,
            bearer=self._bearer,
        ).body

    def _bearer(self) -> bytes:
        return sign_notices_token(self._signer, issuer=self._issuer, audience=self._hub, now=self._clock())

    def _read(self, jti: str, encoded: bytes) -> Notice:
        now = self._clock()
        token = Token.parse(encoded)
        verified = token.verify(self._keys, typ=SET_TYP, audience=self._issuer, now=now)
        if (verified.issuer, verified.jti) != (self._hub, jti):
            raise InvalidInputError(
                "is not the one that it was sent under", field="notice", code="invalid_issuer"
            )
        event = token.event_type
        if event not in _PAYLOADS:
            raise InvalidInputError(f"{event.value} is no notice", field="events")
        told = codec.decode(token.event_payload(event), _PAYLOADS[event], field="events")
        about = codec.decode(verified.claims, _About, field="token").sub_id.id
        return Notice(jti, event, about, verified.issued_at, told)


def sign_notices_token(signer: Signer, *, issuer: str, audience: str, now: datetime) -> bytes:
    """A JWT with which a partner asks its hub for notices, good for one request within five minutes."""
    issued = numeric_date(now)
    ends = issued + int(MAX_REQUEST_LIFETIME.total_seconds())
    claims = {"iss": issuer, "aud": audience, "iat": issued, "exp": ends, "jti": new_jti()}
    return sign_claims(claims, signer, typ=NOTICES_TYP)
