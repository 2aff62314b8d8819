"""The requests and responses of the handlers, for OpenAPI.

Every operation lists each response with status, media types, schema and headers; a test compares the hub
with it. Litestar's own `ResponseSpec` has neither headers nor several media types, and its schemas of attrs
classes lack the bounds of ``msgspec.Meta``.
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
from sesame_sdk.hub.api.openapi_schemas import ERROR, GUARD_REFUSAL

TEXT = Schema(type=OpenAPIType.STRING)
_SECONDS = Schema(type=OpenAPIType.INTEGER, minimum=1)
_WAIT = {"Retry-After": OpenAPIHeader(schema=_SECONDS, required=True, description="Seconds.")}
_CHALLENGE = {"WWW-Authenticate": OpenAPIHeader(schema=TEXT, required=True)}
Responses = Mapping[int, OpenAPIResponse]


def response(
    description: str,
    schema: Schema | None = None,
    *media_types: str,
    headers: Mapping[str, OpenAPIHeader] | None = None,
) -> OpenAPIResponse:
    """A response with this schema, in JSON or any of these media types; or without a body."""
    content = {
        media_type: OpenAPIMediaType(schema=schema) for media_type in media_types or (JSON_MEDIA_TYPE,)
    }
    return OpenAPIResponse(
        description=description, content=content if schema else None, headers=dict(headers or {}) or None
    )


def error_response(description: str, *, guard: bool = False) -> OpenAPIResponse:
    """An error as in RFC 8935 section 2.4; with `guard`, problem details too."""
    content = {JSON_MEDIA_TYPE: OpenAPIMediaType(schema=ERROR)}
    if guard:
        content[PROBLEM_MEDIA_TYPE] = OpenAPIMediaType(schema=GUARD_REFUSAL)
    return OpenAPIResponse(description=description, content=content)


UNAVAILABLE_ERROR: Responses = {
    503: response("Busy or shutting down; retry after Retry-After.", ERROR, headers=_WAIT)
}
LIMIT_ERRORS: Responses = {
    **UNAVAILABLE_ERROR,
    429: response("Rate limit exceeded; retry after Retry-After.", ERROR, headers=_WAIT),
}
#: Of operations with a request body.
BODY_ERRORS: Responses = {
    400: error_response("The request is invalid, or its framing is ambiguous."),
    408: error_response("The body took too long to arrive."),
    413: error_response("The body is too large, as sent or decompressed."),
    415: error_response("Unsupported media type, or a content encoding other than gzip."),
}
#: Of operations with a reader's token.
READ_ERRORS: Responses = {
    **LIMIT_ERRORS,
    400: error_response("The request is invalid."),
    401: response("The token was rejected.", ERROR, headers=_CHALLENGE),
    403: error_response(
        "The reader did not register this purpose, or the guard refuses it: problem details.",
        guard=True,
    ),
}


def documented(
    responses: Responses, *, body: RequestBody | None = None, parameters: tuple[Parameter, ...] = ()
) -> type[Operation]:
    """An operation with exactly these responses, this body and these parameters."""

    @dataclass
    class Documented(Operation):
        def __post_init__(self) -> None:
            self.responses = {str(status): responses[status] for status in sorted(responses)}
            self.request_body = body
            if parameters:
                self.parameters = list(parameters)

    return Documented


def request_body(media_type: str, description: str, schema: Schema = TEXT) -> RequestBody:
    """A request body of one media type."""
    content = {media_type: OpenAPIMediaType(schema=schema)}
    return RequestBody(content=content, description=description, required=True)
