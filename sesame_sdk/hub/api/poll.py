"""``POST /v1/ssf/poll/{stream}``: poll-based delivery (RFC 8936)."""

import asyncio
from typing import Any

from litestar import MediaType, Request, Response, post
from litestar.concurrency import sync_to_thread

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.hub.api.dependencies import feeder_of, gate_of, hub_of
from sesame_sdk.hub.api.openapi_responses import OF_BODIES, answer, documented, taking
from sesame_sdk.hub.api.openapi_schemas import POLL_ASKED, POLLED
from sesame_sdk.hub.api.scores import token_of
from sesame_sdk.hub.api.streams import OF_STREAMS, SHARED, asked_of
from sesame_sdk.hub.streams.management import PollRequest
from sesame_sdk.hub.streams.service import PollResponse
from sesame_sdk.model import codec

#: How long a poll waits for something to tell: shorter than what proxies usually allow.
LONGEST_WAIT = 20.0
#: Polls that wait at once; each holds a connection. One more is answered at once.
MOST_WAITING = 64
_PAUSE = 0.05


@post(
    "/v1/ssf/poll/{stream:str}",
    status_code=200,
    operation_class=documented(
        {**OF_STREAMS, **OF_BODIES, 200: answer("Messages, by jti.", POLLED)},
        body=taking(JSON_MEDIA_TYPE, "maxEvents, returnImmediately, ack, setErrs.", POLL_ASKED),
    ),
    summary="Get messages of a stream, and settle earlier ones",
    **SHARED,
)
async def poll_stream(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The messages that are owed, by jti. They are given again until they are named in ack or setErrs."""
    asked, token = await asked_of(request, PollRequest), token_of(request)
    hub, name = hub_of(request), str(request.path_params["stream"])
    with gate_of(request):
        found = await sync_to_thread(hub.stream_management.poll, token, name, asked)
    if not (found.messages or asked.returnImmediately or asked.maxEvents == 0):
        found = await _wait(request, found, asked.maxEvents)
    sets = {letter.jti: letter.body.decode() for letter in found.messages}
    answer = codec.encode({"sets": sets, "moreAvailable": found.more_available})
    return Response(answer, media_type=MediaType.JSON)


async def _wait(request: Request[Any, Any, Any], found: PollResponse, most: int) -> PollResponse:
    """The first messages that come, or none when the time is over."""
    hub, feeder = hub_of(request), feeder_of(request)
    ends = asyncio.get_running_loop().time() + LONGEST_WAIT
    with feeder.waiting_poll(MOST_WAITING) as may_wait:
        while may_wait and not found.messages and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(_PAUSE)
            if hub.streams.closing.is_set():
                break
            if found.stream in feeder.pending_streams:
                with gate_of(request):
                    found = await sync_to_thread(hub.streams.poll, found.stream, most)
    return found
