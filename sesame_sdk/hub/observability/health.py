"""Whether a hub lives, and whether it is ready for work: two questions, asked by two kinds of watchers.

Alive is a process that answers at all; restarting it is the mend. Ready is one that can do its work, and
should be sent some: not while its database is away, and not while it stops. Nobody listens before it is
ready for the first time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from attrs import define, field

from sesame_sdk.hub.observability import metrics
from sesame_sdk.hub.observability.log_events import ReadyChanged
from sesame_sdk.hub.observability.safe_values import fault, word
from sesame_sdk.hub.observability.structured_log import log

#: Seconds that the ledger may take to answer. One that hangs is away.
CHECK_TIMEOUT_SECONDS = 2.0


class HealthState(StrEnum):
    """What a hub is ready for."""

    READY = "ready"
    STOPPING = "stopping"
    WRITER_DOWN = "the writer takes no work"
    DATABASE_DOWN = "the ledger does not answer"


@define(eq=False)
class Health:
    """Asks one hub, from one event loop.

    Attributes:
        check: whether it can do its work; may raise.
        stopping: whether it was told to stop.
    """

    check: Callable[[], bool]
    stopping: Callable[[], bool]
    _last: HealthState = HealthState.READY
    _thread: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, "sesame-hub-health"))
    _asked: "asyncio.Future[bool] | None" = None

    async def check_state(self) -> HealthState:
        """The state now, logged where it is another than before."""
        state, error = await self._look()
        metrics.READY.set(state is HealthState.READY)
        if state is not self._last:
            self._last = state
            log(ReadyChanged(word(state), fault(error) if error else ()))
        return state

    async def _look(self) -> tuple[HealthState, Exception | None]:
        if self.stopping():
            return HealthState.STOPPING, None
        # One question at a time: those to a ledger that hangs would use up every thread there is.
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(self._thread, self.check)
        try:
            good = await asyncio.wait_for(asyncio.shield(self._asked), CHECK_TIMEOUT_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the hub cannot work
            return HealthState.DATABASE_DOWN, error
        return (HealthState.READY if good else HealthState.WRITER_DOWN), None

    def close(self) -> None:
        """Ask no more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
