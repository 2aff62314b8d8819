"""A score store that a real hub updates over HTTP: pushed and polled, killed and started again."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
import uvicorn
from attrs import define, field
from sqlalchemy import func, select

from sesame_sdk import Score
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.database.tables import rate_limits
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.streams.streams import StatusRequest
from sesame_sdk.model.envelope import EventType
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.score_store.store import ScoreStore
from sesame_sdk.partner.score_store.subscriber import StreamSubscriber
from sesame_sdk.signing.jwt import SET_TYP, Token
from sesame_sdk.signing.keys import Trust, TrustedKey
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import BENEFITS, LATE, LONG_AGO, ORDER, Partner, manifest, new_hub, policy, weighting
from tests.hub.process import free_port, serving

pytestmark = pytest.mark.long

YESTERDAY = timestamps.utc_now() - timedelta(days=1)
PEOPLE = [f"person {number}" for number in range(60)]
_DEADLINE = 20.0
_FOLLOW = """
import sys
from pathlib import Path
from threading import Event
from sesame_sdk.partner.score_store.subscriber import StreamSubscriber
from sesame_sdk.partner.config import PartnerConfig
config, store, purpose = sys.argv[1:]
config = PartnerConfig.load(Path(config))
with StreamSubscriber.from_config(config, Path(store), purpose=purpose, context="retail") as follower:
    follower.run(Event())
"""


def wait_until(holds: Callable[[], bool], *, seconds: float = _DEADLINE) -> float:
    """Look again and again until something holds; how many seconds that took."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"does not hold after {seconds:g} s")
        threading.Event().wait(0.01)
    return time.monotonic() - started


@define
class Deployment:
    """A hub's ledger opened by its operator, its address, and a reader that has a folder of its own."""

    url: str
    port: int
    hub: Hub
    reader: Partner
    config: PartnerConfig
    folder: Path
    issuer: str
    sent: int = 0
    stack: ExitStack = field(factory=ExitStack)

    def serve(self) -> Any:
        """The hub as a process, until the block ends."""
        return serving(self.hub.settings.path, self.port)

    def agree(self, *persons: str, given_at: Any = YESTERDAY) -> None:
        """These people agree to all."""
        consents = [
            self.reader.grants(who, ORDER, LATE, reads="retail", given_at=given_at) for who in persons
        ]
        self.hub.add_grants(grant for grants in consents for grant in grants)

    def buy(self, *persons: str) -> None:
        """Each buys something new."""
        self.sent += 1
        self.reader.send(
            *(self.reader.signal(person, f"{person} {self.sent}", at=YESTERDAY) for person in persons)
        )

    def pseudonyms(self) -> list[str]:
        """Of all people."""
        return [self.reader.pseudonym(person) for person in PEOPLE]

    def truth(self) -> dict[str, Score | None]:
        """What the hub answers when it is asked."""
        return dict(zip(self.pseudonyms(), self.reader.read(*PEOPLE), strict=True))

    def budget_spent(self) -> int:
        """Grows with every request that the hub has begun to work on."""
        with self.hub.streams.engine.connect() as connection:
            return connection.scalar(select(func.max(rate_limits.c.theoretical_arrival_ns))) or 0

    def follower(self, **settings: Any) -> StreamSubscriber:
        """Keeps the store up to date from this process."""
        made = StreamSubscriber.from_config(
            self.config, self.folder / "store.sqlite", purpose=BENEFITS, context="retail", **settings
        )
        return self.stack.enter_context(made)


@pytest.fixture
def deployment(tmp_path: Path, database: str) -> Iterator[Deployment]:
    """A hub with a policy, which is not served yet, and a reader that also sends."""
    port, inbox = free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{inbox}"
    path = new_hub(tmp_path / "hub", issuer=url, database=database)
    with (path / "hub.toml").open("a", encoding="utf-8") as file:
        file.write("heartbeat_interval_seconds = 1\n")
    config = PartnerConfig.create(tmp_path / "reader", issuer=issuer, hub=url)
    with Hub.open(path) as hub:
        reader = Partner(issuer, hub, timestamps.utc_now, key=config.signer)
        hub.add_partner(issuer, [config.signer.public_jwk], not_before=LONG_AGO)
        reader.register(manifest(ORDERS, LATES, reads=["retail"]))
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        made = Deployment(url, port, hub, reader, config, tmp_path, issuer)
        with made.stack:
            yield made


@contextmanager
def following(follower: StreamSubscriber) -> Iterator[None]:
    """A thread that polls."""
    stop = threading.Event()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(40)
        assert not thread.is_alive()


@contextmanager
def listening(follower: StreamSubscriber, port: int) -> Iterator[None]:
    """The inbox's application, served for pushes."""
    config = uvicorn.Config(follower.inbox.app, port=port, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join(30)


def push_to(deployment: Deployment) -> str:
    """Where the reader's inbox is."""
    return f"{deployment.issuer}/inbox"


def a_withdrawal_leaves_the_store_and_the_pages(deployment: Deployment, store: ScoreStore) -> None:
    """Of everybody who leaves, one after the other, the slowest took less than a second."""
    ada = deployment.pseudonyms()[0]
    pages = dict.fromkeys(deployment.pseudonyms(), "a page with this person")
    store.on_removal(lambda gone: [pages.pop(who) for who in (gone or list(pages)) if who in pages] and None)
    wait_until(lambda: store.scores([ada])[ada] is not None)
    slowest = 0.0
    for person in PEOPLE[:5]:
        who = deployment.reader.pseudonym(person)
        assert store.scores([who])[who] is not None
        deployment.hub.withdraw_grants(person, deployment.issuer)
        slowest = max(slowest, wait_until(lambda who=who: store.scores([who])[who] is None))  # type: ignore[misc]
        assert who not in pages
    assert slowest < 1.0
    assert pages


def test_a_withdrawal_leaves_a_polled_store_within_a_second(deployment: Deployment) -> None:
    """By an operator's command beside the serving hub; pages with the person go at the same time."""
    deployment.agree(*PEOPLE)
    deployment.buy(*PEOPLE)
    follower = deployment.follower()
    with deployment.serve(), following(follower):
        wait_until(lambda: follower.store.scores(deployment.pseudonyms()) == deployment.truth())
        a_withdrawal_leaves_the_store_and_the_pages(deployment, follower.store)


def test_a_withdrawal_leaves_a_pushed_store_within_a_second(deployment: Deployment) -> None:
    """The same where the hub pushes, and shows the token that it was given."""
    deployment.agree(*PEOPLE)
    deployment.buy(*PEOPLE)
    follower = deployment.follower()
    with deployment.serve(), listening(follower, int(deployment.issuer.rpartition(":")[2])):
        follower.ensure_stream(push_to=push_to(deployment), bearer="a-token-for-pushes")
        wait_until(lambda: follower.store.scores(deployment.pseudonyms()) == deployment.truth())
        a_withdrawal_leaves_the_store_and_the_pages(deployment, follower.store)
        (listed,) = deployment.hub.streams.list_streams()
        assert listed["dead"] == 0


def test_a_pushed_stream_that_the_hub_lost_is_made_anew(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscriber to a pushed stream checks it repeatedly; the store is refilled with the new stream."""
    monkeypatch.setattr("sesame_sdk.partner.score_store.subscriber._CHECK_SECONDS", 0.1)
    deployment.agree("person 0")
    deployment.buy("person 0")
    follower, stop = deployment.follower(), threading.Event()
    who = deployment.reader.pseudonym("person 0")
    options = {"push_to": push_to(deployment), "bearer": "a-token-for-pushes"}
    thread = threading.Thread(target=follower.run, args=(stop,), kwargs=options)
    with deployment.serve(), listening(follower, int(deployment.issuer.rpartition(":")[2])):
        thread.start()
        try:
            wait_until(lambda: follower.store.scores([who])[who] is not None)
            assert follower.inbox.bearer == "a-token-for-pushes"
            (first,) = deployment.hub.streams.list_streams()
            bearer = {"Authorization": f"Bearer {deployment.reader.stream_token().decode()}"}
            at = f"{deployment.url}/v1/ssf/stream?stream_id={first['stream_id']}"
            assert requests.delete(at, headers=bearer, timeout=30).status_code == 204
            wait_until(lambda: follower.store.state.stream not in ("", first["stream_id"]))
            wait_until(lambda: follower.store.scores([who])[who] is not None)
        finally:
            stop.set()
            thread.join(40)
    assert len(deployment.hub.streams.list_streams()) == 1


def test_a_store_killed_at_any_time_ends_equal_to_the_hub(deployment: Deployment) -> None:
    """Hub and consumer are killed again and again while people come, buy, leave and come back."""
    dice = Random(7)  # noqa: S311 - not a secret
    command = [sys.executable, "-W", "error", "-c", _FOLLOW]
    command += [str(deployment.config.path), str(deployment.folder / "store.sqlite"), BENEFITS]
    deployment.agree(*PEOPLE[:40])
    for _ in range(3):
        with serving_until_killed(deployment), killed_in_the_end(command):
            for _ in range(4):
                some = dice.sample(PEOPLE, 12)
                deployment.agree(*some, given_at=timestamps.utc_now())
                deployment.buy(*some)
                for person in dice.sample(PEOPLE, 3):
                    deployment.hub.withdraw_grants(person, deployment.issuer)
                threading.Event().wait(dice.uniform(0.0, 0.3))
    follower = deployment.follower()
    with deployment.serve(), following(follower):
        wait_until(lambda: follower.store.scores(deployment.pseudonyms()) == deployment.truth())
        assert any(deployment.truth().values())
        assert not all(deployment.truth().values())


@contextmanager
def serving_until_killed(deployment: Deployment) -> Iterator[None]:
    """A hub that answers, and then dies."""
    with deployment.serve() as process:
        yield
        process.kill()
        process.join(_DEADLINE)


@contextmanager
def killed_in_the_end(command: list[str]) -> Iterator[None]:
    """A process that dies."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        yield
        assert process.poll() is None
        process.kill()
        process.communicate(timeout=_DEADLINE)


def test_a_store_without_its_hub_becomes_stale(deployment: Deployment) -> None:
    """The hub's heartbeats keep the store valid; without them no score is used any more."""
    deployment.agree("person 0")
    deployment.buy("person 0")
    follower = deployment.follower(stale_after=timedelta(seconds=4))
    who = deployment.reader.pseudonym("person 0")
    with following(follower):
        with deployment.serve():
            wait_until(lambda: follower.store.scores([who])[who] is not None)
            heard = follower.store.state.last_message_at
            wait_until(lambda: follower.store.state.last_message_at != heard)
            assert not follower.store.state.stale
        wait_until(lambda: follower.store.state.stale)
        assert follower.store.scores([who]) == {who: None}
        assert follower.store.state.subject_count == 1
        with deployment.serve():
            wait_until(lambda: follower.store.scores([who])[who] is not None, seconds=40)


def test_a_lost_store_is_refilled(deployment: Deployment) -> None:
    """The hub has sent a stream everything; a store that does not know the stream begins another."""
    deployment.agree("person 0")
    deployment.buy("person 0")
    who = deployment.reader.pseudonym("person 0")
    with deployment.serve():
        for _ in range(2):
            with deployment.follower() as follower, following(follower):
                wait_until(lambda f=follower: f.store.scores([who])[who] is not None)  # type: ignore[misc]
            for file in deployment.folder.glob("store.sqlite*"):
                file.unlink()
        assert len(deployment.hub.streams.list_streams()) == 1


def test_a_plain_poll_by_hand(deployment: Deployment) -> None:
    """RFC 8936 with nothing of ours but the token: configuration, stream, status, poll, ack, setErrs."""
    deployment.agree("person 0")
    deployment.buy("person 0")

    def ask(method: str, url: str, **other: Any) -> requests.Response:
        bearer = {"Authorization": f"Bearer {deployment.reader.stream_token().decode()}"}
        return requests.request(method, url, headers=bearer, timeout=30, **other)

    with deployment.serve():
        metadata = requests.get(f"{deployment.url}/.well-known/ssf-configuration", timeout=30).json()
        assert (metadata["spec_version"], metadata["issuer"]) == ("1_0", deployment.url)
        at = metadata["configuration_endpoint"]
        assert ask("GET", at).json() == []
        answer = ask("POST", at, json={"delivery": {"method": "urn:ietf:rfc:8936"}})
        assert answer.status_code == 201
        made = answer.json()
        assert ask("POST", at, json={}).status_code == 409
        assert ask("GET", f"{at}?stream_id={made['stream_id']}").json() == made
        assert ask("GET", f"{at}?stream_id=none").status_code == 404
        status = ask("GET", f"{metadata['status_endpoint']}?stream_id={made['stream_id']}").json()
        assert status == {"stream_id": made["stream_id"], "status": "enabled"}

        poll = made["delivery"]["endpoint_url"]
        keys = requests.get(metadata["jwks_uri"], timeout=30).json()["keys"]
        trust = Trust({deployment.url: [TrustedKey(jwk, LONG_AGO) for jwk in keys]})
        seen: list[str] = []
        acked: list[str] = []
        while EventType.SCORES_CHANGED not in seen:
            response = ask("POST", poll, json={"ack": acked, "maxEvents": 1}).json()
            for jti, token in response["sets"].items():
                claims = Token.parse(token.encode()).verify(
                    trust, typ=SET_TYP, audience=deployment.issuer, now=timestamps.utc_now()
                )
                assert claims.jti == jti
                seen += json.loads(claims.claims)["events"]
            acked = list(response["sets"])
        nothing = ask("POST", poll, json={"maxEvents": 0, "ack": acked}).json()
        assert nothing == {"sets": {}, "moreAvailable": False}
        verify = {"stream_id": made["stream_id"], "state": "xyzzy"}
        assert ask("POST", metadata["verification_endpoint"], json=verify).status_code == 204
        assert ask("POST", metadata["verification_endpoint"], json=verify).status_code == 429
        (jti,) = ask("POST", poll, json={"returnImmediately": True}).json()["sets"]
        errors = {"setErrs": {jti: {"err": "invalid_key", "description": "who are you?"}}, "maxEvents": 0}
        assert ask("POST", poll, json=errors).json()["sets"] == {}
        (dead,) = deployment.hub.streams.list_dead_letters(made["stream_id"])
        assert (dead.code, dead.reason) == ("invalid_key", "")
        assert ask("PATCH", at, json={"stream_id": made["stream_id"], "description": "d"}).status_code == 200
        assert "description" not in ask("PUT", at, json={"stream_id": made["stream_id"]}).json()
        paused = {"stream_id": made["stream_id"], "status": "paused", "reason": "lunch"}
        assert ask("POST", metadata["status_endpoint"], json=paused).json() == paused
        assert ask("DELETE", f"{at}?stream_id={made['stream_id']}").status_code == 204
        assert ask("POST", poll, json={}).status_code == 404
        assert requests.post(poll, json={}, timeout=30).status_code == 401
        assert ask("POST", poll, json={"ack": ["x"] * 1001}).status_code == 400
        assert ask("POST", poll, data=b"{}").status_code == 415


def test_a_consumer_that_is_away_is_pushed_to_when_it_is_back(deployment: Deployment) -> None:
    """A message refused for good is a dead letter; an unanswered one is sent again."""
    deployment.agree("person 0")
    deployment.buy("person 0")
    who = deployment.reader.pseudonym("person 0")
    follower = deployment.follower()
    with deployment.serve():
        follower.ensure_stream(push_to=push_to(deployment))
        wait_until(lambda: deployment.hub.streams.list_streams()[0]["waiting"] > 0)
        with listening(follower, int(deployment.issuer.rpartition(":")[2])):
            wait_until(lambda: follower.store.scores([who])[who] is not None)


def test_a_hub_that_ends_lets_go_of_those_who_wait(deployment: Deployment) -> None:
    """A long poll does not delay the stop of a hub."""
    answers: list[requests.Response] = []
    follower = deployment.follower()
    with deployment.serve() as process:
        name = follower.ensure_stream()
        while follower.poll(wait=False):
            pass
        deployment.hub.stream_management.set_status(
            deployment.reader.stream_token(), StatusRequest(name, "paused")
        )
        spent = deployment.budget_spent()
        bearer = {"Authorization": f"Bearer {deployment.reader.stream_token().decode()}"}
        poll = threading.Thread(
            target=lambda: answers.append(
                requests.post(f"{deployment.url}/v1/ssf/poll/{name}", json={}, headers=bearer, timeout=60)
            )
        )
        poll.start()
        wait_until(lambda: deployment.budget_spent() > spent)
        started = time.monotonic()
        process.terminate()
        process.join(_DEADLINE)
        poll.join(_DEADLINE)
    assert time.monotonic() - started < 8
    assert [answer.json() for answer in answers] == [{"sets": {}, "moreAvailable": False}]
