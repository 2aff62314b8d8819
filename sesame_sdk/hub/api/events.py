"""``POST /v1/events``: push delivery of Security Event Tokens (RFC 8935)."""

from asyncio import get_running_loop, wrap_future
from typing import Any

from litestar import Request, Response, post

from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.hub.api.dependencies import get_concurrency_limit, get_hub, get_verifier
from sesame_sdk.hub.api.openapi_responses import (
    BODY_ERRORS,
    LIMIT_ERRORS,
    TEXT,
    documented,
    error_response,
    request_body,
    response,
)
from sesame_sdk.hub.api.request_body import read_body

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
    hub = get_hub(request)
    settings = hub.settings
    body = await read_body(
        request,
        media_type=SET_MEDIA_TYPE,
        max_bytes=settings.max_body_bytes,
        timeout_seconds=settings.body_timeout_seconds,
    )
    # After the body has arrived: a slow client must not block others.
    with get_concurrency_limit(request):
        # Verification takes a thread; waiting for the disk does not.
        pending = get_running_loop().run_in_executor(get_verifier(request), hub.submit, body)
        receipt = await wrap_future(await pending)
    if _accepts_receipt(request.headers.get("accept", "")):
        return Response(receipt, media_type=SET_MEDIA_TYPE)
    return Response(b"", media_type="text/plain")


def _accepts_receipt(accept: str) -> bool:
    return any(part.partition(";")[0].strip().lower() == SET_MEDIA_TYPE for part in accept.split(","))
