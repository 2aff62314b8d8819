"""How the two hubs are opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.testing import MemoryHub
from sesame_sdk.testing.any_hub import AnyHub
from sesame_sdk.testing.hub_stage import HUB


@contextmanager
def in_memory(_: Path, clock: Callable[[], datetime]) -> Iterator[AnyHub]:
    """The one that plugin authors test with."""
    yield MemoryHub(HUB, clock=clock)


@contextmanager
def on_disk(folder: Path, clock: Callable[[], datetime]) -> Iterator[AnyHub]:
    """The one that runs."""
    with Hub.open(create_hub(folder / "hub", issuer=HUB).path, clock=clock) as hub:
        yield hub
