"""Signals, and the kinds of signals that a provider sends."""

import re
from datetime import UTC, datetime
from math import isfinite

from attrs import field, fields, frozen

from sesame_sdk.catalogue.observations import (
    Measure,
    Observation,
    Polarity,
    nearest_observations,
    observations,
)
from sesame_sdk.constants import MAX_KIND_LENGTH, MAX_SUBJECT_LENGTH
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model import validators

# Comparing a fixed format is quicker than a regular expression: every hexadecimal digit becomes a zero.
_HEX_TO_ZERO = bytes.maketrans(b"0123456789abcdef", b"0" * 16)
_ID_WITH_ZEROS = b"00000000-0000-0000-0000-000000000000"
_matches_kind = re.compile(validators.KIND_PATTERN).fullmatch
# Kinds are few and signals many: a look-up replaces a regular expression. Bounded, so that a sender of
# invented names cannot fill our memory; not `lru_cache`, which costs as much as the match.
_known_kinds: set[str] = set()
_MAX_KNOWN_KINDS = 1024


def _check_new_kind(name: str) -> bool:
    if len(name) > MAX_KIND_LENGTH or not _matches_kind(name):
        return False
    if len(_known_kinds) >= _MAX_KNOWN_KINDS:
        _known_kinds.clear()
    _known_kinds.add(name)
    return True


#: Maximal absolute value of a signal. A larger one is an error of its sender: no unit needs a billion in one
#: observation.
MAX_VALUE = 1e9
#: An id cannot encode an earlier time (RFC 9562 section 5.7).
MIN_TIMESTAMP = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class SignalKind:
    """A kind of signals: a name of the partner's own, and one observation of the catalogue.

    Attributes:
        name: dotted, starting with the context: ``retail.order.completed``.
        observation: id of an entry of the catalogue: ``order_kept``. The guard refuses an unknown one
            (DCL-1).
        currency: code of ISO 4217, of an observation that is measured in money; empty for all others.
        title: for operators.
        proposal: an entry that the catalogue lacks; it counts only at a hub whose operators approved it.
    """

    name: str = field(validator=validators.kind_name)
    observation: str = field(validator=validators.observation)
    currency: str = field(default="", validator=validators.optional_text(3))
    title: str = field(default="", validator=validators.optional_text(100))
    proposal: Observation | None = field(
        default=None, validator=validators.optional(validators.instance_of(Observation))
    )

    @property
    def context(self) -> str:
        """The context that it belongs to: the first label of its name."""
        return self.name.partition(".")[0]

    @property
    def known(self) -> Observation | None:
        """What it records, from the catalogue or from its own proposal; None if neither has it."""
        return observations().get(self.observation, self.proposal)

    @property
    def entry(self) -> Observation:
        """What it records. Raises `InvalidInputError` if the catalogue does not contain it."""
        if (entry := self.known) is None:
            near = ", ".join(nearest_observations(self.observation))
            message = f"the catalogue has no {self.observation}"
            raise InvalidInputError(message, field="observation", hint=f"the nearest entries are {near}")
        return entry

    @property
    def polarity(self) -> Polarity:
        """Whether it raises a score or lowers it."""
        return self.entry.polarity

    @property
    def reason(self) -> str:
        """The words that a person reads beside its points, in English."""
        return self.entry.en

    @property
    def unit(self) -> str:
        """What a value of 1 is: ``order``, ``GBP``, ``month``, ``day``."""
        units = {Measure.MONEY: self.currency, Measure.MONTHS: "month", Measure.DAYS: "day"}
        return units.get(self.entry.measure, self.entry.unit)


@frozen
class Signal:
    """One observation about one person.

    Attributes:
        id: a UUIDv7 that `Pseudonymizer.signal_id` derives, so that a signal sent again counts once.
        subject: the sender's own pseudonym of the person.
        value: how much, in the kind's unit; finite.

    Raises:
        InvalidInputError: with the first invalid field.
    """

    id: str
    subject: str
    kind: str
    value: float
    occurred_at: datetime

    def __attrs_post_init__(self) -> None:
        # One expression with as few calls as possible: a hub decodes hundreds of thousands a second, and a
        # validator for each field would take twice as long as the rest of the decoding.
        # `_raise_error` checks the same with the validators; a test compares the two.
        try:
            signal_id, subject, kind, value = self.id, self.subject, self.kind, self.value
            valid = (
                signal_id.encode().translate(_HEX_TO_ZERO) == _ID_WITH_ZEROS
                and signal_id[14] == "7"
                and signal_id[19] in "89ab"
                and subject.isascii()
                and subject.isprintable()
                and " " not in subject
                and 0 < len(subject) <= MAX_SUBJECT_LENGTH
                and (kind in _known_kinds or _check_new_kind(kind))
                and (type(value) is float or type(value) is int)
                and isfinite(value)
                and self.occurred_at.tzinfo is UTC
            )
        except (TypeError, AttributeError, UnicodeEncodeError, OverflowError):
            valid = False
        if not valid:
            self._raise_error()

    def _raise_error(self) -> None:
        names = fields(Signal)
        validators.signal_id(self, names.id, self.id)
        validators.subject(self, names.subject, self.subject)
        validators.kind_name(self, names.kind, self.kind)
        validators.finite(self, names.value, self.value)
        validators.utc(self, names.occurred_at, self.occurred_at)
