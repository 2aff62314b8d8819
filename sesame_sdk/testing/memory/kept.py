"""What was kept: envelopes with their receipts, and the signals in them.

Rules:
    * a ``jti`` names one message of an issuer for good; the same again gets the same receipt
    * a signal is known by person, partner and id. Of several tellings the first counts whose key was
      not void when it came
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.signals import Signal


@frozen
class Arrival:
    """A verified message: whose, under which id and key, signed when, received when."""

    issuer: str
    jti: str
    kid: str
    issued_at: datetime
    received_at: datetime
    digest: bytes

    @staticmethod
    def digest_of(token: bytes, shown: Sequence[bytes] = ()) -> bytes:
        """By which a message is known again: the token, and what was shown with it."""
        return hashlib.sha256(b"~".join([token, *shown])).digest()


@frozen
class Telling:
    """A signal as it came: about whom, and in which message."""

    person: str
    signal: Signal
    arrival: Arrival

    @property
    def key(self) -> tuple[str, str, str]:
        """What the signal is known by."""
        return self.person, self.arrival.issuer, self.signal.id


@frozen
class Kept:
    """The hub's memory of messages.

    Args:
        void: whether what arrived counts no more.
    """

    _void: Callable[[Arrival], bool]
    _receipts: dict[tuple[str, str], tuple[bytes, bytes]] = field(factory=dict)
    _tellings: dict[tuple[str, str, str], list[Telling]] = field(factory=dict)

    def receipt_of(self, arrival: Arrival) -> bytes | None:
        """What this very message was answered before, if it was.

        Raises:
            InvalidInputError: another message of this issuer had the same ``jti``.
        """
        digest, receipt = self._receipts.get((arrival.issuer, arrival.jti), (arrival.digest, None))
        if digest != arrival.digest:
            raise InvalidInputError(
                "was used for another message", field="jti", hint="give each token a jti of its own"
            )
        return receipt

    def answer(self, arrival: Arrival, receipt: bytes) -> bytes:
        """Keep the receipt of a message, and give it back."""
        self._receipts[arrival.issuer, arrival.jti] = arrival.digest, receipt
        return receipt

    def keep(self, telling: Telling) -> bool:
        """Keep a signal; whether it is new."""
        before = self._tellings.setdefault(telling.key, [])
        new = all(self._void(one.arrival) for one in before)
        before.append(telling)
        return new

    def standing(self) -> list[Telling]:
        """Each signal once, as it counts now."""
        sound = ([one for one in told if not self._void(one.arrival)] for told in self._tellings.values())
        return [told[0] for told in sound if told]
