"""Which receipts count, and whose keys they are signed with."""

from collections.abc import Callable

import pytest

from sesame_sdk import ConfigurationError
from sesame_sdk.model.codec import encode
from sesame_sdk.model.envelope import Dropped, DropReason
from sesame_sdk.partner.client import Client
from sesame_sdk.signing.keys import SigningKey, Trust, TrustedKey
from tests.partner.faults import answer, receipt_with
from tests.partner.peer import LONG_AGO, SET, Fault, Peer, Reply

Open = Callable[..., Client]
Signals = Callable[..., list[object]]


def one_byte_changed(_peer: Peer, work: Callable[[], Reply]) -> Reply:
    """The right receipt with one byte of its signature changed."""
    reply = work()
    changed = b"A" if reply.body[-10:-9] != b"A" else b"B"
    return Reply(202, reply.body[:-10] + changed + reply.body[-9:], SET)


WRONG = {
    "about another envelope": (receipt_with(jti="another"), "jti"),
    "for another partner": (receipt_with(audience="https://other.example"), "aud"),
    "counts fewer signals than were sent": (receipt_with(accepted=2), "do not add up to the 3 sent"),
    "counts more signals than were sent": (receipt_with(duplicates=1), "do not add up"),
    "makes up for a drop with a negative count": (
        receipt_with(duplicates=-1, dropped=(Dropped("x", DropReason.NO_GRANT),)),
        "must not be negative",
    ),
    "signed with a key that is not the hub's": (
        receipt_with(key=SigningKey.generate()),
        "not a key of the hub",
    ),
    "changed on its way": (one_byte_changed, "signature"),
    "no token at all": (answer(b"hello"), "three parts"),
    "empty": (answer(b""), "three parts"),
    "far too long": (answer(b"x" * 2_000_000), "at most"),
}


@pytest.mark.parametrize(("fault", "says"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_receipt_is_no_receipt(
    client: Client, peer: Peer, signals: Signals, fault: Fault, says: str
) -> None:
    """The envelope is put aside with the reason; a redrive gets the right receipt, and counts once."""
    client.post(signals(3))
    peer.faults.append(fault)

    assert client.deliver().dead == 1
    (dead,) = client.dead_letters()
    assert dead.code == "invalid_receipt"
    assert says in dead.reason
    assert list(client.receipts()) == []

    client.redrive()
    assert client.deliver().accepted == 3


@pytest.mark.parametrize("content_type", ["text/html", "application/json", ""])
def test_an_answer_without_a_receipt_is_a_fault_of_the_set_up(
    client: Client, peer: Peer, signals: Signals, content_type: str
) -> None:
    """Something that is no hub of ours answered, such as a proxy: nothing is put aside."""
    client.post(signals(3))
    peer.faults.append(answer(b"<html>Welcome", content_type))

    with pytest.raises(ConfigurationError, match="returned no receipt"):
        client.deliver()
    assert client.dead_letters() == []
    assert client.deliver().accepted == 3


def test_the_hubs_keys_are_pinned_on_first_use(open_client: Open, peer: Peer, signals: Signals) -> None:
    """Keys that changed since are refused in words, until somebody who has asked says repin()."""
    first = open_client()
    first.post(signals(1))
    first.deliver()
    peer.key = SigningKey.generate()
    peer.published = [peer.key.public_jwk]
    second = open_client()
    second.post(signals(1, 1))

    for client in (first, second):
        with pytest.raises(ConfigurationError, match=r"call repin\(\)"):
            client.deliver()
    second.repin()

    assert second.deliver().sent == 1


def test_the_order_of_published_keys_does_not_matter(open_client: Open, peer: Peer, signals: Signals) -> None:
    """The same set in another order is the same set."""
    peer.published.append(SigningKey.generate().public_jwk)
    first = open_client()
    first.post(signals(1))
    first.deliver()
    peer.published.reverse()
    second = open_client()
    second.post(signals(1, 1))

    assert second.deliver().sent == 1


UNUSABLE = {
    "no keys": b'{"keys": []}',
    "not a key": b'{"keys": [{"kty": "OKP"}]}',
    "a private key": encode({"keys": [SigningKey.generate().public_jwk | {"d": "x"}]}),
    "a web page": b"<html>",
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_keys_that_cannot_be_used_are_not_pinned(
    client: Client, peer: Peer, signals: Signals, body: bytes
) -> None:
    """The error says whose fault it is, and the envelope waits."""
    client.post(signals(1))
    peer.keys_reply = Reply(200, body)

    with pytest.raises(ConfigurationError, match="does not publish valid keys"):
        client.deliver()
    peer.keys_reply = None
    assert client.deliver().sent == 1


def test_given_keys_are_not_asked_for(open_client: Open, peer: Peer, signals: Signals) -> None:
    """With keys of its own knowledge the client trusts nothing that is published."""
    trusted = Trust({peer.url: [TrustedKey(peer.key.public_jwk, LONG_AGO)]})
    peer.published = [SigningKey.generate().public_jwk]
    client = open_client(hub_keys=trusted)
    client.post(signals(1))

    assert client.deliver().sent == 1
    with pytest.raises(ConfigurationError, match="hub_keys"):
        client.repin()


def test_a_receipt_of_another_trusted_party_does_not_count(
    open_client: Open, peer: Peer, signals: Signals
) -> None:
    """Being trusted is not being the hub that the envelope went to."""
    other = SigningKey.generate()
    trusted = Trust(
        {
            peer.url: [TrustedKey(peer.key.public_jwk, LONG_AGO)],
            "https://other.example": [TrustedKey(other.public_jwk, LONG_AGO)],
        }
    )
    client = open_client(hub_keys=trusted)
    client.post(signals(1))
    peer.faults.append(receipt_with(key=other, issuer="https://other.example"))

    assert client.deliver().dead == 1
    assert "not the hub that the message was sent to" in client.dead_letters()[0].reason


def test_keys_that_cannot_be_fetched_leave_everything_pending(
    open_client: Open, peer: Peer, signals: Signals
) -> None:
    """The receipt came and its key could not be fetched: the next run fetches it again."""
    peer.keys_reply = Reply(503)
    client = open_client()
    client.post(signals(1))

    assert client.deliver().pending == 1
    peer.keys_reply = None
    assert client.deliver().accepted == 1
