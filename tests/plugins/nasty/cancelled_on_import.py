"""Way of failing: is cancelled on import."""

import asyncio

raise asyncio.CancelledError
