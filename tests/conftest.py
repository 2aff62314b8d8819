"""Fixtures that more than one room's tests use."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from sesame_sdk import Identity, Signal

# A deadline for each example is a timed test, and machines are busy. pytest-timeout ends what hangs.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data and vectors; CI always has it."""
    if not SHARED.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} must be there in CI")
        pytest.skip(f"needs the real data in {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def identity() -> Identity:
    """A partner's identity with a fixed secret, so that ids can be compared across tests."""
    return Identity(b"a secret of thirty-two bytes....")


@pytest.fixture
def make_signal(identity: Identity):  # noqa: ANN201
    """Build a valid signal; what a test does not care about is filled in."""

    def make(
        key: str = "1", *, subject: str = "ada", kind: str = "retail.order.completed", value: float = 1.0
    ) -> Signal:
        return Signal(identity.signal_id(kind, key, NOON), identity.pseudonym(subject), kind, value, NOON)

    return make
