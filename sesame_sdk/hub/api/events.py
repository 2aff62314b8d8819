"""``POST /v1/events``: push delivery of Security Event Tokens (RFC 8935)."""

from asyncio import get_running_loop, wrap_future
from concurrent.futures import Future
from functools import partial
from typing import Any

from litestar import Request, Response, post

from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.admission import STRANGERS
from sesame_sdk.hub.api.dependencies import get_admission, get_hub
from sesame_sdk.hub.api.openapi_responses import (
    BODY_ERRORS,
    LIMIT_ERRORS,
    TEXT,
    documented,
    error_response,
    request_body,
    response,
)
from sesame_sdk.hub.api.request_body import Body, read_message
from sesame_sdk.hub.api.sender import find_sender
from sesame_sdk.hub.hub import Hub
from sesame_sdk.signing import jws

_RESPONSES = {
    **LIMIT_ERRORS,
    **BODY_ERRORS,
    202: response("The event is stored.", TEXT, SET_MEDIA_TYPE, "text/plain"),
    400: error_response(
        "Rejected: err and description; by the guard: problem details with its findings.", guard=True
    ),
}


@post(
    "/v1/events",
    status_code=202,
    operation_class=documented(
        _RESPONSES,
        body=request_body(
            SET_MEDIA_TYPE, "A SET, or an SD-JWT whose disclosures are signals; gzip is accepted."
        ),
    ),
    summary="Send an envelope of signals or a registration",
)
async def receive_event(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Acknowledged when it is on disk; sending the same token again is safe.

    The body of the response is empty (RFC 8935 section 2.2). With application/secevent+jwt in Accept it is
    the signed receipt: which signals were kept, and which were not.
    """
    hub, admission, loop = get_hub(request), get_admission(request), get_running_loop()
    settings = hub.settings
    body = await read_message(
        request,
        partial(find_sender, request),
        media_type=SET_MEDIA_TYPE,
        max_bytes=settings.max_body_bytes,
        timeout_seconds=settings.body_timeout_seconds,
    )
    # After the body has arrived: a slow client must not block others.
    with admission.requests.count(body.sender):
        # Verification takes a thread; waiting for the disk does not.
        async with admission.verification.turn(body.sender):
            pending = await loop.run_in_executor(admission.verifier, _submit, hub, body)
        receipt = await wrap_future(pending)
    if _accepts_receipt(request.headers.get("accept", "")):
        return Response(receipt, media_type=SET_MEDIA_TYPE)
    return Response(b"", media_type="text/plain")


def _submit(hub: Hub, body: Body) -> Future[bytes]:
    if body.sender != STRANGERS:
        return hub.submit(body.token(), body.rest)
    message, is_whole = body.first()
    if not is_whole:
        jws.read_kid(message.partition(b".")[0])  # raises what is wrong with it
        raise InvalidInputError("is not a key of a partner", field="kid", code="invalid_key")
    return hub.submit(message)  # which says what is wrong with it


def _accepts_receipt(accept: str) -> bool:
    return any(part.partition(";")[0].strip().lower() == SET_MEDIA_TYPE for part in accept.split(","))
