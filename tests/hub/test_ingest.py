"""What the hub keeps of an envelope, and what it says about the rest."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model.envelope import Dropped, DropReason, EventType
from sesame_sdk.signing import base64url
from sesame_sdk.signing.keys import SigningKey
from tests.hub.fixtures import LATE, NOON, ORDER, POST, Clock, Partner
from tests.hub.ledger import ledger_bytes


def test_keeps_what_was_granted_and_says_so(shop: Partner, hub: Hub) -> None:
    """A signal under a grant is accepted, and the receipt is signed by the hub for the sender."""
    hub.add_grants(shop.grants("ada", ORDER))
    receipt = shop.send(shop.signal("ada", "1"), shop.signal("ada", "2"))
    assert (receipt.accepted, receipt.duplicates, receipt.dropped) == (2, 0, ())
    assert receipt.received_at == NOON


def test_drops_each_signal_for_its_own_reason(shop: Partner, hub: Hub) -> None:
    """One bad signal does not take the others with it; the receipt names id and reason."""
    hub.add_grants(shop.grants("ada", ORDER))
    good = shop.signal("ada", "1")
    bad = {
        shop.signal("ada", "2", POST): DropReason.KIND_NOT_REGISTERED,
        shop.signal("ada", "3", value=-1.0): DropReason.VALUE_AGAINST_POLARITY,
        shop.signal("ada", "4", at=NOON + timedelta(minutes=6)): DropReason.IN_THE_FUTURE,
        shop.signal("ada", "5", LATE): DropReason.NO_GRANT,
        shop.signal("bob", "6"): DropReason.NO_GRANT,
    }
    receipt = shop.send(good, *bad)
    assert receipt.accepted == 1
    assert receipt.dropped == tuple(Dropped(signal.id, reason) for signal, reason in bad.items())


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"kind": POST}, id="an unregistered kind"),
        pytest.param({"value": -1.0}, id="a value against the polarity"),
        pytest.param({"at": NOON + timedelta(hours=1)}, id="a time to come"),
    ],
)
def test_the_reason_of_a_drop_does_not_reveal_known_people(
    shop: Partner, hub: Hub, wrong: dict[str, object]
) -> None:
    """A faulty signal about somebody with a grant and about a stranger are dropped for the same reason."""
    hub.add_grants(shop.grants("ada", ORDER, LATE))
    receipt = shop.send(shop.signal("ada", "1", **wrong), shop.signal("stranger", "2", **wrong))
    assert receipt.dropped[0].reason == receipt.dropped[1].reason


def test_what_clocks_differ_by_is_forgiven(shop: Partner, hub: Hub) -> None:
    """A signal five minutes ahead of the hub's clock is kept."""
    hub.add_grants(shop.grants("ada", ORDER))
    assert shop.send(shop.signal("ada", "1", at=NOON + timedelta(minutes=5))).accepted == 1


@pytest.mark.parametrize("in_the_clear", [False, True], ids=["as disclosures", "in the clear"])
def test_nothing_of_a_dropped_signal_is_on_disk(
    shop: Partner, hub: Hub, hub_path: Path, in_the_clear: bool
) -> None:
    """The ledger holds no word about somebody who did not consent, however the signal was sent."""
    hub.add_grants(shop.grants("ada", ORDER))
    signals = [shop.signal("ada", "1"), shop.signal("bob", "2")]
    envelope = shop.token(EventType.SIGNALS, {"signals": signals}) if in_the_clear else shop.seal(*signals)
    receipt = shop.read_receipt(hub.receive(envelope))
    assert (receipt.accepted, len(receipt.dropped)) == (1, 1)
    bobs = envelope.split(b"~")[2] if not in_the_clear else envelope.split(b".")[1]
    hub.close()
    stored = ledger_bytes(hub_path)
    assert shop.pseudonym("bob").encode() not in stored
    assert bobs not in stored


def test_the_same_envelope_again_gets_the_same_receipt(shop: Partner, hub: Hub, clock: Clock) -> None:
    """A sender that lost the answer sends again, and gets the very bytes of the first time."""
    hub.add_grants(shop.grants("ada", ORDER))
    envelope = shop.seal(shop.signal("ada", "1"))
    first = hub.receive(envelope)
    clock.advance(minutes=10)
    assert hub.receive(envelope) == first
    assert hub.rebuild().signals == 1


def test_another_token_under_a_used_jti_is_rejected(shop: Partner, hub: Hub) -> None:
    """A jti names one token for good, be it an envelope or a registration."""
    hub.add_grants(shop.grants("ada", ORDER))
    hub.receive(shop.seal(shop.signal("ada", "1"), jti="once"))
    with pytest.raises(InvalidInputError, match="jti: was used for another message"):
        hub.receive(shop.seal(shop.signal("ada", "2"), jti="once"))


def test_signals_sent_again_count_once(shop: Partner, hub: Hub) -> None:
    """The same observation in another envelope, or twice in one, is a duplicate."""
    hub.add_grants(shop.grants("ada", ORDER))
    shop.send(shop.signal("ada", "1"))
    receipt = shop.send(shop.signal("ada", "1"), shop.signal("ada", "2"), shop.signal("ada", "2"))
    assert (receipt.accepted, receipt.duplicates) == (1, 2)
    assert hub.rebuild().signals == 2


@pytest.mark.parametrize("size", [1, 249, 250, 251, 1000])
def test_every_signal_of_an_envelope_is_counted_whatever_its_size(shop: Partner, hub: Hub, size: int) -> None:
    """New ones and duplicates, in envelopes that need one statement or several."""
    hub.add_grants(shop.grants("ada", ORDER))
    signals = [shop.signal("ada", str(number)) for number in range(size)]
    assert shop.send(*signals[: size // 3]).accepted == size // 3 if size > 2 else True
    receipt = shop.send(*signals)
    assert (receipt.accepted, receipt.duplicates) == (size - size // 3, size // 3)
    assert hub.rebuild().signals == size


def _tampered(envelope: bytes) -> bytes:
    head, payload, rest = envelope.split(b".", 2)
    changed = base64url.decode(payload, field="payload").replace(b'"iat":1', b'"iat":2', 1)
    return b".".join([head, base64url.encode(changed), rest])


def _with_foreign_disclosure(envelope: bytes) -> bytes:
    return envelope + b"WyJzYWx0Iiwge31d~"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(_tampered, "authentication_failed", id="payload changed"),
        pytest.param(_with_foreign_disclosure, "invalid_request", id="disclosure that was not signed"),
        pytest.param(lambda _: b"not a token", "invalid_request", id="no token at all"),
        pytest.param(lambda _: b"", "invalid_request", id="nothing"),
    ],
)
def test_an_envelope_that_was_tampered_with_is_rejected(
    shop: Partner, hub: Hub, spoil: Any, code: str
) -> None:
    """Verification comes first, and nothing of it is stored."""
    hub.add_grants(shop.grants("ada", ORDER))
    with pytest.raises(InvalidInputError) as refused:
        hub.receive(spoil(shop.seal(shop.signal("ada", "1"))))
    assert refused.value.code == code
    assert hub.rebuild().signals == 0


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        pytest.param({"audience": "https://other.example"}, "invalid_audience", id="meant for another hub"),
        pytest.param({"issuer": "https://unknown.example"}, "invalid_issuer", id="from an unknown issuer"),
        pytest.param({"now": NOON + timedelta(hours=1)}, "invalid_request", id="signed in the future"),
    ],
)
def test_a_token_that_is_not_for_us_is_rejected(
    shop: Partner, hub: Hub, claims: dict[str, object], code: str
) -> None:
    """The codes are those of RFC 8935 section 2.4."""
    token = shop.token(EventType.SIGNALS, {"signals": list[Signal]()}, **claims)
    with pytest.raises(InvalidInputError) as refused:
        hub.receive(token)
    assert refused.value.code == code


def test_a_key_that_is_not_the_partners_is_rejected(shop: Partner) -> None:
    """A key of one's own cannot sign in a partner's name."""
    with pytest.raises(InvalidInputError) as refused:
        shop.with_key(SigningKey.generate()).send(shop.signal("ada", "1"))
    assert refused.value.code == "invalid_key"


def test_a_receipt_is_not_for_a_hub(shop: Partner, hub: Hub) -> None:
    """An event that a hub does not act on is refused by name."""
    with pytest.raises(InvalidInputError, match="not for a hub"):
        hub.receive(shop.token(EventType.RECEIPT, {}))


def test_an_envelope_with_everything_withheld_is_acknowledged(shop: Partner, hub: Hub) -> None:
    """Nothing is left to keep, and that is a full answer."""
    token = shop.seal(shop.signal("ada", "1")).split(b"~")[0] + b"~"
    receipt = shop.read_receipt(hub.receive(token))
    assert (receipt.accepted, receipt.duplicates, receipt.dropped) == (0, 0, ())
    assert hub.rebuild().signals == 0
