"""What bulk work changes in the whole process is as it was when it ends."""

import gc
import sys

import pytest
from sesame_retail.sending import in_bulk


def test_bulk_work_leaves_the_process_as_it_was() -> None:
    """Within, garbage is looked for seldom and threads take short turns; after it not, though it failed."""
    before = gc.get_threshold(), sys.getswitchinterval()
    with in_bulk():
        assert gc.get_threshold()[0] > before[0][0]
        assert sys.getswitchinterval() < before[1]
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
    with pytest.raises(ZeroDivisionError), in_bulk():
        raise ZeroDivisionError
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
