"""What OpenAPI cannot see in a handler that reads its body and writes its answer by itself.

Every operation names each answer that it can give: status, media type, form. A test holds the running hub
to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    RequestBody,
    Schema,
)

from sesame_sdk.constants import JSON_MEDIA_TYPE, PROBLEM_MEDIA_TYPE
from sesame_sdk.hub.api.openapi_schemas import FAULT, REFUSAL

TEXT = Schema(type=OpenAPIType.STRING)
_SECONDS = Schema(type=OpenAPIType.INTEGER, minimum=1)
_WAIT = {"Retry-After": OpenAPIHeader(schema=_SECONDS, required=True, description="Seconds.")}
_CHALLENGE = {"WWW-Authenticate": OpenAPIHeader(schema=TEXT, required=True)}
Answers = Mapping[int, OpenAPIResponse]


def answer(
    description: str,
    schema: Schema | None = None,
    *media_types: str,
    headers: Mapping[str, OpenAPIHeader] | None = None,
) -> OpenAPIResponse:
    """An answer with a body of this form, in any of these media types or in JSON; or without a body."""
    told = {media_type: OpenAPIMediaType(schema=schema) for media_type in media_types or (JSON_MEDIA_TYPE,)}
    return OpenAPIResponse(
        description=description, content=told if schema else None, headers=dict(headers or {}) or None
    )


def fault(description: str, *, guard: bool = False) -> OpenAPIResponse:
    """A refusal after RFC 8935 section 2.4; by the guard too, where it may be one, as problem details."""
    content = {JSON_MEDIA_TYPE: OpenAPIMediaType(schema=FAULT)}
    if guard:
        content[PROBLEM_MEDIA_TYPE] = OpenAPIMediaType(schema=REFUSAL)
    return OpenAPIResponse(description=description, content=content)


UNAVAILABLE: Answers = {503: answer("Busy, or closing: come back after Retry-After.", FAULT, headers=_WAIT)}
LIMITED: Answers = {
    **UNAVAILABLE,
    429: answer("More than you may ask for now: come back after Retry-After.", FAULT, headers=_WAIT),
}
#: Of an operation that takes a body.
OF_BODIES: Answers = {
    400: fault("Not a request of this kind, or its end is in doubt."),
    408: fault("The body took too long to arrive."),
    413: fault("The body is too large, as it is or unpacked."),
    415: fault("Another media type, or packed otherwise than by gzip."),
}
#: Of an operation that takes a reader's token.
OF_READERS: Answers = {
    **LIMITED,
    400: fault("Not a question."),
    401: answer("The token is not believed.", FAULT, headers=_CHALLENGE),
    403: fault(
        "The purpose is not one that the reader registered here; or nobody may read for it: problem details "
        "with what the guard found.",
        guard=True,
    ),
}


def documented(
    answers: Answers, *, body: RequestBody | None = None, parameters: tuple[Parameter, ...] = ()
) -> type[Operation]:
    """An operation that gives these answers and no others, and takes this body."""

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            self.responses = {str(status): answers[status] for status in sorted(answers)}
            self.request_body = body
            if parameters:
                self.parameters = list(parameters)

    return Documented


def taking(media_type: str, description: str, schema: Schema = TEXT) -> RequestBody:
    """A body of this media type; any text unless `schema` says otherwise."""
    told = OpenAPIMediaType(schema=schema)
    return RequestBody(content={media_type: told}, description=description, required=True)
