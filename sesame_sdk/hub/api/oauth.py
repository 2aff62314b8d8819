"""OAuth for streams: the token endpoint (RFC 6749 section 4.4) and its metadata (RFC 8414)."""

from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Request, Response, get, post

from sesame_sdk.errors import InvalidInputError
from sesame_sdk.hub.api.admission import STRANGERS
from sesame_sdk.hub.api.dependencies import get_hub
from sesame_sdk.hub.api.errors import on_oauth_error
from sesame_sdk.hub.api.openapi_responses import (
    BODY_ERRORS,
    LIMIT_ERRORS,
    documented,
    request_body,
    response,
)
from sesame_sdk.hub.api.openapi_schemas import ACCESS_TOKEN, OAUTH_ERROR, OAUTH_METADATA, TOKEN_REQUEST
from sesame_sdk.hub.api.request_body import read_body
from sesame_sdk.hub.api.sender import find_sender, run_for
from sesame_sdk.hub.streams.stream_auth import SCOPES, TOKEN_PATH
from sesame_sdk.model import codec

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"
_MAX_FORM_BYTES, _MAX_FIELDS = 16_384, 16


@get(
    "/.well-known/oauth-authorization-server",
    sync_to_thread=False,
    operation_class=documented({200: response("Authorization server metadata.", OAUTH_METADATA)}),
    summary="Discover how access tokens are issued",
)
def oauth_metadata(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Authorization server metadata (RFC 8414 section 2)."""
    issuer = get_hub(request).settings.issuer
    base = issuer.rstrip("/")
    return {
        "issuer": issuer,
        "token_endpoint": base + TOKEN_PATH,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["Ed25519", "EdDSA"],
    }


@post(
    TOKEN_PATH,
    status_code=200,
    operation_class=documented(
        {
            **BODY_ERRORS,
            **LIMIT_ERRORS,
            200: response("An access token.", ACCESS_TOKEN),
            400: response("The request is invalid: RFC 6749 section 5.2.", OAUTH_ERROR),
            401: response("The client is not authenticated.", OAUTH_ERROR),
        },
        body=request_body(FORM_MEDIA_TYPE, "The client credentials grant.", TOKEN_REQUEST),
    ),
    summary="Get an access token for streams",
    exception_handlers={InvalidInputError: on_oauth_error},
)
async def issue_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The client credentials grant, authenticated by private_key_jwt; a token for ten minutes."""
    hub = get_hub(request)
    body = await read_body(
        request,
        media_type=FORM_MEDIA_TYPE,
        max_bytes=_MAX_FORM_BYTES,
        timeout_seconds=hub.settings.body_timeout_seconds,
        sender=STRANGERS,
    )
    form = _read_form(body)
    header = form.get("client_assertion", "").partition(".")[0].encode("utf-8", "replace")
    sender = await find_sender(request, header) or STRANGERS
    answer = await run_for(request, sender, hub.stream_management.issue_token, form)
    return Response(codec.encode(answer), media_type=MediaType.JSON)


def _read_form(body: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidInputError("is not a form", field="body") from error
    form = dict(fields)
    if len(form) != len(fields):  # RFC 6749 section 3.2
        raise InvalidInputError("has a duplicate parameter", field="body")
    return form
