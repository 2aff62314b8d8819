"""Streams over HTTP (OpenID Shared Signals Framework 1.0, sections 7 and 8.1)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from litestar import MediaType, Request, Response, delete, get, patch, post, put
from litestar.openapi.spec import Parameter

from sesame_sdk.constants import JSON_MEDIA_TYPE
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_hub, get_stream_worker
from sesame_sdk.hub.api.errors import on_stream_error
from sesame_sdk.hub.api.openapi_responses import (
    BODY_ERRORS,
    READ_ERRORS,
    TEXT,
    documented,
    error_response,
    request_body,
    response,
)
from sesame_sdk.hub.api.openapi_schemas import (
    CONFIGURATION,
    POLL_REQUEST,
    POLL_RESPONSE,
    STATUS,
    STREAM,
    STREAM_REQUEST,
    STREAMS,
    VERIFICATION_REQUEST,
)
from sesame_sdk.hub.api.request_body import read_body
from sesame_sdk.hub.api.scores import SECURITY
from sesame_sdk.hub.api.sender import bearer_token, run_in_turn, sender_of
from sesame_sdk.hub.streams.management import PollRequest, VerificationRequest
from sesame_sdk.hub.streams.service import PollResponse
from sesame_sdk.hub.streams.streams import POLL, PUSH, StatusRequest, StreamRequest
from sesame_sdk.model import codec

T = TypeVar("T")
MAX_REQUEST_BYTES = 1 << 17
#: Long polling: shorter than the usual timeout of proxies.
MAX_POLL_SECONDS = 20.0
#: Each waiting poll holds a connection; a further one gets its response at once.
MAX_WAITING_POLLS = 64
_POLL_INTERVAL = 0.05
AnyRequest = Request[Any, Any, Any]
STREAM_OPTIONS: dict[str, Any] = {
    "exception_handlers": {InvalidInputError: on_stream_error},
    "security": SECURITY,
}
_WISH = request_body(
    JSON_MEDIA_TYPE,
    "delivery, events_requested, description, and the stream_id of an existing stream.",
    STREAM_REQUEST,
)
_STREAM = response("The stream's configuration.", STREAM)
_STATUS = response("The stream's status.", STATUS)
NOT_FOUND_ERROR = {404: error_response("The reader has no such stream.")}
STREAM_ERRORS = {**READ_ERRORS, **NOT_FOUND_ERROR}
_STREAM_ID = Parameter("stream_id", "query", TEXT, "The stream's id.", required=True)
_OPTIONAL_STREAM_ID = Parameter("stream_id", "query", TEXT, "The stream's id.", required=False)


@get(
    "/.well-known/ssf-configuration",
    sync_to_thread=False,
    operation_class=documented({200: response("Transmitter configuration metadata.", CONFIGURATION)}),
    summary="Discover how streams are created",
)
def configuration(request: AnyRequest) -> dict[str, Any]:
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
        # OAuth's client credentials, or a token that the reader signs itself; see `stream_auth`.
        "authorization_schemes": [
            {"spec_urn": "urn:ietf:rfc:6749"},
            {"spec_urn": "urn:sesame-sdk:authorization:stream-token"},
        ],
        # A stream holds the people who granted access; none can be added.
        "default_subjects": "ALL",
    }


@post(
    "/v1/ssf/stream",
    status_code=201,
    operation_class=documented(
        {
            **READ_ERRORS,
            **BODY_ERRORS,
            201: _STREAM,
            409: error_response("The stream exists already, or the reader has too many."),
        },
        body=_WISH,
    ),
    summary="Create a stream",
    **STREAM_OPTIONS,
)
async def create_stream(request: AnyRequest) -> Response[bytes]:
    """Creates the stream of the token's purpose and context; 409 if it exists, or there are too many."""
    stream_request = await read_json(request, StreamRequest)
    return await _run_and_respond(
        request, lambda token: get_hub(request).stream_management.create(token, stream_request), 201
    )


@get(
    "/v1/ssf/stream",
    operation_class=documented(
        {**STREAM_ERRORS, 200: response("One configuration, or a list of them.", STREAMS)},
        parameters=(_OPTIONAL_STREAM_ID,),
    ),
    summary="Read one configuration, or all",
    **STREAM_OPTIONS,
)
async def read_stream(request: AnyRequest) -> Response[bytes]:
    """With stream_id one configuration; without it a list of those for the token's purpose and context."""
    name = request.query_params.get("stream_id")

    def work(token: bytes) -> object:
        configurations = get_hub(request).stream_management.read(token)
        if name is None:
            return configurations
        for stream in configurations:
            if stream["stream_id"] == name:
                return stream
        raise InvalidInputError("unknown stream", field="stream_id", code="not_found")

    return await _run_and_respond(request, work)


@patch(
    "/v1/ssf/stream",
    operation_class=documented({**STREAM_ERRORS, **BODY_ERRORS, 200: _STREAM}, body=_WISH),
    summary="Change a stream",
    **STREAM_OPTIONS,
)
async def change_stream(request: AnyRequest) -> Response[bytes]:
    """Members that are left out keep their values."""
    stream_request = await read_json(request, StreamRequest)
    return await _run_and_respond(
        request, lambda t: get_hub(request).stream_management.update(t, stream_request, whole=False)
    )


@put(
    "/v1/ssf/stream",
    operation_class=documented({**STREAM_ERRORS, **BODY_ERRORS, 200: _STREAM}, body=_WISH),
    summary="Replace a stream's configuration",
    **STREAM_OPTIONS,
)
async def replace_stream(request: AnyRequest) -> Response[bytes]:
    """Members that are left out get their defaults."""
    stream_request = await read_json(request, StreamRequest)
    return await _run_and_respond(
        request, lambda t: get_hub(request).stream_management.update(t, stream_request, whole=True)
    )


@delete(
    "/v1/ssf/stream",
    status_code=204,
    operation_class=documented(
        {**STREAM_ERRORS, 204: response("The stream was deleted.")}, parameters=(_STREAM_ID,)
    ),
    summary="Delete a stream",
    **STREAM_OPTIONS,
)
async def delete_stream(request: AnyRequest) -> None:
    """Deletes the stream with its state and its messages."""
    name = request.query_params.get("stream_id")
    await _run(request, lambda token: get_hub(request).stream_management.delete(token, name))


@get(
    "/v1/ssf/status",
    operation_class=documented({**STREAM_ERRORS, 200: _STATUS}, parameters=(_STREAM_ID,)),
    summary="Read a stream's status",
    **STREAM_OPTIONS,
)
async def read_status(request: AnyRequest) -> Response[bytes]:
    """Enabled, paused or disabled, with the reason."""
    name = request.query_params.get("stream_id")
    return await _run_and_respond(
        request, lambda token: get_hub(request).stream_management.status(token, name)
    )


@post(
    "/v1/ssf/status",
    status_code=200,
    operation_class=documented(
        {**STREAM_ERRORS, **BODY_ERRORS, 200: _STATUS},
        body=request_body(JSON_MEDIA_TYPE, "stream_id, status, and an optional reason.", STATUS),
    ),
    summary="Enable, pause or disable a stream",
    **STREAM_OPTIONS,
)
async def change_status(request: AnyRequest) -> Response[bytes]:
    """Withdrawals are queued while paused and delivered first on resume."""
    status_request = await read_json(request, StatusRequest)
    return await _run_and_respond(
        request, lambda token: get_hub(request).stream_management.set_status(token, status_request)
    )


@post(
    "/v1/ssf/verify",
    status_code=204,
    operation_class=documented(
        {**STREAM_ERRORS, **BODY_ERRORS, 204: response("The verification event is queued.")},
        body=request_body(
            JSON_MEDIA_TYPE, "stream_id, and an optional state to be returned.", VERIFICATION_REQUEST
        ),
    ),
    summary="Request a verification event",
    **STREAM_OPTIONS,
)
async def verify_stream(request: AnyRequest) -> None:
    """429 if it is requested again too soon."""
    verification = await read_json(request, VerificationRequest)
    await _run(
        request, lambda token: get_hub(request).stream_management.request_verification(token, verification)
    )


@post(
    "/v1/ssf/poll/{stream:str}",
    status_code=200,
    operation_class=documented(
        {**STREAM_ERRORS, **BODY_ERRORS, 200: response("Messages, by jti.", POLL_RESPONSE)},
        body=request_body(JSON_MEDIA_TYPE, "maxEvents, returnImmediately, ack, setErrs.", POLL_REQUEST),
    ),
    summary="Poll a stream, and acknowledge earlier messages",
    **STREAM_OPTIONS,
)
async def poll_stream(request: AnyRequest) -> Response[bytes]:
    """Undelivered messages, by jti. They are sent again until they are named in ack or setErrs."""
    poll, token = await read_json(request, PollRequest), bearer_token(request)
    hub, name = get_hub(request), str(request.path_params["stream"])
    polled = await run_in_turn(request, hub.stream_management.poll, token, name, poll)
    if not (polled.messages or poll.returnImmediately or poll.maxEvents == 0):
        polled = await _wait(request, polled, poll.maxEvents)
    sets = {message.jti: message.body.decode() for message in polled.messages}
    body = codec.encode({"sets": sets, "moreAvailable": polled.more_available})
    return Response(body, media_type=MediaType.JSON)


async def _wait(request: AnyRequest, polled: PollResponse, limit: int) -> PollResponse:
    """The first messages that arrive, or none after `MAX_POLL_SECONDS`."""
    hub, worker = get_hub(request), get_stream_worker(request)
    deadline = asyncio.get_running_loop().time() + MAX_POLL_SECONDS
    with worker.waiting_poll(MAX_WAITING_POLLS) as may_wait:
        while may_wait and not polled.messages and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_POLL_INTERVAL)
            if hub.streams.closing.is_set():
                break
            # A stream that the worker does not list is new, or it was deleted: then this raises an error.
            if worker.has_pending.get(polled.stream.name, True):
                polled = await run_in_turn(request, hub.streams.poll, polled.stream, limit)
    return polled


async def read_json(request: AnyRequest, kind: type[T]) -> T:
    """Decode a small JSON body."""
    body = await read_body(
        request,
        media_type=JSON_MEDIA_TYPE,
        max_bytes=MAX_REQUEST_BYTES,
        timeout_seconds=get_hub(request).settings.body_timeout_seconds,
        sender=await sender_of(request),
    )
    return codec.decode(body, kind)


async def _run(request: AnyRequest, work: Callable[[bytes], T]) -> T:
    return await run_in_turn(request, work, bearer_token(request))


async def _run_and_respond(
    request: AnyRequest, work: Callable[[bytes], object], status: int = 200
) -> Response[bytes]:
    body = codec.encode(await _run(request, work))
    return Response(body, status_code=status, media_type=MediaType.JSON)
