"""Operations that meet: none fails with an error of the hub's, and what was withdrawn or erased stays so.

The hub is served by two processes. Partners reach it over HTTP, each request on a new connection, so that
the kernel picks a process; the operator has the database open beside them, as the commands do.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from threading import Barrier
from typing import Any

import pytest
import requests
from attrs import field, frozen
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from sesame_sdk import InvalidInputError, RetryableError
from sesame_sdk.constants import JSON_MEDIA_TYPE, SET_MEDIA_TYPE
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.database.engine import read_transaction
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StreamRequest
from sesame_sdk.partner.notices import sign_notices_token
from sesame_sdk.signing.keys import SigningKey
from tests.conftest import NewDatabase
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, LONG_AGO, ORDER, Partner, new_hub, policy, weighting
from tests.hub.process import free_port, serving
from tests.hub.rights.test_erasure import everything

NAMES = ("ada", "bob")
#: Operations in progress at a time.
MAX_RUNNING = 4
YESTERDAY = timestamps.utc_now() - timedelta(days=1)
_numbers = count()


@frozen
class Site:
    """A hub that two processes serve, a shop that sends and reads, and its stream."""

    url: str
    hub: Hub
    shop: Partner
    stream: str

    def request(self, method: str, path: str, bearer: bytes | None = None, **body: Any) -> requests.Response:
        """Ask a process of the hub. An answer is a success, a refusal, or to be asked for again."""
        headers = {"Content-Type": SET_MEDIA_TYPE if bearer is None else JSON_MEDIA_TYPE}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer.decode()}"
        answer = requests.request(method, f"{self.url}{path}", headers=headers, timeout=60, **body)
        assert answer.status_code < 500 or answer.status_code == 503, (path, answer.status_code, answer.text)
        return answer


@frozen
class Crowd:
    """The people of one example, and what partners and the operator do about them."""

    site: Site
    number: int = field(factory=lambda: next(_numbers))
    keys: Iterator[int] = field(factory=count)

    def person(self, name: str) -> str:
        """Another one in each example."""
        return f"{name} {self.number}"

    def pseudonym(self, name: str) -> str:
        """The person's pseudonym at the shop."""
        return self.site.shop.pseudonym(self.person(name))

    def grant(self, name: str) -> None:
        """A person consents, perhaps again."""
        terms = {"reads": "retail", "given_at": YESTERDAY}
        self.site.hub.add_grants(self.site.shop.grants(self.person(name), ORDER, LATE, **terms))

    def withdraw(self, name: str) -> None:
        """A person withdraws every consent."""
        self.site.hub.withdraw_grants(self.person(name), self.site.shop.issuer)

    def erase(self, name: str) -> None:
        """A person is erased."""
        self.site.hub.rights.erase(self.person(name))

    def read(self, name: str) -> None:
        """The shop reads one score."""
        self.site.request("GET", f"/v1/scores/{self.pseudonym(name)}", self.site.shop.read_token())

    def read_both(self, _: str) -> dict[str, Any]:
        """The shop reads both scores in one request."""
        subjects = [self.pseudonym(name) for name in NAMES]
        token = self.site.shop.read_token()
        answer = self.site.request("POST", "/v1/scores/read", token, json={"subjects": subjects})
        return dict(zip(NAMES, map(answer.json().get("scores", {}).get, subjects), strict=True))

    def poll(self, _: str) -> None:
        """The shop polls its stream and its notices, and acknowledges."""
        shop, path = self.site.shop, f"/v1/ssf/poll/{self.site.stream}"
        self._poll(path, lambda: shop.stream_token())
        terms = {"issuer": shop.issuer, "audience": self.site.url}
        self._poll("/v1/notices/poll", lambda: sign_notices_token(shop.key, now=shop.clock(), **terms))

    def _poll(self, path: str, token: Callable[[], bytes]) -> None:
        answer = self.site.request("POST", path, token(), json={"returnImmediately": True})
        acknowledged = {"ack": list(answer.json().get("sets", {})), "maxEvents": 0}
        self.site.request("POST", path, token(), json=acknowledged)

    def send(self, _: str) -> None:
        """The shop sends an order of each person in one envelope."""
        self._send(self.site.shop, *(self._signal(name, next(self.keys)) for name in NAMES))

    def revoke(self, name: str) -> None:
        """A further key of the shop signs an order, and is revoked."""
        key = SigningKey.generate()
        self.site.hub.add_partner(self.site.shop.issuer, [key.public_jwk], not_before=LONG_AGO)
        self._send(self.site.shop.with_key(key), self._signal(name, next(self.keys)))
        self.site.hub.revoke_key(key.kid, LONG_AGO, issuer=self.site.shop.issuer)

    def dispute(self, name: str) -> None:
        """A person disputes the first signal, and the desk decides."""
        signal, rights = self._signal(name, NAMES.index(name)), self.site.hub.rights
        dispute = rights.open_dispute(self.person(name), self.site.shop.issuer, signal.id, "it was not mine")
        rights.decide(dispute.number, upheld=False, by="desk", reason="the slip shows it")

    def correct(self, name: str) -> None:
        """An operator replaces the pseudonym by one that nobody has, and puts it right again."""
        other = self.site.shop.pseudonym(f"{self.person(name)} {next(self.keys)}")
        for subject in (other, self.pseudonym(name)):
            self.site.hub.rights.correct_pseudonym(self.person(name), self.site.shop.issuer, subject)

    def _signal(self, name: str, number: int) -> Any:
        return self.site.shop.signal(self.person(name), f"{self.number} {number}", at=YESTERDAY)

    def _send(self, shop: Partner, *signals: Any) -> None:
        self.site.request("POST", "/v1/events", data=shop.seal(*signals))

    def check(self) -> None:
        """What must hold whenever no operation runs."""
        hub, known = self.site.hub, set(self.site.hub.list_people())
        scores = self.read_both("")
        for name in NAMES:
            grants = [grant for _, grant in hub.list_grants(self.person(name))]
            if not any(grant.purpose and grant.is_valid(timestamps.utc_now()) for grant in grants):
                assert scores[name] is None
            if self.person(name) not in known:
                rows = {table: rows for table, rows in everything(hub).items() if table != "notices"}
                del rows["envelopes"], rows["stream_subjects"]  # of these until the removal is delivered
                assert self.pseudonym(name) not in repr(rows)
        if hub._engine.dialect.name == "sqlite":
            with read_transaction(hub._engine) as connection:
                assert connection.execute(text("PRAGMA foreign_key_check")).all() == []

    def check_rebuild(self) -> None:
        """The ledger gives the same signals again."""
        rows = everything(self.site.hub)["signals"]
        self.site.hub.rebuild()
        assert everything(self.site.hub)["signals"] == rows


@contextmanager
def _expected_errors() -> Iterator[None]:
    try:
        yield
    except (InvalidInputError, RetryableError):  # refused, or to be repeated
        return


@pytest.fixture(scope="module")
def site(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On each database product in turn."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    path = new_hub(tmp_path_factory.mktemp("meet") / "hub", issuer=url, database=new_database())
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, LATES, reads=["retail"])
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        name = hub.stream_management.create(shop.stream_token(), StreamRequest())["stream_id"]
        with serving(path, port, workers=2):
            yield Site(url, hub, shop, name)


@pytest.mark.parametrize("action", ["erase", "withdraw", "dispute", "revoke", "correct"])
def test_reads_and_polls_meet_each_change(site: Site, action: str) -> None:
    """All begin at the same moment."""
    crowd = Crowd(site)
    for name in NAMES:
        crowd.grant(name)
    crowd.send("")
    barrier = Barrier(MAX_RUNNING)

    def begin(operation: str) -> None:
        barrier.wait(30)
        with _expected_errors():
            getattr(crowd, operation)("ada")

    with ThreadPoolExecutor(MAX_RUNNING) as threads:
        running = [threads.submit(begin, one) for one in (action, "read", "read_both", "poll")]
    for one in running:
        one.result()
    crowd.check()


class Operations(RuleBasedStateMachine):
    """Begins operations while others run, and checks what must hold when all have ended."""

    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.crowd, self.running = Crowd(self.site), list[Future[None]]()
        self.threads = ThreadPoolExecutor(MAX_RUNNING)
        for name in NAMES:
            self.crowd.grant(name)
        self.crowd.send("")

    def _begin(self, operation: Callable[[str], object], name: str) -> None:
        def run() -> None:
            with _expected_errors():
                operation(name)

        self.running.append(self.threads.submit(run))

    may_begin = precondition(lambda self: len(self.running) < MAX_RUNNING)
    names = st.sampled_from(NAMES)

    @may_begin
    @rule(name=names)
    def grant(self, name: str) -> None:
        """Consent."""
        self._begin(self.crowd.grant, name)

    @may_begin
    @rule(name=names)
    def withdraw(self, name: str) -> None:
        """Withdraw consent."""
        self._begin(self.crowd.withdraw, name)

    @may_begin
    @rule(name=names)
    def erase(self, name: str) -> None:
        """Erase a person."""
        self._begin(self.crowd.erase, name)

    @may_begin
    @rule(name=names, both=st.booleans())
    def read(self, name: str, both: bool) -> None:
        """Read scores."""
        self._begin(self.crowd.read_both if both else self.crowd.read, name)

    @may_begin
    @rule()
    def poll(self) -> None:
        """Poll a stream and notices."""
        self._begin(self.crowd.poll, "")

    @may_begin
    @rule()
    def send(self) -> None:
        """Send orders."""
        self._begin(self.crowd.send, "")

    @may_begin
    @rule(name=names)
    def dispute(self, name: str) -> None:
        """Dispute a signal."""
        self._begin(self.crowd.dispute, name)

    @may_begin
    @rule(name=names)
    def revoke(self, name: str) -> None:
        """Use a key and revoke it."""
        self._begin(self.crowd.revoke, name)

    @may_begin
    @rule(name=names)
    def correct(self, name: str) -> None:
        """Correct a pseudonym."""
        self._begin(self.crowd.correct, name)

    @precondition(lambda self: self.running)
    @rule()
    def wait(self) -> None:
        """Wait until nothing runs, and check."""
        running, self.running = self.running, []
        for one in running:
            one.result(120)
        self.crowd.check()

    def teardown(self) -> None:
        """The end of an example."""
        self.threads.shutdown()
        self.wait()
        self.crowd.check_rebuild()


#: Threads run in an order of their own: an example that failed may pass when it is repeated.
_ONCE: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("examples", "steps"), [(3, 12), pytest.param(20, 30, marks=pytest.mark.long)], ids=["quick", "deep"]
)
def test_whatever_meets_nothing_fails(site: Site, examples: int, steps: int) -> None:
    """Any operations, begun while up to three others run."""
    machine = type("OperationsAtSite", (Operations,), {"site": site})
    limits = settings(max_examples=examples, stateful_step_count=steps, **_ONCE)
    run_state_machine_as_test(machine, settings=limits)
