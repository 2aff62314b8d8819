"""Streams over HTTP (OpenID Shared Signals Framework 1.0, sections 7 and 8.1)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from litestar import MediaType, Request, Response, delete, get, patch, post, put
from litestar.concurrency import sync_to_thread
from litestar.openapi.spec import Parameter

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_concurrency_limit, get_hub, get_stream_worker
from sesame_sdk.hub.api.errors import on_stream_error
from sesame_sdk.hub.api.openapi_responses import (
    OF_BODIES,
    OF_READERS,
    TEXT,
    answer,
    documented,
    fault,
    taking,
)
from sesame_sdk.hub.api.openapi_schemas import (
    CONFIGURATION,
    POLL_ASKED,
    POLLED,
    QUESTION,
    STATUS,
    STREAM,
    STREAMS,
    WISH,
)
from sesame_sdk.hub.api.request_body import read_body
from sesame_sdk.hub.api.scores import SECURITY, bearer_token
from sesame_sdk.hub.streams.management import PollRequest, VerificationRequest
from sesame_sdk.hub.streams.service import PollResponse
from sesame_sdk.hub.streams.streams import POLL, PUSH, StatusRequest, StreamRequest
from sesame_sdk.model import codec

T = TypeVar("T")
LARGEST_QUESTION = 1 << 17
#: How long a poll waits for something to tell: shorter than what proxies usually allow.
LONGEST_WAIT = 20.0
#: Polls that wait at once; each holds a connection. One more is answered at once.
MOST_WAITING = 64
_PAUSE = 0.05
_AnyRequest = Request[Any, Any, Any]
SHARED: dict[str, Any] = {"exception_handlers": {InvalidInputError: on_stream_error}, "security": SECURITY}
_WISH = taking(
    JSON_MEDIA_TYPE, "delivery, events_requested, description, and stream_id where there is one.", WISH
)
_STREAM = answer("The stream's configuration.", STREAM)
_STATUS = answer("The stream's status.", STATUS)
NOT_THERE = {404: fault("The reader has no such stream.")}
OF_STREAMS = {**OF_READERS, **NOT_THERE}
_NAMED = Parameter("stream_id", "query", TEXT, "The stream's id.", required=True)
_PERHAPS_NAMED = Parameter("stream_id", "query", TEXT, "The stream's id.", required=False)


@get(
    "/.well-known/ssf-configuration",
    sync_to_thread=False,
    operation_class=documented({200: answer("Transmitter configuration metadata.", CONFIGURATION)}),
    summary="How streams are made here",
)
def configuration(request: _AnyRequest) -> dict[str, Any]:
    """Transmitter configuration metadata (SSF 1.0 section 7.1)."""
    issuer = get_hub(request).settings.issuer
    base = issuer.rstrip("/")
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": f"{base}/v1/ssf/stream",
        "status_endpoint": f"{base}/v1/ssf/status",
        "verification_endpoint": f"{base}/v1/ssf/verify",
        # A reader's own signed token, as for read_transaction scores: no OAuth (RFC 6749) is spoken here.
        "authorization_schemes": [{"spec_urn": "urn:sesame-sdk:authorization:read-token"}],
        # A stream holds those who agreed to it, and nobody can be added.
        "default_subjects": "ALL",
    }


@post(
    "/v1/ssf/stream",
    status_code=201,
    operation_class=documented(
        {**OF_READERS, **OF_BODIES, 201: _STREAM, 409: fault("There is one already.")}, body=_WISH
    ),
    summary="Make a stream",
    **SHARED,
)
async def create_stream(request: _AnyRequest) -> Response[bytes]:
    """The stream of the token's purpose and context. 409 if there is one."""
    wish = await asked_of(request, StreamRequest)
    return await _answered(request, lambda token: get_hub(request).stream_management.create(token, wish), 201)


@get(
    "/v1/ssf/stream",
    operation_class=documented(
        {**OF_STREAMS, 200: answer("One configuration, or a list of them.", STREAMS)},
        parameters=(_PERHAPS_NAMED,),
    ),
    summary="Read a stream's configuration, or those of all",
    **SHARED,
)
async def read_stream(request: _AnyRequest) -> Response[bytes]:
    """With stream_id one configuration; without, a list of those for the token's purpose and context."""
    name = request.query_params.get("stream_id")

    def work(token: bytes) -> object:
        found = get_hub(request).stream_management.read(token)
        if name is None:
            return found
        for stream in found:
            if stream["stream_id"] == name:
                return stream
        raise InvalidInputError("there is none of this id", field="stream_id", code="not_found")

    return await _answered(request, work)


@patch(
    "/v1/ssf/stream",
    operation_class=documented({**OF_STREAMS, **OF_BODIES, 200: _STREAM}, body=_WISH),
    summary="Change a stream",
    **SHARED,
)
async def change_stream(request: _AnyRequest) -> Response[bytes]:
    """What is left out stays as it is."""
    wish = await asked_of(request, StreamRequest)
    return await _answered(request, lambda t: get_hub(request).stream_management.update(t, wish, whole=False))


@put(
    "/v1/ssf/stream",
    operation_class=documented({**OF_STREAMS, **OF_BODIES, 200: _STREAM}, body=_WISH),
    summary="Replace a stream's configuration",
    **SHARED,
)
async def replace_stream(request: _AnyRequest) -> Response[bytes]:
    """What is left out falls back to the usual."""
    wish = await asked_of(request, StreamRequest)
    return await _answered(request, lambda t: get_hub(request).stream_management.update(t, wish, whole=True))


@delete(
    "/v1/ssf/stream",
    status_code=204,
    operation_class=documented({**OF_STREAMS, 204: answer("It is gone.")}, parameters=(_NAMED,)),
    summary="Delete a stream",
    **SHARED,
)
async def delete_stream(request: _AnyRequest) -> None:
    """It is forgotten with all that it was told."""
    name = request.query_params.get("stream_id")
    await _done(request, lambda token: get_hub(request).stream_management.delete(token, name))


@get(
    "/v1/ssf/status",
    operation_class=documented({**OF_STREAMS, 200: _STATUS}, parameters=(_NAMED,)),
    summary="Read a stream's status",
    **SHARED,
)
async def read_status(request: _AnyRequest) -> Response[bytes]:
    """Enabled, paused or disabled, and why."""
    name = request.query_params.get("stream_id")
    return await _answered(request, lambda token: get_hub(request).stream_management.status(token, name))


@post(
    "/v1/ssf/status",
    status_code=200,
    operation_class=documented(
        {**OF_STREAMS, **OF_BODIES, 200: _STATUS},
        body=taking(JSON_MEDIA_TYPE, "stream_id, status, and perhaps a reason.", STATUS),
    ),
    summary="Let a stream run, or hold it",
    **SHARED,
)
async def change_status(request: _AnyRequest) -> Response[bytes]:
    """Who leaves is kept for it in any case, and told first when it runs again."""
    wanted = await asked_of(request, StatusRequest)
    return await _answered(
        request, lambda token: get_hub(request).stream_management.set_status(token, wanted)
    )


@post(
    "/v1/ssf/verify",
    status_code=204,
    operation_class=documented(
        {**OF_STREAMS, **OF_BODIES, 204: answer("It is on its way.")},
        body=taking(JSON_MEDIA_TYPE, "stream_id, and perhaps a state to be given back.", QUESTION),
    ),
    summary="Ask for a sign of life through a stream",
    **SHARED,
)
async def verify_stream(request: _AnyRequest) -> None:
    """429 when the last was asked for just now."""
    asked = await asked_of(request, VerificationRequest)
    await _done(request, lambda token: get_hub(request).stream_management.request_verification(token, asked))


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
async def poll_stream(request: _AnyRequest) -> Response[bytes]:
    """The messages that are owed, by jti. They are given again until they are named in ack or setErrs."""
    asked, token = await asked_of(request, PollRequest), bearer_token(request)
    hub, name = get_hub(request), str(request.path_params["stream"])
    with get_concurrency_limit(request):
        found = await sync_to_thread(hub.stream_management.poll, token, name, asked)
    if not (found.messages or asked.returnImmediately or asked.maxEvents == 0):
        found = await _wait(request, found, asked.maxEvents)
    sets = {letter.jti: letter.body.decode() for letter in found.messages}
    answer = codec.encode({"sets": sets, "moreAvailable": found.more_available})
    return Response(answer, media_type=MediaType.JSON)


async def _wait(request: _AnyRequest, found: PollResponse, most: int) -> PollResponse:
    """The first messages that come, or none when the time is over."""
    hub, feeder = get_hub(request), get_stream_worker(request)
    ends = asyncio.get_running_loop().time() + LONGEST_WAIT
    with feeder.waiting_poll(MOST_WAITING) as may_wait:
        while may_wait and not found.messages and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(_PAUSE)
            if hub.streams.closing.is_set():
                break
            if found.stream in feeder.pending_streams:
                with get_concurrency_limit(request):
                    found = await sync_to_thread(hub.streams.poll, found.stream, most)
    return found


async def asked_of(request: _AnyRequest, kind: type[T]) -> T:
    """A small JSON body."""
    seconds = get_hub(request).settings.body_timeout_seconds
    body = await read_body(request, media_type=JSON_MEDIA_TYPE, most=LARGEST_QUESTION, seconds=seconds)
    return codec.decode(body, kind)


async def _done(request: _AnyRequest, work: Callable[[bytes], T]) -> T:
    token = bearer_token(request)
    with get_concurrency_limit(request):
        return await sync_to_thread(work, token)


async def _answered(
    request: _AnyRequest, work: Callable[[bytes], object], status: int = 200
) -> Response[bytes]:
    found = codec.encode(await _done(request, work))
    return Response(found, status_code=status, media_type=MediaType.JSON)
