"""What a hub says of itself: its public keys, that it is alive, and whether it is ready for work."""

from typing import Any

from litestar import Request, get

from sesame_sdk.errors import RetryableError
from sesame_sdk.hub.api.dependencies import get_health, get_hub
from sesame_sdk.hub.api.openapi_responses import UNAVAILABLE, answer, documented
from sesame_sdk.hub.api.openapi_schemas import HEALTH, KEYS
from sesame_sdk.hub.observability.health import HealthState


@get(
    "/.well-known/jwks.json",
    sync_to_thread=False,
    operation_class=documented({200: answer("A JWK Set.", KEYS)}),
    summary="The hub's public keys",
)
def jwks(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A JWK Set (RFC 7517 section 5), by which receipts are verified."""
    return get_hub(request).jwks()


@get(
    "/health/live",
    sync_to_thread=False,
    operation_class=documented({200: answer("It is.", HEALTH)}),
    summary="Whether the hub is alive",
)
def live() -> dict[str, str]:
    """Answers ok as long as it answers at all: also without its database, and while it stops."""
    return {"status": "ok"}


@get(
    ["/health/ready", "/healthz"],
    operation_class=documented({**UNAVAILABLE, 200: answer("It can.", HEALTH)}),
    summary="Whether the hub can do its work",
)
async def ready(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Answers ok when the ledger can be read and written, and the hub was not told to stop."""
    state = await get_health(request).check_state()
    if state is not HealthState.READY:
        raise RetryableError(f"the hub takes no work: {state.value}", retry_after=5)
    return {"status": "ok"}
