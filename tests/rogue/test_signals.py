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
from tests.rogue.site import Site

#: What is added where an envelope is taken that holds nothing to keep: its token and our receipt.
_TOKEN_ONLY = ("envelopes", "rate_limits")


def _now() -> datetime:
    return timestamps.utc_now()


SIGNALS: dict[str, tuple[DropReason, Callable[[Site], Signal]]] = {
    "a kind that nobody declared": (
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
    "nobody's name": (DropReason.NO_GRANT, lambda s: evolve(s.order(), subject="nobody")),
    "the plain name of a person": (DropReason.NO_GRANT, lambda s: evolve(s.order(), subject="ada")),
    "a text of SQL for a name": (
        DropReason.NO_GRANT,
        lambda s: evolve(s.order(), subject="'OR/**/1=1--"),
    ),
    "less than nothing of what may only reward": (
        DropReason.VALUE_AGAINST_POLARITY,
        lambda s: s.order(value=-1e-300),
    ),
    "more than any kind goes": (DropReason.VALUE_OUT_OF_RANGE, lambda s: s.order(value=1e9 + 1)),
    "as much as a double holds": (DropReason.VALUE_OUT_OF_RANGE, lambda s: s.order(value=1.79e308)),
    "as little as a double holds": (
        DropReason.VALUE_OUT_OF_RANGE,
        lambda s: s.order(of=LATE, value=-1.79e308),
    ),
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


def _envelope(site: Site, signal: Signal) -> bytes:
    return site.shop.seal(signal)


def _in_the_clear(site: Site, signal: Signal) -> bytes:
    return forging.in_the_clear(site.shop, codec.encode([signal]), txn=f"{signal.id} {timestamps.utc_now()}")


@pytest.mark.parametrize("way", SIGNALS)
@pytest.mark.parametrize("make", [_envelope, _in_the_clear], ids=["disclosed", "in the clear"])
def test_a_signal_that_is_wrong_is_dropped_and_not_stored(
    site: Site, way: str, make: Callable[[Site, Signal], bytes]
) -> None:
    """The receipt says why. Of the message the hub keeps what cannot be turned back into the signal."""
    reason, wrong = SIGNALS[way]
    signal = wrong(site)
    body = make(site, signal)
    with site.unchanged(*_TOKEN_ONLY):
        answer = site.post(body)
    assert answer.status_code == 202, answer.text
    receipt = site.shop.read_receipt(answer.content)
    assert (receipt.accepted, receipt.duplicates) == (0, 0)
    assert [(one.id, one.reason) for one in receipt.dropped] == [(signal.id, reason)]
    token, parted, _ = body.partition(b"~")
    kept = (token, b"~") if parted else (b"", b"[]")
    columns = metadata.tables["envelopes"].c.keys()
    rows = [dict(zip(columns, row, strict=True)) for row in site.dump()["envelopes"]]
    assert [(row["token"], row["disclosures"]) for row in rows if row["jti"] == receipt.jti] == [kept]


def test_digests_without_disclosures_add_nothing(site: Site) -> None:
    """They stand for signals that were withheld: the receipt counts none of them, and nothing is stored."""
    withheld = [forging.disclosed(site.order(name)) for name in "ab"]
    body = forging.envelope(site.shop, [], withheld, txn="withheld")
    with site.unchanged(*_TOKEN_ONLY):
        receipt = site.shop.read_receipt(site.post(body).content)
    assert (receipt.accepted, receipt.duplicates, receipt.dropped) == (0, 0, ())


def test_digests_of_nothing_and_of_other_hashes_are_digests_withheld(site: Site) -> None:
    """A digest is a text that nobody can look behind: it counts as one withheld, whatever it is."""
    events = forging.listing("", "x", digest_of(b""), "\u00e9" * 1000)
    body = forging.signed(site.shop, forging.claims(site.shop, events, txn="odd")) + b"~"
    with site.unchanged(*_TOKEN_ONLY):
        receipt = site.shop.read_receipt(site.post(body).content)
    assert (receipt.accepted, receipt.dropped) == (0, ())


def test_a_good_signal_beside_bad_ones_is_kept(site: Site) -> None:
    """One bad signal does not take the others with it."""
    good = site.order("beside")
    receipt = site.shop.read_receipt(
        site.post(site.shop.seal(good, site.order("x", value=-1.0), site.order("y", of=POST))).content
    )
    assert (receipt.accepted, len(receipt.dropped)) == (1, 2)


def test_the_same_envelope_gets_the_same_receipt_and_adds_nothing(site: Site) -> None:
    """Whoever caught one on the way and sends it again has gained nothing."""
    body = site.shop.seal(site.order("replayed"))
    first = site.post(body)
    with site.unchanged("rate_limits"):
        assert site.post(body).content == first.content
