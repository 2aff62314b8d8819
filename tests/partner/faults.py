"""The ways in which the peer can misbehave."""

from collections.abc import Callable
from typing import Any

from attrs import evolve

from sesame_sdk.model.codec import encode
from sesame_sdk.signing.keys import SigningKey
from tests.partner.peer import PARTNER, SET, Fault, Peer, Reply


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer with a status, having done nothing."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _peer, _work: Reply(code, body, headers=named)


def verdict(code: int, err: str, description: str, **more: Any) -> Fault:
    """A refusal after RFC 8935 section 2.4."""
    return status(code, encode({"err": err, "description": description, **more}))


def reset(_peer: Peer, _work: Callable[[], Reply]) -> None:
    """Hang up before doing anything."""


def lose_answer(_peer: Peer, work: Callable[[], Reply]) -> None:
    """Do the work, then hang up: the sender cannot know."""
    work()


def answer(body: bytes, content_type: str = SET) -> Fault:
    """Do the work and answer with something else."""
    return lambda _peer, work: work() and Reply(202, body, content_type)


def receipt_with(
    *, key: SigningKey | None = None, issuer: str = "", audience: str = PARTNER, **changes: Any
) -> Fault:
    """A receipt that is signed, but not as it should be."""

    def fault(peer: Peer, work: Callable[[], Reply]) -> Reply:
        work()
        receipt = evolve(peer.last_receipt, **changes)
        return Reply(202, peer.sign(receipt, key=key, issuer=issuer, audience=audience), SET)

    return fault
