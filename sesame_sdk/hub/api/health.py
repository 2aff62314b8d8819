"""The hub's public keys, and whether it is alive and ready."""

from typing import Any

from litestar import Request, get

from sesame_sdk.errors import RetryableError
from sesame_sdk.hub.api.dependencies import get_health, get_hub
from sesame_sdk.hub.api.openapi_responses import UNAVAILABLE_ERROR, documented, response
from sesame_sdk.hub.api.openapi_schemas import HEALTH, KEYS
from sesame_sdk.hub.observability.health import HealthState


@get(
    "/.well-known/jwks.json",
    sync_to_thread=False,
    operation_class=documented({200: response("A JWK Set.", KEYS)}),
    summary="The hub's public keys",
)
def jwks(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A JWK Set (RFC 7517 section 5), to verify receipts with."""
    return get_hub(request).jwks()


@get(
    "/health/live",
    sync_to_thread=False,
    operation_class=documented({200: response("The hub is alive.", HEALTH)}),
    summary="Liveness",
)
def live() -> dict[str, str]:
    """Ok while the process responds: also without its database, and during shutdown."""
    return {"status": "ok"}


@get(
    ["/health/ready", "/healthz"],
    operation_class=documented({**UNAVAILABLE_ERROR, 200: response("The hub is ready.", HEALTH)}),
    summary="Readiness",
)
async def ready(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Ok while the database can be read and written, and the hub does not shut down."""
    state = await get_health(request).check_state()
    if state is not HealthState.READY:
        raise RetryableError(f"the hub is not ready: {state.value}", retry_after=5)
    return {"status": "ok"}
