"""``POST /v1/notices/poll``: what a partner has to be told of the people behind its signals (RFC 8936)."""

from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.concurrency import sync_to_thread

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.hub.api.dependencies import get_concurrency_limit, get_hub
from sesame_sdk.hub.api.openapi_responses import OF_BODIES, OF_READERS, answer, documented, taking
from sesame_sdk.hub.api.openapi_schemas import POLL_ASKED, POLLED
from sesame_sdk.hub.api.scores import bearer_token
from sesame_sdk.hub.api.streams import SHARED, asked_of
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.model import codec


@post(
    "/v1/notices/poll",
    status_code=200,
    operation_class=documented(
        {**OF_READERS, **OF_BODIES, 200: answer("Notices, by jti.", POLLED)},
        body=taking(
            JSON_MEDIA_TYPE,
            "maxEvents and ack. It never waits: returnImmediately changes nothing.",
            POLL_ASKED,
        ),
    ),
    summary="Get notices of disputes and erasures, and acknowledge earlier ones",
    **SHARED,
)
async def poll_notices(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The notices that are owed, by jti. They are given again until they are named in ack."""
    asked, token = await asked_of(request, PollRequest), bearer_token(request)
    with get_concurrency_limit(request):
        found = await sync_to_thread(get_hub(request).rights.poll, token, asked)
    told = codec.encode({"sets": found.sets, "moreAvailable": found.more})
    return Response(told, media_type=MediaType.JSON)
