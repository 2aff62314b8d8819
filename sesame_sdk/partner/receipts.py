"""Verifies receipts. Pure.

A receipt is valid if the hub signed it, for us, about the envelope that we sent, and its numbers account
for each signal in it.
"""

from datetime import datetime

from attrs import frozen

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.envelope import EventType, Receipt
from sesame_sdk.signing.jwt import KeyFinder, Token, verify_event


@frozen
class ExpectedReceipt:
    """The required content of a receipt.

    Attributes:
        hub: issuer URL of the receiver.
        audience: our own issuer URL.
        jti: id of the message.
        signal_count: number of its signals; None for a registration, where the numbers are not checked.
    """

    hub: str
    audience: str
    jti: str
    signal_count: int | None


def read_receipt(token: bytes, keys: KeyFinder, expected: ExpectedReceipt, now: datetime) -> Receipt:
    """Verify a receipt.

    Raises:
        InvalidInputError: ``invalid_receipt``, with the reason.
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
        raise InvalidInputError(f"the hub's receipt is not valid: {error}", code="invalid_receipt") from error
    return event.payload


def _compare(issuer: str, receipt: Receipt, expected: ExpectedReceipt) -> None:
    if issuer != expected.hub:
        raise InvalidInputError("is not the hub that the message was sent to", field="iss")
    if receipt.jti != expected.jti:
        raise InvalidInputError("is of another message", field="jti")
    if expected.signal_count is None:
        return
    if min(receipt.accepted, receipt.duplicates) < 0:
        raise InvalidInputError("must not be negative", field="accepted, duplicates")
    if receipt.accepted + receipt.duplicates + len(receipt.dropped) != expected.signal_count:
        raise InvalidInputError(
            f"do not add up to the {expected.signal_count} sent", field="accepted, duplicates, dropped"
        )
