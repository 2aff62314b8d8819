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
from tests.ports import free_port


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    """The same in every test."""
    made = Population(tmp_path_factory.mktemp("population"), free_port())
    made.key.save(made.key_path)
    made.found(made.folder / "template", "sqlite:///hub.sqlite")
    return made


@pytest.fixture(scope="session")
def population_in_postgresql(population: Population, postgresql: servers.Server) -> str:
    """The name of a database that holds the same, to be copied."""
    name = postgresql.create()
    population.found(population.folder / "template-postgresql", postgresql.url(name))
    return name


@define
class Site:
    """A hub's folder, and a client's.

    Attributes:
        population: where it is.
        path: the hub's folder.
        home: the client's folder.
    """

    population: Population
    path: Path
    home: Path

    @property
    def key(self) -> SigningKey:
        """The shop's."""
        return self.population.key

    def serving(self, *, port: int | None = None, **flags: object) -> Any:
        """The hub as processes of its own, at its address, or behind something that stands there."""
        return running_hub(self.path, port or self.population.port, **flags)

    def sender(self, stop: int) -> Sender:
        """A client that posts and delivers the first so many signals."""
        return Sender(self.population.url, self.population.key_path, self.home, stop)

    def check_nothing_lost(self, posted: int) -> None:
        """See `oracle`. To be asked while neither writes."""
        told = signals(0, posted)
        check_nothing_lost(self.path, SHOP, self.key, self.home / "outbox.sqlite", told)

    def check(self, said: int) -> None:
        """The oracle's last word: the first `said` signals came through, as if nothing had happened."""
        self.check_nothing_lost(said)
        check_as_without_faults(self.path, self.population.expected(said))
        if (self.path / "log").exists():
            check_log(self.path / "log")


@pytest.fixture
def new_site(
    population: Population, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Site]]:
    """Makes the site of a test over a database product, in folders of its own or others."""
    with ExitStack() as stack:

        def make(product: str, *, path: Path | None = None, home: Path | None = None) -> Site:
            path, home = path or tmp_path / "hub", home or tmp_path / "client"
            home.mkdir(exist_ok=True)
            database = "sqlite:///hub.sqlite"
            if product == "postgresql":
                server: servers.Server = request.getfixturevalue("postgresql")
                name = server.create(request.getfixturevalue("population_in_postgresql"))
                stack.callback(server.drop, name)
                database = server.url(name)
            create_hub(path, issuer=population.url, database=database, as_of=DAY)
            if product == "sqlite":
                shutil.copy(population.folder / "template" / "hub.sqlite", path)
            return Site(population, path, home)

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, new_site: Callable[..., Site]) -> Site:
    """On each database product in turn."""
    return new_site(request.param)
