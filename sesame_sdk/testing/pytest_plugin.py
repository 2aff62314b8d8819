"""The fixtures that pytest finds wherever this SDK is installed. Nothing is imported before one is used."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sesame_sdk.testing.hub import LocalHub


@pytest.fixture
def sesame_hub(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalHub]":
    """A new hub in this process: see `sesame_sdk.testing.LocalHub`."""
    from sesame_sdk import testing

    with testing.LocalHub(tmp_path_factory.mktemp("sesame-hub")) as hub:
        yield hub
