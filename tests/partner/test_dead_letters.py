"""Dead letters whose token can never be accepted are signed anew, and their signals count once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from sesame_sdk import InvalidInputError, Signal
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.delivery.messages import Failed, Message
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.dead_letters import describe
from sesame_sdk.signing.jwt import Token
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing import LocalHub, Partner
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER
from tests.partner.peer import Peer


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    """A hub of this process."""
    with LocalHub() as running:
        yield running


@pytest.fixture
def shop(hub: LocalHub) -> Partner:
    """A partner with a person's consent."""
    partner = hub.admit_partner(kinds=[ORDERS])
    hub.record_consent(partner.send_grant("ada", ORDER, given_at=hub.clock() - timedelta(days=1)))
    return partner


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """The outbox of all clients."""
    return tmp_path / "outbox.sqlite"


def _signals(shop: Partner, hub: LocalHub, count: int = 3) -> list[Signal]:
    at = hub.clock() - timedelta(hours=1)
    return [shop.signal("ada", f"order {number}", ORDER, at=at) for number in range(count)]


def _check_counted_once(client: Client, hub: LocalHub, shop: Partner, signals: list[Signal]) -> None:
    """Posted again, they are duplicates; each receipt is that of a message in the hub's ledger."""
    client.post(signals)
    assert client.deliver().duplicates == len(signals)
    assert len(hub.signals(shop.issuer)) == len(signals)
    assert sum(receipt.accepted for receipt in client.receipts()) == len(signals)
    assert client.dead_letters() == []


def test_a_wrong_audience_is_corrected(hub: LocalHub, shop: Partner, outbox: Path) -> None:
    """The configuration named the hub by another URL."""
    signals = _signals(shop, hub)
    wrong_url = "https://alias.example"
    wrong = Client(
        issuer=shop.issuer,
        hub=wrong_url,
        signer=shop.key,
        outbox=outbox,
        transport=Transport(wrong_url, adapter=hub.adapter),
        clock=hub.clock,
    )
    wrong.post(signals)
    assert wrong.deliver().dead == 1
    assert wrong.redrive().signed_anew == 0  # nothing was corrected
    assert wrong.deliver().dead == 1
    wrong.close()
    with hub.client(shop, outbox=outbox) as client:
        (letter,) = client.dead_letters()
        assert letter.code == "invalid_audience"
        assert client.redrive().signed_anew == 1
        assert client.deliver().accepted == 3
        assert letter.jti not in {receipt.jti for receipt in client.receipts()}
        _check_counted_once(client, hub, shop, signals)


def test_what_a_wrong_clock_signed_is_corrected(
    open_client: Callable[..., Client], peer: Peer, signals: Callable[..., list[Signal]]
) -> None:
    """It was days ahead: once it is right, the hub still rejects the old token, and accepts a new one."""
    wrong = open_client(clock=lambda: datetime.now(UTC) + timedelta(days=3))
    wrong.post(signals(3))
    assert wrong.deliver().pending == 1  # its own clock is wrong
    client = open_client()
    assert client.deliver().dead == 1
    assert "redrive" in client.dead_letters()[0].reason
    assert client.redrive().signed_anew == 1
    assert client.deliver().accepted == 3
    assert len(peer.ledger) == 3


def test_what_is_older_than_a_hub_accepts_is_signed_anew(hub: LocalHub, shop: Partner, outbox: Path) -> None:
    """It lay in the outbox for more than a year."""
    signals = _signals(shop, hub)
    with hub.client(shop, outbox=outbox) as client:
        client.post(signals)
        hub.advance_clock(days=400)
        assert client.deliver().dead == 1
        assert client.redrive().signed_anew == 1
        assert client.deliver().accepted == 3
        _check_counted_once(client, hub, shop, signals)


def test_a_revoked_key_is_replaced(hub: LocalHub, shop: Partner, outbox: Path) -> None:
    """What it signed, and the hub had stored in part, is signed by the new key."""
    signals = _signals(shop, hub)
    with hub.client(shop, outbox=outbox) as client:
        client.post(signals[:1])
        client.deliver()
        client.post(signals)
    new = shop.with_key(SigningKey.generate())
    hub.hub.add_partner(shop.issuer, [new.key.public_jwk])
    hub.advance_clock(minutes=1)
    hub.hub.revoke_key(shop.key.kid, hub.clock())
    with hub.client(new, outbox=outbox) as client:
        assert client.deliver().dead == 1
        assert client.dead_letters()[0].code == "invalid_key"
        assert client.redrive().signed_anew == 1
        result = client.deliver()
        assert (result.accepted, result.duplicates) == (2, 1)
        _check_counted_once(client, hub, shop, signals)


def test_the_same_bytes_are_sent_where_the_token_is_good(hub: LocalHub, outbox: Path) -> None:
    """The hub did not know the partner; once it does, it accepts what was signed before."""
    stranger = Partner("https://late.example", hub.hub, hub.clock)
    with hub.client(stranger, outbox=outbox) as client:
        client.post(_signals(stranger, hub))
        assert client.deliver().dead == 1
        (letter,) = client.dead_letters()
        hub.hub.add_partner(stranger.issuer, [stranger.key.public_jwk])
        assert client.redrive([letter.id]).signed_anew == 0
        assert client.deliver().sent == 1
        assert [receipt.jti for receipt in client.receipts()] == [letter.jti]


def _bury(outbox: Path, *messages: Message, code: str = "invalid_audience") -> None:
    opened = Outbox(outbox)
    opened.record_outcomes(failed=[Failed(message, code, "why") for message in messages])
    opened.close()


def test_a_receipt_that_was_not_valid_is_asked_for_again(hub: LocalHub, shop: Partner, outbox: Path) -> None:
    """The hub has the message: the same bytes get its receipt, whatever key signs now."""
    with hub.client(shop, outbox=outbox) as client:
        client.post(_signals(shop, hub))
    opened = Outbox(outbox)
    (message,) = opened.fetch_pending()
    opened.close()
    hub.hub.receive(message.body)
    _bury(outbox, message, code="invalid_receipt")
    with hub.client(shop.with_key(SigningKey.generate()), outbox=outbox) as client:
        assert client.redrive().signed_anew == 0
        assert client.deliver().accepted == 3
        assert [receipt.jti for receipt in client.receipts()] == [message.jti]


def test_a_damaged_letter_stays_and_the_others_go_on(hub: LocalHub, shop: Partner, outbox: Path) -> None:
    """It is named, and can be discarded alone; other events are sent as they are."""
    with hub.client(shop, outbox=outbox) as client:
        client.post(_signals(shop, hub))
    opened = Outbox(outbox)
    (good,) = opened.fetch_pending()
    body = good.body.replace(b"~", b"~A", 1)
    opened.append("damaged", EventType.SIGNALS, body, signal_count=3)
    opened.append("other", EventType.KEY_ROTATION, b"body")
    _bury(outbox, *opened.fetch_pending())
    assert "digest" in describe(opened.read(2)).damaged
    opened.close()
    with hub.client(shop.with_key(SigningKey.generate()), outbox=outbox) as client:
        result = client.redrive()
        assert (result.queued, result.signed_anew, result.damaged) == (2, 1, (2,))
        with pytest.raises(InvalidInputError, match="1 is not a dead letter"):
            client.discard([1])
        assert client.discard([2]) == 1
        assert client.dead_letters() == []


def test_a_message_is_described_without_people_values_and_times(
    hub: LocalHub, shop: Partner, outbox: Path
) -> None:
    """Its kinds are counted."""
    signals = [evolve(signal, value=123.5) for signal in _signals(shop, hub)]
    with hub.client(shop, outbox=outbox) as client:
        client.post(signals)
    opened = Outbox(outbox)
    described = describe(opened.read(1))
    token = Token.parse(opened.read(1).body.partition(b"~")[0])
    opened.close()
    assert described.kinds == {ORDER: 3}
    assert (described.state, described.signals, described.kid) == ("pending", 3, shop.key.kid)
    assert described.issued_at == token.issued_at()
    assert not [
        text
        for signal in signals
        for text in (signal.subject, signal.id, "123.5", str(signal.occurred_at))
        if text in repr(described)
    ]
