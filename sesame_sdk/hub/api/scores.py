"""Reading scores: ``GET /v1/scores/{subject}`` and ``POST /v1/scores/read``.

A partner is given points and band, and no reasons: those are the person's own (see `Hub.explain`).
"""

import re
from typing import Annotated, Any

import msgspec
from attrs import frozen
from litestar import MediaType, Request, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.openapi.spec import Parameter

from sesame_sdk.constants import JSON_MEDIA_TYPE, MAX_SUBJECT_LENGTH, MAX_SUBJECTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.dependencies import get_concurrency_limit, get_hub
from sesame_sdk.hub.api.errors import on_read_error
from sesame_sdk.hub.api.openapi_responses import OF_BODIES, OF_READERS, answer, documented, fault, taking
from sesame_sdk.hub.api.openapi_schemas import ASKED, SCORE, SCORES, SUBJECT
from sesame_sdk.hub.api.request_body import read_body
from sesame_sdk.hub.hub import Hub
from sesame_sdk.model import codec, validators

_is_subject = re.compile(validators.SUBJECT_PATTERN).fullmatch
_BEARER = "bearer"
SECURITY: list[dict[str, list[str]]] = [{"reader": []}]
_Subject = Annotated[
    str, msgspec.Meta(max_length=MAX_SUBJECT_LENGTH, pattern=rf"^{validators.SUBJECT_PATTERN}\Z")
]


@frozen
class Asked:
    """Whose scores are asked for: the reader's own pseudonyms."""

    subjects: tuple[_Subject, ...]


@get(
    "/v1/scores/{subject:str}",
    exception_handlers={InvalidInputError: on_read_error},
    operation_class=documented(
        {**OF_READERS, 200: answer("A score, or null.", SCORE), 404: fault("Not a name, but a path.")},
        parameters=(Parameter("subject", "path", SUBJECT, "The reader's own pseudonym.", required=True),),
    ),
    security=SECURITY,
    summary="Read one score",
)
async def read_score(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A score, or null: nobody known by that name, no grant, and no score look the same."""
    subject: str = request.path_params["subject"]
    if len(subject) > MAX_SUBJECT_LENGTH or not _is_subject(subject):
        raise InvalidInputError("is nothing that a person could be called", field="subject")
    with get_concurrency_limit(request):
        found = await sync_to_thread(get_hub(request).read_scores, bearer_token(request), [subject])
    return Response(codec.encode({"score": found[subject]}), media_type=MediaType.JSON)


@post(
    "/v1/scores/read",
    status_code=200,
    exception_handlers={InvalidInputError: on_read_error},
    operation_class=documented(
        {**OF_READERS, **OF_BODIES, 200: answer("A score or null for each subject.", SCORES)},
        body=taking(JSON_MEDIA_TYPE, f"1 to {MAX_SUBJECTS} pseudonyms of the reader's.", ASKED),
    ),
    security=SECURITY,
    summary="Read many scores",
)
async def read_scores(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For each subject a score or null. Every read is logged for the person whose score it is."""
    hub, token = get_hub(request), bearer_token(request)
    settings = hub.settings
    body = await read_body(
        request,
        media_type=JSON_MEDIA_TYPE,
        most=settings.max_body_bytes,
        seconds=settings.body_timeout_seconds,
    )
    with get_concurrency_limit(request):
        answer = await sync_to_thread(_read, hub, token, body)
    return Response(answer, media_type=MediaType.JSON)


def _read(hub: Hub, token: bytes, body: bytes) -> bytes:
    subjects = codec.decode(body, Asked).subjects
    return codec.encode({"scores": hub.read_scores(token, subjects)})


def bearer_token(request: Request[Any, Any, Any]) -> bytes:
    """The reader's token.

    Raises:
        InvalidInputError: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _BEARER or not token.isascii():
        raise InvalidInputError(
            "is missing", field="Authorization", hint="send: Bearer <token>", code="authentication_failed"
        )
    return token.strip().encode()
