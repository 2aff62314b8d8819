"""What every handler works with: the hub, the gate before it, and who looks at signatures."""

from concurrent.futures import Executor
from typing import Any

from litestar import Request

from sesame_sdk.hub.api.admission import ConcurrencyLimit, MemoryBudget
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability.health import Health
from sesame_sdk.hub.streams.worker import StreamWorker


def get_hub(request: Request[Any, Any, Any]) -> Hub:
    """The hub that this application was made for."""
    hub: Hub = request.app.state.hub
    return hub


def get_concurrency_limit(request: Request[Any, Any, Any]) -> ConcurrencyLimit:
    """Where requests are counted."""
    gate: ConcurrencyLimit = request.app.state.gate
    return gate


def get_memory_budget(request: Request[Any, Any, Any]) -> MemoryBudget:
    """Of which bodies take while they arrive."""
    ration: MemoryBudget = request.app.state.ration
    return ration


def get_verifier(request: Request[Any, Any, Any]) -> Executor:
    """Where messages are verified."""
    verifier: Executor = request.app.state.verifier
    return verifier


def get_stream_worker(request: Request[Any, Any, Any]) -> StreamWorker:
    """What keeps streams fresh."""
    feeder: StreamWorker = request.app.state.feeder
    return feeder


def get_health(request: Request[Any, Any, Any]) -> Health:
    """What knows whether the hub is ready."""
    health: Health = request.app.state.health
    return health
