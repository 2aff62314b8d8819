"""A hub as operators run it, with a hundred thousand people who agreed, and a shop that sends."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Self

import requests
from attrs import evolve, field, frozen

from sesame_sdk import (
    ConsumerDeclaration,
    Direction,
    Grant,
    Manifest,
    Policy,
    Pseudonymizer,
    Signal,
    SignalKind,
    Weighting,
)
from sesame_sdk.constants import SET_MEDIA_TYPE
from sesame_sdk.delivery.http_transport import Transport
from sesame_sdk.guard.purposes import PERSONALISED_BENEFITS
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import create_hub
from sesame_sdk.model.codec import manifest_digest, policy_digest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.model.policy import Band
from sesame_sdk.model.terms import Effect, Terms
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.score_reads import sign_read_token
from sesame_sdk.signing.envelopes import seal
from sesame_sdk.signing.jwt import sign_event
from sesame_sdk.signing.keys import SigningKey
from tests.hub.process import serving
from tests.ports import free_port
from tests.postgresql import running

PRODUCTS = ("sqlite", "postgresql")
PEOPLE, CONNECTIONS, WORKERS = 100_000, 32, 2
SHOP = "https://shop.example"
KIND = SignalKind("retail.order.completed", "order_kept")
PSEUDONYMIZER = Pseudonymizer(bytes(32))
START = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def new_database(product: str) -> Iterator[str]:
    """The URL of a ledger that is not there yet. PostgreSQL commits to the disk, as in production."""
    if product == "sqlite":
        yield "sqlite:///hub.sqlite"
        return
    with running(shared_buffers="512MB", max_wal_size="8GB", checkpoint_timeout="15min") as server:
        yield server.url(server.create())


@frozen
class FixtureHub:
    """A hub and its shop.

    Attributes:
        path: the hub's folder.
        url: where it is served.
        key: the shop's.
        subjects: the shop's pseudonyms of the people who agreed, by number.
    """

    path: Path
    url: str
    key: SigningKey
    subjects: Sequence[str] = field(repr=False)

    @contextmanager
    def serving(self, workers: int = WORKERS) -> Iterator[BaseProcess]:
        """The hub as processes of its own, once it answers."""
        port = int(self.url.rpartition(":")[2])
        with serving(self.path, port, workers=workers, log_level="error") as process:
            yield process

    @contextmanager
    def client(self, folder: Path) -> Iterator[Client]:
        """The shop's. Without gzip, which costs more time on loopback than it saves."""
        transport = Transport(self.url, pool_size=CONNECTIONS, min_gzip_bytes=None)
        outbox = folder / "outbox.sqlite"
        with Client(issuer=SHOP, hub=self.url, signer=self.key, outbox=outbox, transport=transport) as client:
            client.register(_manifest())
            yield client


class Caller:
    """A partner that sends one signal and reads one score at a time, over one connection."""

    def __init__(self, hub: FixtureHub) -> None:
        self.hub, self.session = hub, requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def send(self, subject: str, name: str) -> None:
        """Send a signal about a subject, and wait for the acknowledgement."""
        at = datetime.now(UTC)
        signal = Signal(PSEUDONYMIZER.signal_id(KIND.name, name, at), subject, KIND.name, 1.0, at)
        token = seal([signal], self.hub.key, issuer=SHOP, audience=self.hub.url, now=at)
        self.ask("POST", "/v1/events", 202, data=token, headers={"Content-Type": SET_MEDIA_TYPE})

    def read(self, subject: str) -> object:
        """The score of a subject."""
        headers = {"Authorization": f"Bearer {read_token(self.hub, SHOP, self.hub.key)}"}
        return self.ask("GET", f"/v1/scores/{subject}", 200, headers=headers).json()["score"]

    def ask(self, method: str, path: str, status: int, **options: Any) -> requests.Response:  # noqa: ANN401
        """The answer to a request, which must have this status."""
        answer = self.session.request(method, self.hub.url + path, timeout=120, **options)
        assert answer.status_code == status, answer.text
        return answer


def read_token(hub: FixtureHub, issuer: str, key: SigningKey) -> str:
    """A token for one read of the retail score."""
    terms = {"purpose": PERSONALISED_BENEFITS, "context": "retail", "now": datetime.now(UTC)}
    return sign_read_token(key, issuer=issuer, audience=hub.url, **terms).decode()  # type: ignore[arg-type]


def seconds_of(work: Callable[[], object]) -> float:
    """How long work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p99(seconds: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(seconds, n=100)[98]


def register(hub: FixtureHub, issuer: str, key: SigningKey) -> None:
    """Register the manifest of the fixture for another partner of a hub that is served."""
    token = sign_event(
        EventType.REGISTRATION, _manifest(), key, issuer=issuer, audience=hub.url, now=datetime.now(UTC)
    )
    headers = {"Content-Type": SET_MEDIA_TYPE}
    requests.post(f"{hub.url}/v1/events", data=token, headers=headers, timeout=60).raise_for_status()


@contextmanager
def create_fixture_hub(product: str, *, people: int = PEOPLE, reads: bool = False) -> Iterator[FixtureHub]:
    """A hub over one database product, where everybody lets the shop send, and read if `reads`."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = f"http://127.0.0.1:{free_port()}"
        database_url = stack.enter_context(new_database(product))
        path = create_hub(folder / "hub", issuer=url, database=database_url).path
        with (path / "hub.toml").open("a", encoding="utf-8") as file:
            file.write("partner_rate = 0\n")
        key = SigningKey.generate()
        pseudonyms = subjects(people)
        with Hub.open(path) as hub:
            hub.add_partner(SHOP, [key.public_jwk], not_before=START)
            hub.add_grants((who, grant) for who in pseudonyms for grant in grants(who, reads=reads))
            if reads:
                hub.set_policy(policy())
        yield FixtureHub(path, url, key, pseudonyms)


def subjects(people: int) -> list[str]:
    """The shop's pseudonyms of so many people."""
    return [PSEUDONYMIZER.pseudonym(f"customer {number}") for number in range(people)]


def make_signals(site: FixtureHub, first: int, last: int) -> list[Signal]:
    """In the order of time, each about somebody at random."""
    drawn = []
    for number in range(first, last):
        at = START + timedelta(seconds=2 * number)
        who = site.subjects[person_of(number, len(site.subjects))]
        drawn.append(Signal(PSEUDONYMIZER.signal_id(KIND.name, str(number), at), who, KIND.name, 1.0, at))
    return drawn


def person_of(number: int, people: int = PEOPLE) -> int:
    """The number of the person that a signal is about."""
    return Random(number).randrange(people)


def send_all(client: Client, some: list[Signal]) -> None:
    """Post in one thread and deliver in another, as a partner with a stream of events does."""
    accepted = 0
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(client.post, some)
        while accepted < len(some):
            posted = posting.done()
            delivery = client.deliver(concurrency=CONNECTIONS)
            accepted += delivery.accepted
            assert not delivery.dead, delivery
            assert accepted == len(some) or not posted, delivery
    posting.result()


def policy() -> Policy:
    """Of the retail score: ten kinds of reward would be no slower, since people have what they have."""
    without_digest = Policy(
        *("retail-bench", 1, "retail", 500.0, 350.0, 950.0, (Band("fair", 350.0), Band("good", 550.0))),
        weightings=(Weighting(KIND, 1.0, 0.0, 100.0, 80.0, half_life_days=180.0, expires_days=730.0),),
        purposes=(PERSONALISED_BENEFITS,),
        disputes="https://hub.example/disputes",
        terms=Terms(effects=(Effect("free_returns", "good"),)),
    )
    return evolve(without_digest, digest=policy_digest(without_digest))


def grants(who: str, partner: str = SHOP, *, reads: bool) -> Iterator[Grant]:
    """The consent of one person to a partner."""
    yield Grant(partner, who, Direction.SEND, START, (KIND.name,), adult=True)
    if reads:
        reading = {"purpose": PERSONALISED_BENEFITS, "context": "retail"}
        yield Grant(partner, who, Direction.READ, START, adult=True, **reading)


def _manifest() -> Manifest:
    reader = ConsumerDeclaration("bench-reader", PERSONALISED_BENEFITS, "retail")
    without_digest = Manifest("sesame-bench", "1.0", "1.0", (KIND,), (reader,))
    return evolve(without_digest, digest=manifest_digest(without_digest))
