"""The forms of what goes in and out over HTTP, as OpenAPI has them (JSON Schema)."""

from collections.abc import Mapping
from typing import Any

from litestar.openapi.spec import OpenAPIFormat, OpenAPIType, Schema

from sesame_sdk.constants import MAX_SUBJECT_LENGTH, MAX_SUBJECTS
from sesame_sdk.hub.streams.streams import DISABLED, ENABLED, PAUSED, POLL, PUSH
from sesame_sdk.model import problem_details, validators

Schemas = Mapping[str, Schema]


def text(**more: Any) -> Schema:  # noqa: ANN401 - whatever a schema has
    """A text."""
    return Schema(type=OpenAPIType.STRING, **more)


def whole(**more: Any) -> Schema:  # noqa: ANN401
    """A whole number."""
    return Schema(type=OpenAPIType.INTEGER, **more)


def list_of(items: Schema, **more: Any) -> Schema:  # noqa: ANN401
    """A list."""
    return Schema(type=OpenAPIType.ARRAY, items=items, **more)


def record(members: Schemas | None = None, *, optional: Schemas | None = None, **more: Schema) -> Schema:
    """An object with these members, and perhaps the optional ones."""
    needed = {**(members or {}), **more}
    return Schema(
        type=OpenAPIType.OBJECT, properties={**needed, **(optional or {})}, required=list(needed) or None
    )


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return Schema(one_of=[schema, Schema(type=OpenAPIType.NULL)])


def by_name(values: Schema) -> Schema:
    """An object that has any members of one form."""
    return Schema(type=OpenAPIType.OBJECT, additional_properties=values)


_NUMBER = Schema(type=OpenAPIType.NUMBER)
_YES_OR_NO = Schema(type=OpenAPIType.BOOLEAN)
FAULT = record(err=text(), description=text())
_FINDING = record(
    dict.fromkeys(("rule", "action", "about", "reason", "hint", "source"), text()),
    dated=text(format=OpenAPIFormat.DATE),
)
REFUSAL = record(
    type=Schema(const=problem_details.REFUSED),
    title=text(),
    status=whole(),
    detail=text(),
    findings=list_of(_FINDING),
    err=text(),
    description=text(),
)
SUBJECT = text(min_length=1, max_length=MAX_SUBJECT_LENGTH, pattern=f"^{validators.SUBJECT_PATTERN}$")
ASKED = record(subjects=list_of(SUBJECT, min_items=1, max_items=MAX_SUBJECTS))
_SCORE = record(
    points=_NUMBER,
    band=text(),
    as_of=text(format=OpenAPIFormat.DATE),
    policy=text(),
    base=_NUMBER,
    contributions=list_of(Schema(), max_items=0),
)
SCORE = record(score=maybe(_SCORE))
SCORES = record(scores=by_name(maybe(_SCORE)))
KEYS = record(
    keys=list_of(record(dict.fromkeys(("kty", "crv", "x", "kid", "use", "alg"), text())), min_items=1)
)
HEALTH = record(status=Schema(const="ok"))
_METHOD = Schema(enum=[PUSH, POLL])
CONFIGURATION = record(
    dict.fromkeys(
        ("spec_version", "issuer", "jwks_uri", "configuration_endpoint", "status_endpoint"), text()
    ),
    verification_endpoint=text(),
    delivery_methods_supported=list_of(_METHOD),
    authorization_schemes=list_of(record(spec_urn=text())),
    default_subjects=text(),
)
STREAM = record(
    stream_id=text(),
    iss=text(),
    aud=text(),
    delivery=record(method=_METHOD, endpoint_url=text()),
    events_supported=list_of(text()),
    events_requested=list_of(text()),
    events_delivered=list_of(text()),
    min_verification_interval=whole(),
    description=text(),
    purpose=text(),
    context=text(),
)
STREAMS = Schema(one_of=[STREAM, list_of(STREAM)])
_STATUS = Schema(enum=[ENABLED, PAUSED, DISABLED])
STATUS = record(stream_id=text(), status=_STATUS, optional={"reason": text(max_length=400)})
WISH = record(
    optional={
        "stream_id": text(),
        "delivery": record(
            optional={
                "method": _METHOD,
                "endpoint_url": text(max_length=512),
                "authorization_header": text(max_length=1024, pattern=r"^Bearer [A-Za-z0-9._~+/=-]+$"),
            }
        ),
        "events_requested": list_of(text(max_length=256), max_items=32),
        "description": text(max_length=400),
    }
)
QUESTION = record(stream_id=text(), optional={"state": text(max_length=512)})
_JTI = text(max_length=64)
POLL_ASKED = record(
    optional={
        "maxEvents": whole(minimum=0),
        "returnImmediately": _YES_OR_NO,
        "ack": list_of(_JTI, max_items=1000),
        "setErrs": by_name(record(err=text(max_length=64), optional={"description": text(max_length=1024)})),
    }
)
POLLED = record(sets=by_name(text()), moreAvailable=_YES_OR_NO)
