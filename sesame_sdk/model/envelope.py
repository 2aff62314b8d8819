"""Envelopes and receipts."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from sesame_sdk.constants import MAX_SIGNALS
from sesame_sdk.model import validators
from sesame_sdk.model.signals import Signal


class EventType(StrEnum):
    """Event types (RFC 8417 section 2) that parties send each other."""

    SIGNALS = "urn:sesame-sdk:event:signals"
    REGISTRATION = "urn:sesame-sdk:event:registration"
    KEY_ROTATION = "urn:sesame-sdk:event:key-rotation"
    RECEIPT = "urn:sesame-sdk:event:receipt"
    SCORES_CHANGED = "urn:sesame-sdk:event:scores-changed"
    GRANT_WITHDRAWN = "urn:sesame-sdk:event:grant-withdrawn"
    PERSON_ERASED = "urn:sesame-sdk:event:person-erased"
    SIGNAL_DISPUTED = "urn:sesame-sdk:event:signal-disputed"
    DISPUTE_DECIDED = "urn:sesame-sdk:event:dispute-decided"
    # OpenID Shared Signals Framework 1.0, sections 8.1.4.1 and 8.1.5.
    VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
    STREAM_UPDATED = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"


class DropReason(StrEnum):
    """Why a hub did not store a signal. It does not reveal which people the hub knows."""

    NO_GRANT = "no_grant"
    KIND_NOT_REGISTERED = "kind_not_registered"
    VALUE_AGAINST_POLARITY = "value_against_polarity"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    VALUE_AGAINST_MEASURE = "value_against_measure"
    FASTER_THAN_CALENDAR = "faster_than_calendar"
    IN_THE_FUTURE = "in_the_future"
    TOO_LONG_AGO = "too_long_ago"
    #: It would correct a signal that a dispute excludes from scores.
    DISPUTED = "disputed"


@frozen
class Envelope:
    """A verified batch of signals: those disclosed, in the order of the digests. `jti` is never reused."""

    jti: str = field(validator=validators.text(64))
    issuer: str = field(validator=validators.url)
    audience: str = field(validator=validators.url)
    issued_at: datetime = field(validator=validators.utc)
    signals: tuple[Signal, ...] = field(validator=validators.tuple_of(Signal, MAX_SIGNALS))


@frozen
class Dropped:
    """A signal that the hub did not store, and why."""

    id: str
    reason: DropReason


@frozen
class Receipt:
    """The hub's signed acknowledgement that an envelope is on disk.

    Attributes:
        accepted: signals that are new.
        duplicates: those that said what stood already.
        corrected: those that changed the time or value of a signal, and stand now.
    """

    jti: str
    received_at: datetime = field(validator=validators.utc)
    accepted: int
    duplicates: int = 0
    dropped: tuple[Dropped, ...] = ()
    corrected: int = 0
