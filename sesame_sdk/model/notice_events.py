"""What a hub tells a partner of people behind its signals: a dispute, its result. See also `feed.Gone`."""

from datetime import date
from typing import Literal

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators


@frozen
class SignalDisputed:
    """The person in ``sub_id`` says that a signal of yours is wrong. It does not count for now.

    Attributes:
        signal: its id.
        kind: its kind.
        words: what the person says is wrong with it.
        decision_due: the last day for a decision; say what you know of it before.
    """

    signal: str = field(validator=model_validators.signal_id)
    kind: str = field(validator=model_validators.kind_name)
    words: str = field(validator=model_validators.text(1000))
    decision_due: date = field(validator=validators.instance_of(date))


@frozen
class DisputeDecided:
    """What a dispute of a signal of yours came to.

    Attributes:
        signal: its id.
        outcome: upheld, so that it never counts again, whoever sends it; or rejected, so that it counts.
    """

    signal: str = field(validator=model_validators.signal_id)
    outcome: Literal["upheld", "rejected"]
