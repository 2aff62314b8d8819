"""Signals, and the kinds of signals that a provider sends."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite

from attrs import field, fields, frozen

from sesame_sdk.constants import MAX_KIND_LENGTH, MAX_SUBJECT_LENGTH
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
#: Categories of personal data of one kind.
MAX_CATEGORIES = 20


class Evidence(StrEnum):
    """How the provider knows. An inference may never lower a score (rule INF-1)."""

    OBSERVED = "observed"
    DECLARED = "declared"
    INFERRED = "inferred"


class Polarity(StrEnum):
    """Whether a kind may only raise a score, or also lower it."""

    REWARD = "reward"
    BOTH = "both"


class Conduct(StrEnum):
    """Whose conduct a kind records. Only the person's own counts (rule ASC-1)."""

    OWN = "own"
    OTHERS = "others"


class Sensitivity(StrEnum):
    """What a kind reveals about a person. The guard refuses all but the first two.

    `POLITICAL` is POL-1, `SPECIAL` is the special categories of GDPR 9 (SPC-1), `TASTE` is TST-1.
    They exist so that an honest declaration can be refused by name.
    """

    ORDINARY = "ordinary"
    FINANCIAL = "financial"
    POLITICAL = "political"
    SPECIAL = "special"
    TASTE = "taste"


@frozen
class SignalKind:
    """A kind of signals.

    Attributes:
        name: dotted, starting with the context: ``retail.order.completed``.
        context: its sphere of life: ``retail``.
        unit: what a value of 1 means: ``order``, ``GBP``, ``month``.
        polarity: whether it can ever lower a score.
        reason: text shown to people beside its points: "Orders that you kept".
        categories: IRIs of DPV's personal-data categories. A kind without any is refused (rule DCL-1).
        sources: where its data come from: "our own orders".
    """

    name: str = field(validator=validators.kind_name)
    context: str = field(validator=validators.context)
    unit: str = field(validator=validators.text(32))
    evidence: Evidence = field(validator=validators.instance_of(Evidence))
    polarity: Polarity = field(validator=validators.instance_of(Polarity))
    sensitivity: Sensitivity = field(validator=validators.instance_of(Sensitivity))
    reason: str = field(validator=validators.sentence)
    conduct: Conduct = field(default=Conduct.OWN, validator=validators.instance_of(Conduct))
    categories: tuple[str, ...] = field(default=(), validator=validators.each(validators.iri, MAX_CATEGORIES))
    sources: tuple[str, ...] = field(default=(), validator=validators.texts(10, max_length=100))
    title: str = field(default="", validator=validators.optional_text(100))
    description: str = field(default="", validator=validators.optional_text(1000))


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
