"""What every handler works with: the hub, the gate before it, and who looks at signatures."""

from concurrent.futures import Executor
from typing import Any

from litestar import Request

from sesame_sdk.hub.api.admission import ConcurrencyLimit, MemoryBudget
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability.health import Health
from sesame_sdk.hub.streams.worker import StreamWorker


def hub_of(request: Request[Any, Any, Any]) -> Hub:
    """The hub that this application was made for."""
    hub: Hub = request.app.state.hub
    return hub


def gate_of(request: Request[Any, Any, Any]) -> ConcurrencyLimit:
    """Where requests are counted."""
    gate: ConcurrencyLimit = request.app.state.gate
    return gate


def ration_of(request: Request[Any, Any, Any]) -> MemoryBudget:
    """Of which bodies take while they arrive."""
    ration: MemoryBudget = request.app.state.ration
    return ration


def verifier_of(request: Request[Any, Any, Any]) -> Executor:
    """Where messages are verified."""
    verifier: Executor = request.app.state.verifier
    return verifier


def feeder_of(request: Request[Any, Any, Any]) -> StreamWorker:
    """What keeps streams fresh."""
    feeder: StreamWorker = request.app.state.feeder
    return feeder


def health_of(request: Request[Any, Any, Any]) -> Health:
    """What knows whether the hub is ready."""
    health: Health = request.app.state.health
    return health
