"""What `sesame_sdk` offers."""

import subprocess
import sys

import pytest

import sesame_sdk


@pytest.mark.parametrize("name", sesame_sdk.__all__)
def test_whatever_is_offered_is_there(name: str) -> None:
    """The names that are fetched late, too."""
    assert getattr(sesame_sdk, name) is not None


def test_what_is_not_offered_is_not_there() -> None:
    """With Python's own error."""
    with pytest.raises(AttributeError, match="has no attribute 'ScoreBok'"):
        _ = sesame_sdk.ScoreBok


def test_importing_it_loads_neither_numpy_nor_a_network_library() -> None:
    """A plugin that does not use them does not load them."""
    asked = "import sys, sesame_sdk; print({'numpy', 'requests', 'sqlite3', 'joserfc'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
