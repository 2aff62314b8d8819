"""Typed access to the application's state."""

from concurrent.futures import Executor
from typing import Any

from litestar import Request

from sesame_sdk.hub.api.admission import ConcurrencyLimit, MemoryBudget
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability.health import Health
from sesame_sdk.hub.streams.worker import StreamWorker


def get_hub(request: Request[Any, Any, Any]) -> Hub:
    """The hub that the application serves."""
    hub: Hub = request.app.state.hub
    return hub


def get_concurrency_limit(request: Request[Any, Any, Any]) -> ConcurrencyLimit:
    """Limits the requests in progress."""
    limit: ConcurrencyLimit = request.app.state.concurrency_limit
    return limit


def get_memory_budget(request: Request[Any, Any, Any]) -> MemoryBudget:
    """Limits the memory of bodies while they arrive."""
    budget: MemoryBudget = request.app.state.memory_budget
    return budget


def get_verifier(request: Request[Any, Any, Any]) -> Executor:
    """Runs the verification of messages."""
    verifier: Executor = request.app.state.verifier
    return verifier


def get_stream_worker(request: Request[Any, Any, Any]) -> StreamWorker:
    """Updates and pushes the score streams."""
    worker: StreamWorker = request.app.state.stream_worker
    return worker


def get_health(request: Request[Any, Any, Any]) -> Health:
    """Checks whether the hub is ready."""
    health: Health = request.app.state.health
    return health
