"""What a hub says of itself: its public keys, and that it is alive."""

from typing import Any

from litestar import get
from litestar.concurrency import sync_to_thread

from sesame_sdk.hub.hub import Hub


@get("/.well-known/jwks.json", sync_to_thread=False, summary="The hub's public keys")
def jwks(hub: Hub) -> dict[str, Any]:
    """A JWK Set (RFC 7517 section 5), by which receipts are verified."""
    return hub.jwks()


@get("/healthz", summary="Whether the hub can do its work")
async def healthz(hub: Hub) -> dict[str, str]:
    """Answers ok when the ledger can be read."""
    await sync_to_thread(hub.policies)
    return {"status": "ok"}
