"""Fixtures that the tests of several packages use."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import define, field
from hypothesis import settings

from sesame_sdk import Pseudonymizer, Signal
from tests import postgresql as servers

# A deadline for each example is a timed test, and machines are busy. pytest-timeout ends what hangs.
# make test draws few examples of each property, make long many: HYPOTHESIS_PROFILE=thorough.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

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


@pytest.fixture(scope="session")
def database_pool(postgresql: servers.Server, empty_ledger: str) -> servers.DatabasePool:
    """Empty ledgers in PostgreSQL."""
    return servers.DatabasePool(postgresql, empty_ledger)


@define
class NewDatabase:
    """Gives URLs of new ledgers, which are the module's until they are given back or it ends."""

    pool: servers.DatabasePool | None
    urls: list[str] = field(factory=list)

    def __call__(self) -> str:
        """A new ledger."""
        if self.pool is None:
            return "sqlite:///hub.sqlite"
        self.urls.append(self.pool.take())
        return self.urls[-1]

    def give_back(self, url: str) -> None:
        """Let another test use a ledger."""
        if self.pool is not None:
            self.urls.remove(url)
            self.pool.give_back(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Gives new ledgers, on each database product in turn."""
    made = NewDatabase(request.getfixturevalue("database_pool") if request.param == "postgresql" else None)
    yield made
    for url in list(made.urls):
        made.give_back(url)


@pytest.fixture
def database(new_database: NewDatabase) -> Iterator[str]:
    """The URL of a new ledger."""
    url = new_database()
    yield url
    new_database.give_back(url)


@pytest.fixture(scope="session")
def pseudonymizer() -> Pseudonymizer:
    """A partner's pseudonymizer with a fixed secret, so that ids can be compared across tests."""
    return Pseudonymizer(b"a secret of thirty-two bytes....")


@pytest.fixture
def make_signal(pseudonymizer: Pseudonymizer):  # noqa: ANN201
    """Build a valid signal; what a test does not care about is filled in."""

    def make(
        key: str = "1", *, subject: str = "ada", kind: str = "retail.order.completed", value: float = 1.0
    ) -> Signal:
        return Signal(
            pseudonymizer.signal_id(kind, key, NOON), pseudonymizer.pseudonym(subject), kind, value, NOON
        )

    return make
