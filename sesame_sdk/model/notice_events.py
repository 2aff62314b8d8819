"""Events that notify a partner about its signals: a dispute was opened, or decided.

The third notice is `stream_events.SubjectRemoved`.
"""

from datetime import date
from typing import Literal

from attrs import field, frozen, validators

from sesame_sdk.model import validators as model_validators


@frozen
class SignalDisputed:
    """The person in ``sub_id`` disputes a signal of the partner. It does not count until the decision.

    Attributes:
        signal: its id.
        kind: its kind.
        statement: what the person says is wrong with it.
        decision_due: last day for a decision; send what you know of the signal before.
    """

    signal: str = field(validator=model_validators.signal_id)
    kind: str = field(validator=model_validators.kind_name)
    statement: str = field(validator=model_validators.text(1000))
    decision_due: date = field(validator=validators.instance_of(date))


@frozen
class DisputeDecided:
    """The decision on a dispute of the partner's signal.

    Attributes:
        signal: its id.
        outcome: ``upheld``: it never counts again, even if another party sends it; ``rejected``: it counts.
    """

    signal: str = field(validator=model_validators.signal_id)
    outcome: Literal["upheld", "rejected"]
