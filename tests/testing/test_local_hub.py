"""The hub that partners test with: the real one, through a real client, without a socket."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from attrs import evolve

from sesame_sdk import (
    Client,
    ConfigurationError,
    GuardRefusedError,
    InvalidInputError,
    RetryableError,
    SignalKind,
)
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.model.envelope import DropReason
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.testing import Clock, LocalHub, Partner, make_manifest
from sesame_sdk.testing.contract.side_effects import record_side_effects
from sesame_sdk.testing.in_memory_transport import AsgiRunner, InMemoryAdapter
from sesame_sdk.testing.sample_data import (
    BENEFITS,
    COMMUNITY,
    LATE,
    ORDER,
    POST,
    PURCHASES,
    RETAIL,
    readers_of,
)

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def shop(sesame_hub: LocalHub) -> Partner:
    """Sends orders and reads the retail score; ada agreed to both."""
    sesame_hub.load_policy(PURCHASES)
    partner = sesame_hub.admit_partner(kinds=(ORDER, LATE), consumers=readers_of(RETAIL))
    sesame_hub.record_consent(
        partner.send_grant("ada", ORDER.name), partner.read_grant("ada", BENEFITS, RETAIL)
    )
    return partner


@pytest.fixture
def client(sesame_hub: LocalHub, shop: Partner) -> Iterator[Client]:
    """The shop's client, which tries once."""
    with sesame_hub.client(shop, retries=ONCE) as client:
        yield client


def _points(client: Client, shop: Partner, *persons: str) -> list[float | None]:
    subjects = [shop.pseudonym(person) for person in persons]
    scores = client.scores(subjects, purpose=BENEFITS, context=RETAIL)
    return [score.points if (score := scores[subject]) else None for subject in subjects]


def test_a_client_sends_and_reads(client: Client, sesame_hub: LocalHub, shop: Partner) -> None:
    """Signals in gzipped envelopes become a score; what is sent again counts once."""
    signals = [shop.signal("ada", str(number), ORDER.name) for number in range(1500)]
    for _ in range(2):
        client.post(signals)
        client.deliver(concurrency=1)
    assert [(receipt.accepted, receipt.duplicates) for receipt in client.receipts()] == [
        *((1000, 0), (500, 0)),
        *((0, 1000), (0, 500)),
    ]
    assert sorted(sesame_hub.signals(shop.issuer), key=str) == sorted(signals, key=str)
    assert _points(client, shop, "ada", "somebody else") == [580.0, None]


def test_threads_share_it(sesame_hub: LocalHub, shop: Partner) -> None:
    """Several envelopes at a time are delivered at once."""
    with sesame_hub.client(shop) as client:
        for number in range(8):
            client.post([shop.signal("ada", str(number), ORDER.name)])
        client.deliver(concurrency=4)
        assert sum(receipt.accepted for receipt in client.receipts()) == 8


def test_no_socket_is_opened(client: Client, shop: Partner) -> None:
    """Neither by the client nor by the hub."""
    client.post([shop.signal("ada", "1", ORDER.name)])
    with record_side_effects() as recorded:
        client.register(make_manifest((ORDER,)))
        client.deliver(concurrency=1)
    assert not [event for event in recorded if event.startswith("socket.")]


def test_it_starts_quickly(tmp_path: Path) -> None:
    """After the first, whose tables it copies, in far less than a third of a second."""
    with LocalHub(tmp_path / "first"):
        pass
    seconds = []
    for number in range(3):
        start = time.perf_counter()
        LocalHub(tmp_path / str(number)).close()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3


def test_its_files_are_removed() -> None:
    """Where no folder was given."""
    with LocalHub() as hub:
        folder = hub.hub.settings.path
        assert folder.is_dir()
    assert not folder.parent.exists()


def test_time_is_the_tests_own(client: Client, sesame_hub: LocalHub, shop: Partner) -> None:
    """A consent ends when the clock passes its end."""
    end = sesame_hub.clock.now + timedelta(hours=1)
    sesame_hub.record_consent(shop.send_grant("ada", LATE.name, expires_at=end))
    shop.send(shop.signal("ada", "1", LATE.name))
    assert _points(client, shop, "ada") == [493.0]
    sesame_hub.advance_clock(hours=1)
    assert _points(client, shop, "ada") == [None]


def test_a_consent_can_be_withdrawn(client: Client, sesame_hub: LocalHub, shop: Partner) -> None:
    """Signals sent afterwards are dropped."""
    assert sesame_hub.withdraw_consent("ada", shop) == 2
    client.post([shop.signal("ada", "1", ORDER.name)])
    client.deliver()
    assert [one.reason for one in next(iter(client.receipts())).dropped] == [DropReason.NO_GRANT]


def test_a_policy_can_come_from_a_file(sesame_hub: LocalHub) -> None:
    """As the command line loads it."""
    sesame_hub.load_policy(Path(__file__).parents[2] / "examples/policies/retail.toml")
    assert [policy.context for policy in sesame_hub.hub.list_policies()] == ["retail"]


@pytest.mark.parametrize("status", [500, 503])
def test_the_next_calls_can_fail(client: Client, sesame_hub: LocalHub, shop: Partner, status: int) -> None:
    """The envelope stays in the outbox, and is delivered afterwards."""
    client.post([shop.signal("ada", "1", ORDER.name)])
    sesame_hub.fail_next(status, retry_after=1)
    client.deliver()
    assert (client.counts().pending, client.counts().dead) == (1, 0)
    client.deliver()
    assert client.counts().pending == 0


def test_retry_after_is_kept_to(sesame_hub: LocalHub, shop: Partner) -> None:
    """A client that may try again waits as long as it is asked to."""
    sesame_hub.fail_next(429, retry_after=1)
    with sesame_hub.client(shop, retries=RetryPolicy(max_attempts=2)) as client:
        start = time.monotonic()
        client.register(make_manifest((ORDER,)))
        assert time.monotonic() - start >= 1


@pytest.mark.parametrize("processed", [False, True])
def test_a_connection_can_be_cut(
    client: Client, sesame_hub: LocalHub, shop: Partner, processed: bool
) -> None:
    """Before the hub sees the request or before the client sees the response: the signal counts once."""
    client.post([shop.signal("ada", "0", ORDER.name)])
    client.deliver()  # the first delivery fetches the hub's keys too
    client.post([shop.signal("ada", "1", ORDER.name)])
    sesame_hub.cut_next(processed=processed)
    client.deliver()
    assert len(sesame_hub.signals(shop.issuer)) == 1 + processed
    assert client.counts().pending == 1
    client.deliver()
    assert len(sesame_hub.signals(shop.issuer)) == 2
    assert [receipt.accepted for receipt in client.receipts()] == [1, 1]


def test_a_response_can_be_too_late() -> None:
    """`requests` raises what it raises over a network."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
        else:
            await receive()
        await receive()  # the shutdown; a request has no second event while its sender is connected

    runner, session = AsgiRunner(app), requests.Session()
    session.mount("https://", InMemoryAdapter(runner))
    with pytest.raises(requests.ReadTimeout):
        session.get("https://hub.example/", timeout=0.01)
    runner.close()


def test_it_has_the_limits_and_headers_of_the_real_hub(sesame_hub: LocalHub) -> None:
    """Since it is the real one."""
    session = requests.Session()
    session.mount("https://", sesame_hub.adapter)
    media_type = {"Content-Type": "application/secevent+jwt"}
    too_large = session.post("https://hub.example/v1/events", data=b"x" * (3 << 20), headers=media_type)
    assert too_large.status_code == 413
    in_pieces = session.post(
        "https://hub.example/v1/events", data=iter([b"no ", b"token"]), headers=media_type
    )
    assert (in_pieces.status_code, json.loads(in_pieces.content)["err"]) == (400, "invalid_request")
    assert in_pieces.headers["X-Content-Type-Options"] == "nosniff"


def test_a_refused_registration_has_its_findings(client: Client) -> None:
    """Equal to the guard's own."""
    with pytest.raises(GuardRefusedError) as refused:
        client.register(make_manifest((evolve(POST, observation="post_opinion"),)))
    assert "POL-1" in {finding.rule for finding in refused.value.findings}


@pytest.mark.parametrize(
    ("purpose", "context", "code"),
    [
        pytest.param(BENEFITS, COMMUNITY, "access_denied", id="a context that was not registered"),
        pytest.param("https://w3id.org/dpv#Recruitment", RETAIL, "access_denied", id="a refused purpose"),
    ],
)
def test_a_read_that_is_not_allowed_is_denied(client: Client, purpose: str, context: str, code: str) -> None:
    """With the code that the real hub gives."""
    with pytest.raises(InvalidInputError) as rejected:
        client.scores(["somebody"], purpose=purpose, context=context)
    assert rejected.value.code == code


def test_an_envelope_of_an_unknown_partner_becomes_a_dead_letter(sesame_hub: LocalHub) -> None:
    """The sender's outbox keeps it, with the hub's reason."""
    stranger = Partner("https://stranger.example", sesame_hub.hub, sesame_hub.clock)
    with sesame_hub.client(stranger) as client:
        client.post([stranger.signal("ada", "1", ORDER.name)])
        client.deliver(concurrency=1)
        assert [message.code for message in client.dead_letters()] == ["invalid_issuer"]


def test_a_path_that_does_not_exist_is_a_wrong_configuration(sesame_hub: LocalHub) -> None:
    """404, as over a network."""
    with pytest.raises(ConfigurationError):
        sesame_hub.transport(retries=ONCE).get("/nowhere")


def test_a_kind_is_free_again_when_the_key_that_declared_it_is_revoked(
    sesame_hub: LocalHub, shop: Partner, client: Client
) -> None:
    """The meaning that a thief gave to a kind does not outlive the stolen key."""
    thief = shop.with_key(SigningKey.generate())
    sesame_hub.hub.add_partner(shop.issuer, [thief.key.public_jwk])
    sesame_hub.advance_clock(minutes=1)
    answers = SignalKind("community.answer.accepted", "answer_accepted")
    thief.register(make_manifest((evolve(answers, observation="report_upheld"),), name="other"))
    with pytest.raises(InvalidInputError):
        client.register(make_manifest((answers,), name="posts"))
    sesame_hub.hub.revoke_key(thief.key.kid, sesame_hub.clock(), issuer=shop.issuer)
    client.register(make_manifest((answers,), name="posts"))


def test_an_application_that_does_not_start_is_an_error() -> None:
    """And not a test that hangs."""

    async def app(_: object, __: object, send: object) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no disk"})  # type: ignore[operator]

    with pytest.raises(ConfigurationError, match="no disk"):
        AsgiRunner(app)


def test_a_hub_that_was_cut_off_is_retryable(sesame_hub: LocalHub) -> None:
    """For every call of a client."""
    sesame_hub.cut_next(times=2)
    for _ in range(2):
        with pytest.raises(RetryableError):
            sesame_hub.transport(retries=ONCE).get("/health/ready")
    assert sesame_hub.transport().get("/health/ready").status == 200


def test_the_fixture_is_found_and_costs_nothing_unless_used() -> None:
    """Pytest loads the plugin in every run, so it imports neither the hub nor Hypothesis."""
    heavy = {"litestar", "sqlalchemy", "hypothesis", "requests"}
    script = f"import sys, sesame_sdk.testing.pytest_plugin; print({heavy} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_its_clock_can_be_given(tmp_path: Path) -> None:
    """To start at another time."""
    clock = Clock(Clock().now + timedelta(days=400))
    with LocalHub(tmp_path, clock=clock) as hub:
        assert hub.admit_partner().clock() == clock.now
