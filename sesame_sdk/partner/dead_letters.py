"""Signs dead letters anew where their old token can never be accepted, and describes messages.

A redrive sends the same bytes again where the cause lay elsewhere: the hub did not know the partner or its
key yet, or its receipt was not valid. It signs anew, under another ``jti``, where the token is the cause:
    * its audience, issuer or key is not the configured one (any more)
    * its time is in the future, or further in the past than a hub accepts
    * the hub found it malformed, or its ``jti`` used
The signals keep their ids, so they count once even if the hub has stored them.
"""

from collections import Counter
from datetime import datetime

from attrs import evolve, field, frozen

from sesame_sdk.constants import MAX_MESSAGE_AGE
from sesame_sdk.delivery.messages import StoredMessage
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.interfaces import Signer
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.envelopes import recover_signals, seal
from sesame_sdk.signing.jwt import LEEWAY, new_jti
from sesame_sdk.signing.sd_jwt import SdJwt

#: The hub may have accepted the message, and gives the same receipt for the same bytes.
_PERHAPS_ACCEPTED = "invalid_receipt"
#: The token is malformed, or one of its claims is not acceptable (RFC 8935 section 2.4).
_UNACCEPTABLE = "invalid_request"


@frozen
class Resealer:
    """Signs envelopes anew, for the hub `audience`."""

    signer: Signer
    issuer: str
    audience: str
    now: datetime

    def __call__(self, message: StoredMessage) -> tuple[str, bytes] | None:
        """Another ``jti`` and body for a dead letter; None where the old ones may be accepted.

        Raises `InvalidInputError`: its signals cannot be read.
        """
        if message.event != EventType.SIGNALS or not self._is_hopeless(message):
            return None
        jti, parties = new_jti(), {"issuer": self.issuer, "audience": self.audience}
        return jti, seal(recover_signals(message.body), self.signer, now=self.now, jti=jti, **parties)

    def _is_hopeless(self, message: StoredMessage) -> bool:
        if message.code == _PERHAPS_ACCEPTED:
            return False
        token = SdJwt.parse(message.body).token
        age = self.now - token.issued_at()
        return (
            message.code == _UNACCEPTABLE
            or (token.issuer, token.kid) != (self.issuer, self.signer.kid)
            or not token.is_for(self.audience)
            or not -LEEWAY <= age <= MAX_MESSAGE_AGE
        )


@frozen
class MessageDescription:
    """What a message is, without subjects, values and times of signals.

    Attributes:
        state: ``pending``, ``sent`` or ``dead_lettered``.
        kinds: how many signals it has of each kind; empty for a sent one, whose body is deleted.
        damaged: why its body cannot be read; empty if it can.
    """

    id: int
    state: str
    jti: str
    event: str
    signals: int
    bytes: int
    code: str
    reason: str
    issuer: str = ""
    kid: str = ""
    issued_at: datetime | None = None
    kinds: dict[str, int] = field(factory=dict)
    damaged: str = ""


def describe(message: StoredMessage) -> MessageDescription:
    """Describe a message."""
    state = "dead_lettered" if message.state == "dead" else message.state
    head = (message.id, state, message.jti, message.event, message.signal_count, len(message.body))
    described = MessageDescription(*head, message.code, message.reason)
    if not message.body:
        return described
    try:
        token = SdJwt.parse(message.body).token
        described = evolve(described, issuer=token.issuer, kid=token.kid, issued_at=token.issued_at())
        if message.event == EventType.SIGNALS:
            kinds = Counter(signal.kind for signal in recover_signals(message.body))
            described = evolve(described, kinds=dict(sorted(kinds.items())))
    except InvalidInputError as error:
        return evolve(described, damaged=str(error))
    return described
