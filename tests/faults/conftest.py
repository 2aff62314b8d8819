"""A population for the whole run, and for each test a hub of its own in it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import define

from sesame_sdk.hub.settings import create_hub
from sesame_sdk.signing.keys import SigningKey
from tests import postgresql as servers
from tests.faults.fixture_population import DAY, SHOP, Population, signals
from tests.faults.oracle import check_as_without_faults, check_log, check_nothing_lost
from tests.faults.processes import Sender, running_hub
from tests.hub.fixtures import allow_pushes_to_loopback
from tests.ports import free_port


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """The same in every test."""
    made = Population(tmp_path_factory.mktemp("population"), free_port())
    made.key.save(made.key_path)
    made.create(made.folder / "template", "sqlite:///hub.sqlite")
    return made


@pytest.fixture(scope="session")
def population_in_postgresql(population: Population, postgresql: servers.Server) -> str:
    """The name of a database that holds the same, to be copied."""
    name = postgresql.create()
    population.create(population.folder / "template-postgresql", postgresql.url(name))
    return name


@define
class Deployment:
    """A hub's folder, and a client's.

    Attributes:
        population: where it is.
        path: the hub's folder.
        client_folder: the client's folder.
    """

    population: Population
    path: Path
    client_folder: Path

    @property
    def key(self) -> SigningKey:
        """The shop's."""
        return self.population.key

    def serving(self, *, port: int | None = None, **flags: object) -> Any:
        """The hub as processes of its own, at its address, or behind something that stands there."""
        return running_hub(self.path, port or self.population.port, **flags)

    def sender(self, stop: int) -> Sender:
        """A client that posts and delivers the first so many signals."""
        return Sender(self.population.url, self.population.key_path, self.client_folder, stop)

    def check_nothing_lost(self, posted: int) -> None:
        """See `oracle`. To be asked while neither writes."""
        posted_signals = signals(0, posted)
        check_nothing_lost(self.path, SHOP, self.key, self.client_folder / "outbox.sqlite", posted_signals)

    def check(self, count: int) -> None:
        """The first `count` signals came through, exactly as without faults."""
        self.check_nothing_lost(count)
        check_as_without_faults(self.path, self.population.expected(count))
        if (self.path / "log").exists():
            check_log(self.path / "log")


@pytest.fixture
def new_deployment(
    population: Population, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Deployment]]:
    """Makes a test's deployment over a database product, in folders of its own or in given ones."""
    with ExitStack() as stack:

        def make(product: str, *, path: Path | None = None, client_folder: Path | None = None) -> Deployment:
            path, client_folder = path or tmp_path / "hub", client_folder or tmp_path / "client"
            client_folder.mkdir(exist_ok=True)
            database = "sqlite:///hub.sqlite"
            if product == "postgresql":
                server: servers.Server = request.getfixturevalue("postgresql")
                name = server.create(request.getfixturevalue("population_in_postgresql"))
                stack.callback(server.drop, name)
                database = server.url(name)
            create_hub(path, issuer=population.url, database=database, as_of=DAY)
            allow_pushes_to_loopback(path)
            if product == "sqlite":
                shutil.copy(population.folder / "template" / "hub.sqlite", path)
            return Deployment(population, path, client_folder)

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, new_deployment: Callable[..., Deployment]) -> Deployment:
    """On each database product in turn."""
    return new_deployment(request.param)
