"""Tells whose share a request uses, and lets it work in its turn.

Of a message that is the partner with the key id in its token; of any other request it is the partner that
signed its bearer token, whose signature is verified before the body is read.
"""

from asyncio import get_running_loop
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from litestar import Request
from litestar.concurrency import sync_to_thread

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.admission import STRANGERS
from sesame_sdk.hub.api.dependencies import get_admission, get_hub
from sesame_sdk.signing import jws

T = TypeVar("T")
_BEARER = "bearer"
#: A body of more bytes asks for about two thousand scores, or more.
BULK_BYTES = 65_536
_SENDER = "sesame.sender"
AnyRequest = Request[Any, Any, Any]


def bearer_token(request: AnyRequest) -> bytes:
    """The token in the Authorization header.

    Raises:
        InvalidInputError: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _BEARER or not token.isascii():
        raise InvalidInputError(
            "is missing", field="Authorization", hint="send: Bearer <token>", code="authentication_failed"
        )
    return token.strip().encode()


async def find_sender(request: AnyRequest, header: bytes) -> str | None:
    """The issuer of the partner with the key in an encoded header; None for a stranger.

    Nothing is verified: a sender that is found once stays so, and its key may have been revoked.

    Raises:
        RetryableError: too many strangers at once.
    """
    hub, admission = get_hub(request), get_admission(request)
    try:
        kid = jws.read_kid(header)
    except InvalidInputError:
        return None
    if kid not in admission.senders:
        with admission.requests.count(STRANGERS):
            async with admission.verification.turn(STRANGERS):
                sender = await get_running_loop().run_in_executor(admission.verifier, hub.find_sender, kid)
        if sender is None:
            return None
        admission.senders[kid] = sender
    return admission.senders[kid]


async def sender_of(request: AnyRequest) -> str:
    """The issuer of the partner that signed a request's bearer token, before its body is read.

    Raises:
        InvalidInputError: there is no token, its signature is invalid, or no partner has its key.
        RetryableError: too many requests are in progress.
    """
    if _SENDER not in request.scope:
        hub, admission, token = get_hub(request), get_admission(request), bearer_token(request)
        claimed = STRANGERS
        with suppress(InvalidInputError):
            claimed = admission.senders.get(jws.read_kid(token.partition(b".")[0]), STRANGERS)
        with admission.requests.count(claimed):
            async with admission.verification.turn(claimed):
                loop = get_running_loop()
                sender = await loop.run_in_executor(admission.verifier, hub.verify_bearer, token)
        request.scope[_SENDER] = sender  # type: ignore[literal-required] # a key of our own
    return str(request.scope[_SENDER])  # type: ignore[literal-required]


async def run_in_turn(
    request: AnyRequest, work: Callable[..., T], *arguments: object, bulk: bool = False
) -> T:
    """Do the work of a request with a bearer token in a thread, in its sender's turn.

    Raises:
        InvalidInputError: there is no token; and what `work` raises.
        RetryableError: too many requests are in progress.
    """
    return await run_for(request, await sender_of(request), work, *arguments, bulk=bulk)


async def run_for(
    request: AnyRequest, sender: str, work: Callable[..., T], *arguments: object, bulk: bool = False
) -> T:
    """Do the work of a request whose sender is known in a thread, in the sender's turn.

    Raises:
        RetryableError: too many requests are in progress; and what `work` raises.
    """
    admission = get_admission(request)
    with admission.requests.count(sender):
        async with (admission.bulk if bulk else admission.calls).turn(sender):
            return await sync_to_thread(work, *arguments)
