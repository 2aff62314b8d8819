"""Tells whose share a request uses, by the id of the key in its token, and lets it work in its turn."""

from asyncio import get_running_loop
from collections.abc import Callable
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
    """The sender of a request with a bearer token, by its key; `STRANGERS` if no partner has it.

    Raises:
        InvalidInputError: there is no token.
        RetryableError: too many strangers at once.
    """
    token = bearer_token(request)
    sender = await find_sender(request, token.partition(b".")[0])
    return sender or await _holder_of(request, token) or STRANGERS


async def _holder_of(request: AnyRequest, token: bytes) -> str | None:
    """The partner to which this hub issued an access token, which says so under the hub's own key."""
    hub, admission = get_hub(request), get_admission(request)
    if not hub.stream_management.auth.is_own(token):
        return None
    try:
        with admission.requests.count(STRANGERS):
            async with admission.verification.turn(STRANGERS):
                authenticate = hub.stream_management.auth.authenticate
                found = await get_running_loop().run_in_executor(admission.verifier, authenticate, token)
    except InvalidInputError:
        return None
    return found.request.issuer


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
