"""Which receipts count. Pure.

A receipt is believed when the hub signed it, for us, about the very envelope that we sent, and its
numbers account for each signal in it. Anything else is no proof of anything.
"""

from datetime import datetime

from attrs import frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.signing.jwt import KeyFinder, Token
from sesame_sdk.signing.security_events import verify_event


@frozen
class ExpectedReceipt:
    """What a receipt must say.

    Attributes:
        hub: issuer URL of whoever we sent to.
        audience: our own issuer URL.
        jti: id of what we sent.
        signal_count: how many signals were in it; None where numbers mean nothing, as for a registration.
    """

    hub: str
    audience: str
    jti: str
    signal_count: int | None


def read_receipt(token: bytes, keys: KeyFinder, expected: ExpectedReceipt, now: datetime) -> Receipt:
    """Verify a receipt.

    Raises:
        InvalidInputError: ``invalid_receipt``; the message says what was wrong with it.
    """
    try:
        event = verify_event(
            Token.parse(token),
            keys,
            event=EventType.RECEIPT,
            payload=Receipt,
            audience=expected.audience,
            now=now,
        )
        _compare(event.issuer, event.payload, expected)
    except InvalidInputError as error:
        raise InvalidInputError(
            f"the hub's receipt does not count: {error}", code="invalid_receipt"
        ) from error
    return event.payload


def _compare(issuer: str, receipt: Receipt, expected: ExpectedReceipt) -> None:
    if issuer != expected.hub:
        raise InvalidInputError("is not the hub that we sent to", field="iss")
    if receipt.jti != expected.jti:
        raise InvalidInputError("is about something else than we sent", field="jti")
    if expected.signal_count is None:
        return
    if min(receipt.accepted, receipt.duplicates) < 0:
        raise InvalidInputError("must not be negative", field="accepted, duplicates")
    if receipt.accepted + receipt.duplicates + len(receipt.dropped) != expected.signal_count:
        raise InvalidInputError(
            f"do not add up to the {expected.signal_count} sent", field="accepted, duplicates, dropped"
        )
