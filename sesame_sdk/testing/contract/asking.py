"""How a contract asks: skips what cannot be asked, and fails with a line for each fault."""

from collections.abc import Iterable
from typing import ClassVar

import pytest

from sesame_sdk.testing.contract.plugin_under_test import Tested

#: Faults of one test that are shown.
MOST_SHOWN = 20


class OfPlugin:
    """What the parts of a plugin's contract share."""

    tested: ClassVar[Tested]


def ask_if(why_not: str) -> None:
    """Skip the test, and say why, if there is a reason not to ask."""
    if why_not:
        pytest.skip(why_not)


def hold(faults: Iterable[str]) -> None:
    """Fail the test if there is a fault; empty ones are none."""
    found = list(dict.fromkeys(fault for fault in faults if fault))
    more = [f"and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
    if found:
        pytest.fail("\n".join([*found[:MOST_SHOWN], *more]), pytrace=False)
