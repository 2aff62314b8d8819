"""What bulk work changes in the whole process is as it was when it ends."""

import gc
import sys

import pytest

from sesame_sdk import bulk_mode


def test_bulk_mode_restores_the_process() -> None:
    """Within, garbage is looked for seldom and threads take short turns; after it not, though it failed."""
    before = gc.get_threshold(), sys.getswitchinterval()
    with bulk_mode():
        assert gc.get_threshold()[0] > before[0][0]
        assert sys.getswitchinterval() < before[1]
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
    with pytest.raises(ZeroDivisionError), bulk_mode():
        raise ZeroDivisionError
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
