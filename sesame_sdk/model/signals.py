"""Signals, and the kinds of signal that a provider may send."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite

from attrs import field, fields, frozen, validators

from sesame_sdk.constants import MAX_KIND_LENGTH, MAX_SUBJECT_LENGTH
from sesame_sdk.model import validators as model_validators

# A form of fixed length is quicker to compare than to match: every hexadecimal digit made a zero.
_HEX_TO_ZERO = bytes.maketrans(b"0123456789abcdef", b"0" * 16)
_ID_WITH_ZEROS = b"00000000-0000-0000-0000-000000000000"
_matches_kind = re.compile(model_validators.KIND_PATTERN).fullmatch
# Kinds are few and signals many: a look-up for a regular expression. Bounded, so that a sender of
# made-up names cannot fill our memory; and plain, since `lru_cache` costs as much as the match.
_known_kinds: set[str] = set()
_MAX_KNOWN_KINDS = 1024


def _learn_kind(name: str) -> bool:
    if len(name) > MAX_KIND_LENGTH or not _matches_kind(name):
        return False
    if len(_known_kinds) >= _MAX_KNOWN_KINDS:
        _known_kinds.clear()
    _known_kinds.add(name)
    return True


#: The range of a kind's values: up to this, from 0 for a kind that may only reward, and else from as much
#: below. More is a fault of whoever sends it: no unit needs a billion of anything in one observation.
MAX_VALUE = 1e9
#: An id cannot hold an earlier time (RFC 9562 section 5.7).
MIN_TIMESTAMP = datetime(1970, 1, 1, tzinfo=UTC)
#: Categories of personal data that one kind names at most.
MAX_CATEGORIES = 20


class Evidence(StrEnum):
    """How the provider came to know. An inference may never lower a score (rule INF-1)."""

    OBSERVED = "observed"
    DECLARED = "declared"
    INFERRED = "inferred"


class Polarity(StrEnum):
    """Which way a kind may move a score."""

    REWARD = "reward"
    BOTH = "both"


class Conduct(StrEnum):
    """Whose doing a kind records. Only the person's own counts (rule ASC-1)."""

    OWN = "own"
    OTHERS = "others"


class Sensitivity(StrEnum):
    """What a kind would reveal about a person. The guard refuses all but the first two.

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
    """What a provider may say.

    Attributes:
        name: dotted, beginning with the context: ``retail.order.completed``.
        context: the sphere of life that it belongs to: ``retail``.
        unit: what a value of 1 means: ``order``, ``GBP``, ``month``.
        evidence: how the provider knows.
        polarity: whether it can ever lower a score.
        sensitivity: what it would reveal.
        reason: what a person reads beside its points: "Orders that you kept".
        conduct: whose doing it is.
        categories: what it is made of: IRIs of DPV's personal-data categories. A kind that names none
            is undeclared, and refused (rule DCL-1).
        sources: what it is read from, in words: "our own orders".
        title: what an operator sees in a list.
        description: what else there is to say of it.
    """

    name: str = field(validator=model_validators.kind_name)
    context: str = field(validator=model_validators.context)
    unit: str = field(validator=model_validators.text(32))
    evidence: Evidence = field(validator=validators.instance_of(Evidence))
    polarity: Polarity = field(validator=validators.instance_of(Polarity))
    sensitivity: Sensitivity = field(validator=validators.instance_of(Sensitivity))
    reason: str = field(validator=model_validators.sentence)
    conduct: Conduct = field(default=Conduct.OWN, validator=validators.instance_of(Conduct))
    categories: tuple[str, ...] = field(
        default=(), validator=model_validators.each(model_validators.iri, max_items=MAX_CATEGORIES)
    )
    sources: tuple[str, ...] = field(default=(), validator=model_validators.texts(10, max_length=100))
    title: str = field(default="", validator=model_validators.optional_text(100))
    description: str = field(default="", validator=model_validators.optional_text(1000))


@frozen
class Signal:
    """One observation about one person.

    Attributes:
        id: a UUIDv7 that `Identity.signal_id` derives, so that sending again counts once.
        subject: the sender's own pseudonym for the person; means nothing to anybody else.
        kind: name of a kind that the sender registered.
        value: how much, in the kind's unit; finite.
        occurred_at: when it happened; UTC.

    Raises:
        InvalidInputError: naming the first field that is wrong.
    """

    id: str
    subject: str
    kind: str
    value: float
    occurred_at: datetime

    def __attrs_post_init__(self) -> None:
        # One expression for the good case, and no call that can be spared: a hub decodes hundreds of
        # thousands a second, and a validator a field costs twice the rest of the decoding together.
        # `_name_the_fault` says the same in the words of `checks`; a test holds the two together.
        try:
            own_id, subject, kind, value = self.id, self.subject, self.kind, self.value
            good = (
                own_id.encode().translate(_HEX_TO_ZERO) == _ID_WITH_ZEROS
                and own_id[14] == "7"
                and own_id[19] in "89ab"
                and subject.isascii()
                and subject.isprintable()
                and " " not in subject
                and 0 < len(subject) <= MAX_SUBJECT_LENGTH
                and (kind in _known_kinds or _learn_kind(kind))
                and (type(value) is float or type(value) is int)
                and isfinite(value)
                and self.occurred_at.tzinfo is UTC
            )
        except (TypeError, AttributeError, UnicodeEncodeError, OverflowError):
            good = False
        if not good:
            self._name_the_fault()

    def _name_the_fault(self) -> None:
        named = fields(Signal)
        model_validators.signal_id(self, named.id, self.id)
        model_validators.subject(self, named.subject, self.subject)
        model_validators.kind_name(self, named.kind, self.kind)
        model_validators.finite(self, named.value, self.value)
        model_validators.utc(self, named.occurred_at, self.occurred_at)
