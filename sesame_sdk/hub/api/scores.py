"""Reading scores: ``GET /v1/scores/{subject}`` and ``POST /v1/scores/read``.

A partner gets points and band without reasons: those are for the person (see `Hub.explain`).
"""

import re
from typing import Annotated, Any

import msgspec
from attrs import frozen
from litestar import MediaType, Request, Response, get, post
from litestar.openapi.spec import Parameter

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_SUBJECT_LENGTH, MAX_SUBJECTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_hub
from sesame_sdk.hub.api.errors import on_read_error
from sesame_sdk.hub.api.openapi_responses import (
    BODY_ERRORS,
    READ_ERRORS,
    documented,
    error_response,
    request_body,
    response,
)
from sesame_sdk.hub.api.openapi_schemas import SCORE, SCORES, SCORES_REQUEST, SUBJECT
from sesame_sdk.hub.api.request_body import read_body
from sesame_sdk.hub.api.sender import BULK_BYTES, bearer_token, run_in_turn, sender_of
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model import codec, validators

_is_subject = re.compile(validators.SUBJECT_PATTERN).fullmatch
SECURITY: list[dict[str, list[str]]] = [{"reader": []}]
_Subject = Annotated[
    str, msgspec.Meta(max_length=MAX_SUBJECT_LENGTH, pattern=rf"^{validators.SUBJECT_PATTERN}\Z")
]


@frozen
class ScoresRequest:
    """The subjects, by the reader's own pseudonyms."""

    subjects: tuple[_Subject, ...]


@get(
    "/v1/scores/{subject:str}",
    exception_handlers={InvalidInputError: on_read_error},
    operation_class=documented(
        {
            **READ_ERRORS,
            200: response("A score, or null.", SCORE),
            404: error_response('The subject must not contain "/".'),
        },
        parameters=(Parameter("subject", "path", SUBJECT, "The reader's own pseudonym.", required=True),),
    ),
    security=SECURITY,
    summary="Read one score",
)
async def read_score(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A score or null: an unknown subject, no grant, and no score give the same response."""
    subject: str = request.path_params["subject"]
    if len(subject) > MAX_SUBJECT_LENGTH or not _is_subject(subject):
        raise InvalidInputError("is not a valid subject identifier", field="subject")
    scores = await run_in_turn(request, get_hub(request).read_scores, bearer_token(request), [subject])
    return Response(codec.encode({"score": scores[subject]}), media_type=MediaType.JSON)


@post(
    "/v1/scores/read",
    status_code=200,
    exception_handlers={InvalidInputError: on_read_error},
    operation_class=documented(
        {**READ_ERRORS, **BODY_ERRORS, 200: response("A score or null for each subject.", SCORES)},
        body=request_body(
            JSON_MEDIA_TYPE, f"1 to {MAX_SUBJECTS} of the reader's pseudonyms.", SCORES_REQUEST
        ),
    ),
    security=SECURITY,
    summary="Read many scores",
)
async def read_scores(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A score or null for each subject. The person can see every read."""
    hub, token, sender = get_hub(request), bearer_token(request), await sender_of(request)
    settings = hub.settings
    body = await read_body(
        request,
        media_type=JSON_MEDIA_TYPE,
        max_bytes=settings.max_body_bytes,
        timeout_seconds=settings.body_timeout_seconds,
        sender=sender,
    )
    scores = await run_in_turn(request, _read, hub, token, body, bulk=len(body) > BULK_BYTES)
    return Response(scores, media_type=MediaType.JSON)


def _read(hub: Hub, token: bytes, body: bytes) -> bytes:
    subjects = codec.decode(body, ScoresRequest).subjects
    return codec.encode({"scores": hub.read_scores(token, subjects)})
