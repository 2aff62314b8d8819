"""The JSON Schemas of requests and responses, for OpenAPI."""

from collections.abc import Mapping
from typing import Any

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Schema

from sesame_sdk.constants import MAX_SUBJECT_LENGTH, MAX_SUBJECTS
from sesame_sdk.hub.streams.streams import DISABLED, ENABLED, MAX_DESCRIPTION, PAUSED, POLL, PUSH
from sesame_sdk.model import finding, validators

Schemas = Mapping[str, Schema]


def text(**more: Any) -> Schema:  # noqa: ANN401 - whatever a schema has
    """A text."""
    return Schema(type=OpenAPIType.STRING, **more)


def integer(**more: Any) -> Schema:  # noqa: ANN401
    """A whole number."""
    return Schema(type=OpenAPIType.INTEGER, **more)


def list_of(items: Schema, **more: Any) -> Schema:  # noqa: ANN401
    """A list."""
    return Schema(type=OpenAPIType.ARRAY, items=items, **more)


def object_of(members: Schemas | None = None, *, optional: Schemas | None = None, **more: Schema) -> Schema:
    """An object with required and optional members."""
    required_members = {**(members or {}), **more}
    return Schema(
        type=OpenAPIType.OBJECT,
        properties={**required_members, **(optional or {})},
        required=list(required_members) or None,
    )


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return Schema(one_of=[schema, Schema(type=OpenAPIType.NULL)])


def map_of(values: Schema) -> Schema:
    """An object whose members have any name and one schema."""
    return Schema(type=OpenAPIType.OBJECT, additional_properties=values)


_NUMBER = Schema(type=OpenAPIType.NUMBER)
_BOOLEAN = Schema(type=OpenAPIType.BOOLEAN)
ERROR = object_of(err=text(), description=text())
_FINDING = object_of(
    dict.fromkeys(("rule", "action", "about", "reason", "hint", "source"), text()),
    dated=text(format=OpenAPIFormat.DATE),
)
GUARD_REFUSAL = object_of(
    type=Schema(const=finding.REFUSED),
    title=text(),
    status=integer(),
    detail=text(),
    findings=list_of(_FINDING),
    err=text(),
    description=text(),
)
SUBJECT = text(min_length=1, max_length=MAX_SUBJECT_LENGTH, pattern=f"^{validators.SUBJECT_PATTERN}$")
SCORES_REQUEST = object_of(subjects=list_of(SUBJECT, min_items=1, max_items=MAX_SUBJECTS))
_SCORE = object_of(
    points=_NUMBER,
    band=text(),
    as_of=text(format=OpenAPIFormat.DATE),
    policy=text(),
    base=_NUMBER,
    contributions=list_of(Schema(), max_items=0),
)
SCORE = object_of(score=nullable(_SCORE))
SCORES = object_of(scores=map_of(nullable(_SCORE)))
_KEY = object_of(
    dict.fromkeys(("kty", "crv", "x", "kid", "use", "alg"), text()),
    optional={"nbf": integer(), "exp": integer(), "revoked": object_of(revoked_at=integer())},
)
KEYS = object_of(keys=list_of(_KEY, min_items=1), optional={"rotations": list_of(text())})
HEALTH = object_of(status=Schema(const="ok"))
_METHOD = Schema(enum=[PUSH, POLL])
CONFIGURATION = object_of(
    dict.fromkeys(
        ("spec_version", "issuer", "jwks_uri", "configuration_endpoint", "status_endpoint"), text()
    ),
    verification_endpoint=text(),
    delivery_methods_supported=list_of(_METHOD),
    authorization_schemes=list_of(object_of(spec_urn=text())),
    default_subjects=text(),
)
STREAM = object_of(
    stream_id=text(),
    iss=text(),
    aud=text(),
    delivery=object_of(method=_METHOD, endpoint_url=text()),
    events_supported=list_of(text()),
    events_requested=list_of(text()),
    events_delivered=list_of(text()),
    min_verification_interval=integer(),
    purpose=text(),
    context=text(),
    optional={"description": text()},
)
STREAMS = Schema(one_of=[STREAM, list_of(STREAM)])
_STATUS = Schema(enum=[ENABLED, PAUSED, DISABLED])
STATUS = object_of(stream_id=text(), status=_STATUS, optional={"reason": text(max_length=400)})
STREAM_REQUEST = object_of(
    optional={
        "stream_id": text(),
        "delivery": object_of(
            optional={
                "method": _METHOD,
                "endpoint_url": text(max_length=512),
                "authorization_header": text(max_length=1024, pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$"),
            }
        ),
        "events_requested": list_of(text(max_length=256), max_items=32),
        "description": text(max_length=MAX_DESCRIPTION),
    }
)
VERIFICATION_REQUEST = object_of(stream_id=text(), optional={"state": text(max_length=512)})
_JTI = text(max_length=64)
POLL_REQUEST = object_of(
    optional={
        "maxEvents": integer(minimum=0),
        "returnImmediately": _BOOLEAN,
        "ack": list_of(_JTI, max_items=1000),
        "setErrs": map_of(
            object_of(err=text(max_length=64), optional={"description": text(max_length=1024)})
        ),
    }
)
TOKEN_REQUEST = object_of(
    grant_type=Schema(const="client_credentials"),
    client_assertion_type=text(),
    client_assertion=text(),
    optional={"client_id": text(), "scope": text(), "purpose": text(), "context": text()},
)
ACCESS_TOKEN = object_of(access_token=text(), token_type=text(), expires_in=integer(), scope=text())
OAUTH_ERROR = object_of(error=text(), error_description=text())
OAUTH_METADATA = object_of(
    issuer=text(),
    token_endpoint=text(),
    jwks_uri=text(),
    grant_types_supported=list_of(text()),
    response_types_supported=list_of(text(), max_items=0),
    scopes_supported=list_of(text()),
    token_endpoint_auth_methods_supported=list_of(text()),
    token_endpoint_auth_signing_alg_values_supported=list_of(text()),
)
POLL_RESPONSE = object_of(sets=map_of(text()), moreAvailable=_BOOLEAN)
