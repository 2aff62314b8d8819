"""Typed access to the application's state."""

from typing import Any

from litestar import Request

from sesame_sdk.hub.api.admission import Admission
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.observability.health import Health
from sesame_sdk.hub.streams.worker import StreamWorker


def get_hub(request: Request[Any, Any, Any]) -> Hub:
    """The hub that the application serves."""
    hub: Hub = request.app.state.hub
    return hub


def get_admission(request: Request[Any, Any, Any]) -> Admission:
    """Shares memory and time among partners."""
    admission: Admission = request.app.state.admission
    return admission


def get_stream_worker(request: Request[Any, Any, Any]) -> StreamWorker:
    """Updates and pushes the score streams."""
    worker: StreamWorker = request.app.state.stream_worker
    return worker


def get_health(request: Request[Any, Any, Any]) -> Health:
    """Checks whether the hub is ready."""
    health: Health = request.app.state.health
    return health
