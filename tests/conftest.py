"""Fixtures that more than one room's tests use."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from sesame_sdk import Pseudonymizer, Signal
from tests import postgresql as servers

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
def postgresql() -> Iterator[servers.Server]:
    """A PostgreSQL of this run's own."""
    with servers.running(**servers.FAST) as server:
        yield server


@pytest.fixture(scope="session")
def empty_ledger(postgresql: servers.Server) -> str:
    """A database that has a ledger's tables and nothing in them, to be copied."""
    from sesame_sdk.hub.database.engine import open_engine

    name = postgresql.create()
    open_engine(postgresql.url(name)).dispose()
    return name


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Gives the URL of a new ledger, on each database product in turn."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield lambda: "sqlite:///hub.sqlite"
            return
        server: servers.Server = request.getfixturevalue("postgresql")
        template: str = request.getfixturevalue("empty_ledger")

        def copied() -> str:
            name = server.create(template)
            stack.callback(server.drop, name)
            return server.url(name)

        yield copied


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """The URL of a new ledger."""
    return new_database()


@pytest.fixture(scope="session")
def identity() -> Pseudonymizer:
    """A partner's identity with a fixed secret, so that ids can be compared across tests."""
    return Pseudonymizer(b"a secret of thirty-two bytes....")


@pytest.fixture
def make_signal(identity: Pseudonymizer):  # noqa: ANN201
    """Build a valid signal; what a test does not care about is filled in."""

    def make(
        key: str = "1", *, subject: str = "ada", kind: str = "retail.order.completed", value: float = 1.0
    ) -> Signal:
        return Signal(identity.signal_id(kind, key, NOON), identity.pseudonym(subject), kind, value, NOON)

    return make
