"""Whether a hub is alive, and whether it is ready.

Alive is a process that responds; restarting it is the fix if it does not. Ready is one that can process
requests: not while its database is down, and not while it stops. It does not listen before it is ready.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from attrs import define, field

from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.structured_log import log

#: Seconds for the database to respond.
CHECK_TIMEOUT_SECONDS = 2.0


class HealthState(StrEnum):
    """The readiness of a hub."""

    READY = "ready"
    STOPPING = "stopping"
    WRITER_DOWN = "the writer has stopped"
    DATABASE_DOWN = "the database does not respond"
    STREAMS_DOWN = "the worker of the score streams does not respond"


@define(eq=False)
class Health:
    """Checks one hub, from one event loop.

    Attributes:
        check: whether it can process requests; may raise.
        stopping: whether it is shutting down.
        streams_work: whether scores are computed for streams, and pushed.
    """

    check: Callable[[], bool]
    stopping: Callable[[], bool]
    streams_work: Callable[[], bool]
    _last: HealthState = HealthState.READY
    _thread: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, "sesame-hub-health"))
    _check_in_flight: "asyncio.Future[bool] | None" = None

    async def check_state(self) -> HealthState:
        """The current state; a change is logged."""
        state, error = await self._check()
        metrics.READY.set(state is HealthState.READY)
        if state is not self._last:
            self._last = state
            log.warning("readiness_changed", state=state, error=error)
        return state

    async def _check(self) -> tuple[HealthState, Exception | None]:
        if self.stopping():
            return HealthState.STOPPING, None
        # One check at a time: with a database that hangs, they would use up all threads.
        if self._check_in_flight is None or self._check_in_flight.done():
            self._check_in_flight = asyncio.get_running_loop().run_in_executor(self._thread, self.check)
        try:
            ready = await asyncio.wait_for(asyncio.shield(self._check_in_flight), CHECK_TIMEOUT_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hub is not ready
            return HealthState.DATABASE_DOWN, error
        if not ready:
            return HealthState.WRITER_DOWN, None
        return (HealthState.READY if self.streams_work() else HealthState.STREAMS_DOWN), None

    def close(self) -> None:
        """Stop checking."""
        self._thread.shutdown(wait=False, cancel_futures=True)
