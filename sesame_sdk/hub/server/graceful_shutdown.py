"""A uvicorn server that shuts down without losing a request.

On SIGTERM a hub
    1. is not ready any more, and asks clients to use another connection
    2. keeps serving for `drain_timeout_seconds`, or until no client is connected
    3. stops listening, and gives requests in progress `shutdown_timeout_seconds`
    4. writes what is queued for the ledger, closes it, and exits with code 0
"""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable
from time import perf_counter

import uvicorn

from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.server import systemd

_CHECK_INTERVAL = 0.02


class GracefulServer(uvicorn.Server):
    """Reports when it is ready, and shuts down as the module describes.

    Args:
        config: of uvicorn.
        on_ready: called once it responds to requests.
        on_stop: called when the shutdown begins.
        drain_timeout_seconds: see the module.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        drain_timeout_seconds: float,
    ) -> None:
        super().__init__(config)
        self._created_at = perf_counter()
        self._on_ready = on_ready
        self._on_stop = on_stop
        self._drain_timeout_seconds = drain_timeout_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and report it."""
        await super().startup(sockets)
        if self.started:
            metrics.READY.set(1)
            port = sockets[0].getsockname()[1] if sockets else self.config.port
            log.info("server_started", port=port, duration_ms=_ms_since(self._created_at))
            systemd.notify(systemd.READY)
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, and shut down."""
        started = perf_counter()
        metrics.READY.set(0)
        systemd.notify(systemd.STOPPING)
        log.info("server_stopping", connections=len(self.server_state.connections))
        self._on_stop()
        while self._is_draining(started):
            await asyncio.sleep(_CHECK_INTERVAL)
        await super().shutdown(sockets)
        log.info("server_stopped", duration_ms=_ms_since(started))

    def _is_draining(self, started: float) -> bool:
        in_time = perf_counter() - started < self._drain_timeout_seconds
        return in_time and bool(self.server_state.connections) and not self.force_exit


def _ms_since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 1)


def exit_zero_on_sigterm() -> None:
    """Exit with code 0 on SIGTERM, before the server starts and after it has stopped.

    In between uvicorn handles the signal, and raises it again at the end, which by default kills the process.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
