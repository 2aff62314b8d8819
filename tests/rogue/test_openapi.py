"""The running hub does what its OpenAPI document says, whatever is asked of it."""

import json
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.streams.stream_auth import TOKEN_PATH
from sesame_sdk.hub.streams.streams import POLL, StreamRequest
from sesame_sdk.partner.notices import sign_notices_token
from tests.hub.test_stream_auth import token_request
from tests.rogue.deployment import SET, Deployment

_EXAMPLES = 60
OPERATIONS = 20
#: What is answered from memory: these cannot be unavailable.
WITHOUT_LEDGER = {
    "/.well-known/jwks.json",
    "/.well-known/ssf-configuration",
    "/.well-known/oauth-authorization-server",
    "/health/live",
    "/metrics",
}
#: That no answer is of the server's own fault, and that each is one of those that the document names.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@schemathesis.serializer(SET)
def _as_it_is(_: object, value: object) -> bytes:
    """The body of an event, which is text; what is no text goes as JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode(errors="replace")


def _operations(deployment: Deployment) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{deployment.url}/schema/openapi.json")
    return [operation.ok() for operation in schema.get_all_operations()]


def test_every_route_and_every_answer_is_documented(deployment: Deployment) -> None:
    """Each with a description, and each that has a body with its media types and their forms."""
    document = requests.get(f"{deployment.url}/schema/openapi.json", timeout=30).json()
    documented = {
        (path, method): operation["responses"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert len(documented) == OPERATIONS
    for (path, method), responses in documented.items():
        for status, response in responses.items():
            assert response["description"], (path, method, status)
            assert ("content" in response) == (status != "204"), (path, method, status)
        if path not in WITHOUT_LEDGER:
            assert responses["503"]["headers"]["Retry-After"]["schema"]["type"] == "integer"
        if path.startswith("/v1/"):
            assert responses["429"]["headers"]["Retry-After"]["required"]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("place", range(OPERATIONS))
def test_what_the_hub_answers_is_what_its_document_says(deployment: Deployment, place: int) -> None:
    """Valid and invalid requests, with a valid token and without one."""
    operation = _operations(deployment)[place]
    cases = st.one_of(operation.as_strategy(mode) for mode in GenerationMode)

    @settings(max_examples=_EXAMPLES, phases=(Phase.generate,), suppress_health_check=list(HealthCheck))
    @given(cases, st.booleans(), st.booleans())
    def ask(case: Any, believed: bool, meant: bool) -> None:
        headers = {"Authorization": f"Bearer {_token(deployment, case).decode()}"} if believed else {}
        if meant:
            _mean_it(deployment, case)
        statuses.add(case.call_and_validate(checks=CHECKS, headers=headers, timeout=60).status_code)

    statuses: set[int] = set()
    ask()
    assert min(statuses) < 300, f"{operation.label} was never done: {statuses}"


def _mean_it(deployment: Deployment, case: Any) -> None:
    """Turn a case towards what is there: a message that is signed, the stream of the reader."""
    if case.path == "/v1/events":
        case.body = deployment.shop.seal(deployment.order(str(timestamps.utc_now())))
        return
    if case.path == "/v1/notices/poll":
        case.body = {"returnImmediately": True}
        return
    if case.path == TOKEN_PATH:
        case.body = token_request(deployment.shop)
        return
    name = _stream(deployment)
    if (case.method, case.path) == ("POST", "/v1/ssf/stream"):
        deployment.hub.stream_management.delete(deployment.shop.stream_token(), name)
    bodies: dict[tuple[str, str], dict[str, object]] = {
        ("POST", "/v1/ssf/stream"): {},
        ("PUT", "/v1/ssf/stream"): {"stream_id": name, "delivery": {"method": POLL}},
        ("PATCH", "/v1/ssf/stream"): {"stream_id": name, "delivery": {"method": POLL}},
        ("POST", "/v1/ssf/status"): {"stream_id": name, "status": "enabled"},
        ("POST", "/v1/ssf/verify"): {"stream_id": name},
        ("POST", "/v1/ssf/poll/{stream}"): {"returnImmediately": True},
    }
    # The whole body, not a part of it: the rest of what was drawn may be invalid.
    case.body = bodies.get((case.method, case.path), case.body)
    if "stream" in (case.path_parameters or {}):
        case.path_parameters["stream"] = name
    if isinstance(case.query, dict):
        case.query["stream_id"] = name


def _token(deployment: Deployment, case: Any) -> bytes:
    """A read token; for notices and streams, a token of theirs."""
    shop = deployment.shop
    if case.path == "/v1/notices/poll":
        return sign_notices_token(
            shop.key, issuer=shop.issuer, audience=deployment.url, now=timestamps.utc_now()
        )
    return shop.stream_token() if case.path.startswith("/v1/ssf/") else shop.read_token()


def _stream(deployment: Deployment) -> str:
    stream = deployment.hub.stream_management.read(deployment.shop.stream_token())
    made = (
        stream[0]
        if stream
        else deployment.hub.stream_management.create(deployment.shop.stream_token(), StreamRequest())
    )
    return str(made["stream_id"])
