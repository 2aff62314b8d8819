"""What a hub says of itself: its public keys, and that it is alive."""

from typing import Any

from litestar import Request, get
from litestar.concurrency import sync_to_thread

from sesame_sdk.errors import Retryable
from sesame_sdk.hub.api.operations import UNAVAILABLE, answer, documented
from sesame_sdk.hub.api.schemas import HEALTH, KEYS
from sesame_sdk.hub.api.state import hub_of


@get(
    "/.well-known/jwks.json",
    sync_to_thread=False,
    operation_class=documented({200: answer("A JWK Set.", KEYS)}),
    summary="The hub's public keys",
)
def jwks(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """A JWK Set (RFC 7517 section 5), by which receipts are verified."""
    return hub_of(request).jwks()


@get(
    "/healthz",
    operation_class=documented({**UNAVAILABLE, 200: answer("It can.", HEALTH)}),
    summary="Whether the hub can do its work",
)
async def healthz(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Answers ok when the ledger can be read and written."""
    if not await sync_to_thread(hub_of(request).ready):
        raise Retryable("the hub takes no work", retry_after=5)
    return {"status": "ok"}
