"""Single signals that are wrong in an envelope that is not: dropped with the reason, and not stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from sesame_sdk import Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.database.tables import metadata
from sesame_sdk.model import codec
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.signing.sd_jwt import digest_of
from tests.hub.fixtures import LATE, POST
from tests.rogue import forging
from tests.rogue.deployment import Deployment

#: What is added where an envelope is taken that holds nothing to keep: its token and our receipt.
_TOKEN_ONLY = ("envelopes", "rate_limits")


def _now() -> datetime:
    return timestamps.utc_now()


SIGNALS: dict[str, tuple[DropReason, Callable[[Deployment], Signal]]] = {
    "an undeclared kind": (
        DropReason.KIND_NOT_REGISTERED,
        lambda s: s.order(of="retail.order.imagined"),
    ),
    "a kind of another context": (DropReason.KIND_NOT_REGISTERED, lambda s: s.order(of=POST)),
    "a kind that another partner declared": (
        DropReason.KIND_NOT_REGISTERED,
        lambda s: s.order(of="retail.order.pharmacy"),
    ),
    "a kind that the person did not agree to": (DropReason.NO_GRANT, lambda s: s.order(of=LATE)),
    "another partner's name for a person": (
        DropReason.NO_GRANT,
        lambda s: evolve(s.order(), subject=s.twin.pseudonym("ada")),
    ),
    "another partner's name for a person who is not here": (
        DropReason.NO_GRANT,
        lambda s: evolve(s.order(), subject=s.twin.pseudonym("bob")),
    ),
    "an unknown pseudonym": (DropReason.NO_GRANT, lambda s: evolve(s.order(), subject="unknown")),
    "the plain name of a person": (DropReason.NO_GRANT, lambda s: evolve(s.order(), subject="ada")),
    "a text of SQL for a name": (
        DropReason.NO_GRANT,
        lambda s: evolve(s.order(), subject="'OR/**/1=1--"),
    ),
    "less than nothing": (
        DropReason.VALUE_AGAINST_POLARITY,
        lambda s: s.order(value=-1e-300),
    ),
    "more than any kind goes": (DropReason.VALUE_OUT_OF_RANGE, lambda s: s.order(value=1e9 + 1)),
    "as much as a double holds": (DropReason.VALUE_OUT_OF_RANGE, lambda s: s.order(value=1.79e308)),
    "as little as a double holds": (
        DropReason.VALUE_AGAINST_POLARITY,
        lambda s: s.order(of=LATE, value=-1.79e308),
    ),
    "nothing": (DropReason.VALUE_AGAINST_MEASURE, lambda s: s.order(value=0.0)),
    "a tenth of a millionth of a pound": (DropReason.VALUE_AGAINST_MEASURE, lambda s: s.order(value=1e-7)),
    "an hour to come": (
        DropReason.IN_THE_FUTURE,
        lambda s: evolve(s.order(), occurred_at=_now() + timedelta(hours=1)),
    ),
    "the end of all time": (
        DropReason.IN_THE_FUTURE,
        lambda s: evolve(s.order(), occurred_at=datetime.max.replace(tzinfo=UTC)),
    ),
    "the beginning of all time": (
        DropReason.TOO_LONG_AGO,
        lambda s: evolve(s.order(), occurred_at=datetime.min.replace(tzinfo=UTC)),
    ),
    "the day before the first": (
        DropReason.TOO_LONG_AGO,
        lambda s: evolve(s.order(), occurred_at=datetime(1969, 12, 31, tzinfo=UTC)),
    ),
}


def _envelope(deployment: Deployment, signal: Signal) -> bytes:
    return deployment.shop.seal(signal)


def _in_the_clear(deployment: Deployment, signal: Signal) -> bytes:
    return forging.in_the_clear(
        deployment.shop, codec.encode([signal]), txn=f"{signal.id}-{timestamps.utc_now().timestamp()}"
    )


@pytest.mark.parametrize("way", SIGNALS)
@pytest.mark.parametrize("make", [_envelope, _in_the_clear], ids=["disclosed", "in the clear"])
def test_a_signal_that_is_wrong_is_dropped_and_not_stored(
    deployment: Deployment, way: str, make: Callable[[Deployment, Signal], bytes]
) -> None:
    """The receipt says why. Of the message the hub keeps what cannot be turned back into the signal."""
    reason, wrong = SIGNALS[way]
    signal = wrong(deployment)
    body = make(deployment, signal)
    with deployment.unchanged(*_TOKEN_ONLY):
        answer = deployment.post(body)
    assert answer.status_code == 202, answer.text
    receipt = deployment.shop.read_receipt(answer.content)
    assert (receipt.accepted, receipt.duplicates) == (0, 0)
    assert [(one.id, one.reason) for one in receipt.dropped] == [(signal.id, reason)]
    token, parted, _ = body.partition(b"~")
    kept = (token, b"~") if parted else (b"", b"[]")
    columns = metadata.tables["envelopes"].c.keys()
    rows = [dict(zip(columns, row, strict=True)) for row in deployment.dump()["envelopes"]]
    assert [(row["token"], row["disclosures"]) for row in rows if row["jti"] == receipt.jti] == [kept]


def test_digests_without_disclosures_add_nothing(deployment: Deployment) -> None:
    """They stand for signals that were withheld: the receipt counts none of them, and nothing is stored."""
    withheld = [forging.disclosed(deployment.order(name)) for name in "ab"]
    body = forging.envelope(deployment.shop, [], withheld, txn="withheld")
    with deployment.unchanged(*_TOKEN_ONLY):
        receipt = deployment.shop.read_receipt(deployment.post(body).content)
    assert (receipt.accepted, receipt.duplicates, receipt.dropped) == (0, 0, ())


def test_digests_of_nothing_are_digests_withheld(deployment: Deployment) -> None:
    """A digest hides its contents: it counts as one withheld signal. What is no digest is refused."""
    for odd in ("", "x", "\u00e9" * 43, digest_of(b"")[:-1], digest_of(b"") + "="):
        events = forging.listing(odd)
        answer = deployment.post(
            forging.signed(deployment.shop, forging.claims(deployment.shop, events)) + b"~"
        )
        assert answer.status_code == 400
    events = forging.listing(digest_of(b""), digest_of(b"x"))
    body = forging.signed(deployment.shop, forging.claims(deployment.shop, events, txn="odd")) + b"~"
    with deployment.unchanged(*_TOKEN_ONLY):
        receipt = deployment.shop.read_receipt(deployment.post(body).content)
    assert (receipt.accepted, receipt.dropped) == (0, ())


def test_a_good_signal_beside_bad_ones_is_kept(deployment: Deployment) -> None:
    """One bad signal does not take the others with it."""
    good = deployment.order("beside")
    receipt = deployment.shop.read_receipt(
        deployment.post(
            deployment.shop.seal(good, deployment.order("x", value=-1.0), deployment.order("y", of=POST))
        ).content
    )
    assert (receipt.accepted, len(receipt.dropped)) == (1, 2)


def test_the_same_envelope_gets_the_same_receipt_and_adds_nothing(deployment: Deployment) -> None:
    """A replayed envelope has no effect."""
    body = deployment.shop.seal(deployment.order("replayed"))
    first = deployment.post(body)
    with deployment.unchanged("rate_limits"):
        assert deployment.post(body).content == first.content
