"""``POST /v1/events``: push delivery of Security Event Tokens (RFC 8935)."""

from asyncio import get_running_loop, wrap_future
from typing import Any

from litestar import Request, Response, post

from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.hub.api.dependencies import get_concurrency_limit, get_hub, get_verifier
from sesame_sdk.hub.api.openapi_responses import LIMITED, OF_BODIES, TEXT, answer, documented, fault, taking
from sesame_sdk.hub.api.request_body import read_body

_ANSWERS = {
    **LIMITED,
    **OF_BODIES,
    202: answer("On disk.", TEXT, SET_MEDIA_TYPE, "text/plain"),
    400: fault("Refused: err and description; by the guard: problem details with its findings.", guard=True),
}


@post(
    "/v1/events",
    status_code=202,
    operation_class=documented(
        _ANSWERS,
        body=taking(SET_MEDIA_TYPE, "A SET, or an SD-JWT whose disclosures are signals; may be gzipped."),
    ),
    summary="Send an envelope of signals or a registration",
)
async def receive_event(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Acknowledged only when it is on disk; sending the same token again is safe.

    RFC 8935 section 2.2 leaves the body of the answer empty. A sender that names
    application/secevent+jwt in Accept gets the signed receipt instead: what was kept, and what was not.
    """
    hub = get_hub(request)
    settings = hub.settings
    body = await read_body(
        request,
        media_type=SET_MEDIA_TYPE,
        most=settings.max_body_bytes,
        seconds=settings.body_timeout_seconds,
    )
    # Not before the body is here: whoever sends it slowly must not keep others from the door.
    with get_concurrency_limit(request):
        # Only verifying takes up a thread; what waits for the disk need not.
        verified = get_running_loop().run_in_executor(get_verifier(request), hub.submit, body)
        receipt = await wrap_future(await verified)
    if _names_receipts(request.headers.get("accept", "")):
        return Response(receipt, media_type=SET_MEDIA_TYPE)
    return Response(b"", media_type="text/plain")


def _names_receipts(accept: str) -> bool:
    return any(part.partition(";")[0].strip().lower() == SET_MEDIA_TYPE for part in accept.split(","))
