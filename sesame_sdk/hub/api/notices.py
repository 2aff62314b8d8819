"""``POST /v1/notices/poll``: notices of disputes and erasures to partners (RFC 8936)."""

from typing import Any

from litestar import MediaType, Request, Response, post

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.hub.api.dependencies import get_hub
from sesame_sdk.hub.api.openapi_responses import BODY_ERRORS, READ_ERRORS, documented, request_body, response
from sesame_sdk.hub.api.openapi_schemas import POLL_REQUEST, POLL_RESPONSE
from sesame_sdk.hub.api.sender import bearer_token, run_in_turn
from sesame_sdk.hub.api.streams import STREAM_OPTIONS, read_json
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.model import codec


@post(
    "/v1/notices/poll",
    status_code=200,
    operation_class=documented(
        {**READ_ERRORS, **BODY_ERRORS, 200: response("Notices, by jti.", POLL_RESPONSE)},
        body=request_body(
            JSON_MEDIA_TYPE,
            "maxEvents and ack. It never waits: returnImmediately has no effect.",
            POLL_REQUEST,
        ),
    ),
    summary="Poll notices of disputes and erasures, and acknowledge earlier ones",
    **STREAM_OPTIONS,
)
async def poll_notices(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Undelivered notices, by jti. They are sent again until they are named in ack."""
    poll, token = await read_json(request, PollRequest), bearer_token(request)
    polled = await run_in_turn(request, get_hub(request).rights.poll, token, poll)
    body = codec.encode({"sets": polled.sets, "moreAvailable": polled.more})
    return Response(body, media_type=MediaType.JSON)
