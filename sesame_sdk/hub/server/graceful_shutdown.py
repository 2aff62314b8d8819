"""A uvicorn server that stops in order, so that nothing in flight is cut.

Told to stop (SIGTERM), a hub
    1. is not ready any more, and asks whoever is connected to come by another connection
    2. goes on answering for `drain_timeout_seconds`, or until nobody is connected
    3. listens no more, and gives what is under way `shutdown_timeout_seconds` to be answered
    4. writes what waits for the ledger, closes it, and ends with code 0
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
from sesame_sdk.hub.observability.log_events import Ready, Stopped, Stopping
from sesame_sdk.hub.observability.structured_log import log
from sesame_sdk.hub.server import systemd

_LOOK = 0.02


class GracefulServer(uvicorn.Server):
    """Says when it is ready, and stops as the module says.

    Args:
        config: of uvicorn.
        on_ready: called once requests are answered.
        on_stop: called when it was told to stop, before anything else happens.
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
        self._began = perf_counter()
        self._ready = on_ready
        self._ending = on_stop
        self._drain_seconds = drain_timeout_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            metrics.READY.set(1)
            port = sockets[0].getsockname()[1] if sockets else self.config.port
            log(Ready(port, round((perf_counter() - self._began) * 1000, 1)))
            systemd.notify(systemd.READY)
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in order."""
        began = perf_counter()
        metrics.READY.set(0)
        systemd.notify(systemd.STOPPING)
        log(Stopping(len(self.server_state.connections)))
        self._ending()
        while self._drains(began):
            await asyncio.sleep(_LOOK)
        await super().shutdown(sockets)
        log(Stopped(round((perf_counter() - began) * 1000, 1)))

    def _drains(self, began: float) -> bool:
        in_time = perf_counter() - began < self._drain_seconds
        return in_time and bool(self.server_state.connections) and not self.force_exit


def exit_zero_on_sigterm() -> None:
    """Make SIGTERM end this process with code 0: before it serves, and again after it stopped serving.

    Meanwhile uvicorn handles it, and raises it anew in the end; by default that would kill the process,
    as if it had not stopped in order.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
