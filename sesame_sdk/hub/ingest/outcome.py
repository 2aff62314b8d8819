"""What became of a message, as the ledger keeps it: enough to make its receipt again, and no more.

A receipt names the signals that were not kept, and the ledger may not: people did not agree to them, and
whoever is erased is not to be found by the ids that their sender goes on sending. So it keeps their
places. The same message, which must come again to get its receipt again, brings the ids along; and a
signature of Ed25519 is the same each time (RFC 8032), so the receipt is too.
"""

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from sesame_sdk.model.envelope import Dropped, DropReason, Receipt
from sesame_sdk.model.signals import Signal
from sesame_sdk.signing.security_events import new_jti


@frozen
class IngestOutcome:
    """What became of the signals of one envelope; of a registration, nothing.

    Attributes:
        accepted: signals kept, seen for the first time.
        duplicates: signals that were here already.
        dropped: places in the envelope of those not kept, each with its reason.
        jti: the receipt's own.
    """

    accepted: int = 0
    duplicates: int = 0
    dropped: tuple[tuple[int, DropReason], ...] = ()
    jti: str = field(factory=new_jti)


@frozen
class ProcessedMessage:
    """A message that was taken in, when, and with what outcome."""

    received_at: datetime
    outcome: IngestOutcome

    def make_receipt(self, jti: str, signals: Sequence[Signal] = ()) -> Receipt:
        """The receipt for the message of this id, which holds these signals."""
        outcome = self.outcome
        dropped = tuple(Dropped(signals[place].id, reason) for place, reason in outcome.dropped)
        return Receipt(jti, self.received_at, outcome.accepted, outcome.duplicates, dropped)
