"""Partners that publish their keys at a URL: what the hub takes from there, and where it takes nothing."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError, SesameError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.key_sets import KeySetWorker
from sesame_sdk.hub.settings import LOOPBACK_NETWORKS, load_settings
from sesame_sdk.hub.streams.push_client import PushClient, PushConnection
from sesame_sdk.model import codec
from sesame_sdk.signing.keys import SigningKey, TrustedKey, jwk_set
from tests.commands import run_sesame
from tests.hub.fixtures import Clock, Partner
from tests.hub.test_key_rotation import announcement, is_accepted
from tests.signing.weak_keys import WEAK_POINTS, weak_jwk

pytestmark = pytest.mark.long

SHOP = "https://shop.example"
FIRST, SECOND, THIRD = (SigningKey.generate() for _ in range(3))
HOUR = timedelta(hours=1)


class Website:
    """A partner's web server on this machine; `answer` writes each response."""

    def __init__(self) -> None:
        self.questions = 0
        self.publish(FIRST)
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.questions += 1
                site.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def publish(self, *keys: SigningKey | TrustedKey) -> None:
        """Answer with a set of these keys."""
        jwks = [key.public_jwk if isinstance(key, SigningKey) else key.published_jwk for key in keys]
        self.send(codec.encode(jwk_set(jwks)))

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer with this."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answer: Callable[[BaseHTTPRequestHandler], None] = answer

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Website]:
    """A running one."""
    website = Website()
    yield website
    website.close()


@pytest.fixture
def hub(hub_path: Path, clock: Clock) -> Iterator[Hub]:
    """A hub that may fetch from this machine, and waits a second for an answer."""
    settings = evolve(load_settings(hub_path), push_networks=LOOPBACK_NETWORKS, push_timeout_seconds=1)
    with Hub.open(hub_path, clock=clock, settings=settings) as opened:
        yield opened


@pytest.fixture
def shop(hub: Hub, clock: Clock, site: Website) -> Partner:
    """A partner whose first key is published at its URL."""
    hub.add_partner_by_url(SHOP, site.url)
    return Partner(SHOP, hub, clock, key=FIRST)


def accepted(shop: Partner, *keys: SigningKey) -> list[bool]:
    """Whether the hub accepts what each key signs."""
    return [is_accepted(shop.with_key(key), number) for number, key in enumerate(keys)]


def test_a_partner_is_admitted_with_the_keys_at_its_url(hub: Hub, shop: Partner, site: Website) -> None:
    """And listed with it."""
    assert accepted(shop, FIRST, SECOND) == [True, False]
    (listed,) = hub.list_partners()
    assert (listed.kids, listed.jwks_url) == ((FIRST.kid,), site.url)


def test_the_set_decides_which_keys_are_valid(hub: Hub, shop: Partner, site: Website, clock: Clock) -> None:
    """A rotation: both for a while, then the next one alone; an old key does not come back."""
    site.publish(FIRST, SECOND)
    assert hub.key_sets.refresh(SHOP) == 1
    assert accepted(shop, FIRST, SECOND) == [True, True]
    site.publish(SECOND)
    assert hub.key_sets.refresh(SHOP) == 1
    assert accepted(shop, FIRST, SECOND) == [False, True]
    clock.advance(hours=1)
    site.publish(FIRST, SECOND)
    assert hub.key_sets.refresh(SHOP) == 0
    assert accepted(shop, FIRST, SECOND) == [False, True]


def test_validity_in_the_set_counts(hub: Hub, shop: Partner, site: Website, clock: Clock) -> None:
    """A key begins at its ``nbf`` and ends at its ``exp``, or when it is published as revoked."""
    now = clock()
    site.publish(
        TrustedKey(FIRST.public_jwk, now - HOUR, not_after=now + HOUR),
        TrustedKey(SECOND.public_jwk, now + HOUR),
        TrustedKey(THIRD.public_jwk, now - HOUR),
    )
    hub.key_sets.refresh(SHOP)
    assert accepted(shop, FIRST, SECOND, THIRD) == [True, False, True]
    clock.advance(hours=1)
    assert accepted(shop, FIRST, SECOND, THIRD) == [False, True, True]
    site.publish(SECOND, TrustedKey(THIRD.public_jwk, now, revoked_at=now))
    hub.key_sets.refresh(SHOP)
    assert accepted(shop, SECOND, THIRD) == [True, False]


def test_a_key_that_the_operator_revoked_stays_revoked(
    hub: Hub, shop: Partner, site: Website, clock: Clock
) -> None:
    """The other keys of the set are taken."""
    hub.revoke_key(FIRST.kid, clock())
    site.publish(FIRST, SECOND)
    hub.key_sets.refresh(SHOP)
    assert accepted(shop, FIRST, SECOND) == [False, True]


def test_such_a_partner_announces_no_keys(hub: Hub, shop: Partner) -> None:
    """The next refresh would end the announced key."""
    with pytest.raises(InvalidInputError, match="are published at a URL"):
        hub.receive(announcement(shop, SECOND))
    assert accepted(shop, FIRST, SECOND) == [True, False]


def redirect(site: Website) -> None:
    """To another path of the same server, which would answer with a good set."""
    site.send(b"", 302, Location=site.url + "/other")


def drip(site: Website) -> None:
    """A header every tenth of a second, for ever."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(ConnectionError):  # the hub leaves
            for _ in range(100):
                time.sleep(0.1)
                handler.wfile.write(b" ")
                handler.wfile.flush()

    site.answer = answer


def publish_twins(site: Website) -> None:
    """A key that another partner has."""
    site.publish(SECOND, TWIN)


TWIN = SigningKey.generate()


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        pytest.param(redirect, ConfigurationError, id="a redirect"),
        pytest.param(drip, RetryableError, id="a byte now and then"),
        pytest.param(lambda site: site.send(b"x" * 70_000), InvalidInputError, id="70 kB"),
        pytest.param(lambda site: site.send(b"<html>"), InvalidInputError, id="a page"),
        pytest.param(lambda site: site.send(b'{"keys": []}'), InvalidInputError, id="no key"),
        pytest.param(lambda site: site.send(b"", 404), SesameError, id="404"),
        pytest.param(lambda site: site.send(b"", 500), RetryableError, id="500"),
        pytest.param(
            lambda site: site.send(codec.encode({"keys": [weak_jwk(WEAK_POINTS["order 1"])]})),
            InvalidInputError,
            id="a key of low order",
        ),
        pytest.param(publish_twins, InvalidInputError, id="a key of another partner"),
        pytest.param(
            lambda site: site.send(codec.encode({"keys": [SECOND.public_jwk | {"exp": 1_700_000_000}]})),
            InvalidInputError,
            id="no key that is valid",
        ),
        pytest.param(Website.close, RetryableError, id="no server"),
    ],
)
def test_what_is_no_set_changes_nothing(
    hub: Hub, shop: Partner, site: Website, spoil: Callable[[Website], None], error: type[SesameError]
) -> None:
    """The keys stay as they were, and nobody is admitted by such a URL."""
    hub.add_partner("https://twin.example", [TWIN.public_jwk])
    spoil(site)
    with pytest.raises(error):
        hub.key_sets.refresh(SHOP)
    assert accepted(shop, FIRST, SECOND) == [True, False]
    with pytest.raises(error):
        hub.add_partner_by_url("https://new.example", site.url)
    assert len(hub.list_partners()) == 2


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://shop.example/keys", id="plain http"),
        pytest.param("https://10.0.0.1/keys", id="a private address"),
        pytest.param("https://169.254.169.254/keys", id="a link-local address"),
        pytest.param("https://[::ffff:10.0.0.1]/keys", id="a mapped private address"),
        pytest.param("https://user@shop.example/keys", id="a user"),
        pytest.param("https://shop.example:99999/keys", id="no port"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("keys", id="no URL"),
    ],
)
def test_a_url_that_the_hub_may_not_fetch_from_admits_nobody(hub: Hub, url: str) -> None:
    """Without a question to it."""
    with pytest.raises(InvalidInputError):
        hub.add_partner_by_url(SHOP, url)
    assert hub.list_partners() == []


def test_addresses_of_this_machine_need_the_operators_permission(
    hub_path: Path, clock: Clock, site: Website
) -> None:
    """Also by a name."""
    settings = evolve(load_settings(hub_path), push_networks="")
    with Hub.open(hub_path, clock=clock, settings=settings) as strict:
        for url in (site.url, site.url.replace("127.0.0.1", "localhost")):
            with pytest.raises(SesameError):
                strict.add_partner_by_url(SHOP, url)
        assert (strict.list_partners(), site.questions) == ([], 0)


def test_sets_are_fetched_when_they_are_due_each_for_itself(
    hub: Hub, shop: Partner, site: Website, clock: Clock
) -> None:
    """By one process of several; one partner's server that is away does not matter to another's."""
    with ExitStack() as stack:
        away = Website()
        away.publish(THIRD)
        stack.callback(away.close)
        hub.add_partner_by_url("https://away.example", away.url)
        drip(away)
        site.publish(FIRST, SECOND)
        asked = site.questions
        hub.key_sets.refresh_due()
        assert site.questions == asked
        clock.advance(seconds=hub.settings.jwks_refresh_seconds)
        threads = [Thread(target=hub.key_sets.refresh_due) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert site.questions == asked + 1
    assert accepted(shop, FIRST, SECOND) == [True, True]
    assert {partner.kids for partner in hub.list_partners()} == {(FIRST.kid, SECOND.kid), (THIRD.kid,)}


def test_a_partner_without_a_url_has_no_set_to_refresh(hub: Hub) -> None:
    """Its keys come from the operator, or by announcement."""
    hub.add_partner(SHOP, [FIRST.public_jwk])
    with pytest.raises(InvalidInputError, match="has no JWK set at a URL"):
        hub.key_sets.refresh(SHOP)


def test_a_hub_is_no_partner_of_itself_by_a_url_either(hub: Hub, site: Website) -> None:
    """As with a file."""
    with pytest.raises(InvalidInputError, match="is this hub itself"):
        hub.add_partner_by_url(hub.settings.issuer, site.url)


def test_the_command_line_admits_and_refreshes(tmp_path: Path, site: Website) -> None:
    """With the hub's own settings."""
    run = partial(run_sesame, tmp_path)
    run("hub", "init", "hub", "--issuer", "https://hub.example")
    with (tmp_path / "hub" / "hub.toml").open("a", encoding="utf-8") as file:
        file.write(f'push_networks = "{LOOPBACK_NETWORKS}"\n')
    added = run("partners", "add", SHOP, "--hub", "hub", "--jwks-url", site.url)
    assert (added.returncode, "1 key(s)" in added.stderr) == (0, True), added.stderr
    site.publish(FIRST, SECOND)
    refreshed = run("partners", "refresh-keys", SHOP, "--hub", "hub")
    assert (refreshed.returncode, "1 key(s)" in refreshed.stderr) == (0, True), refreshed.stderr
    assert run("partners", "add", SHOP, "--hub", "hub").returncode == 2


def test_no_error_stops_the_worker_or_holds_up_another_set(
    hub: Hub, shop: Partner, site: Website, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an error of a round, here of the clock, nor one of the fetch from a partner's URL."""
    monkeypatch.setattr("sesame_sdk.hub.ingest.key_sets._LOOK_SECONDS", 0.01)
    other = Website()
    other.publish(THIRD)
    hub.add_partner_by_url("https://other.example", other.url)
    failures = [RuntimeError("of a round")]

    def failing_clock() -> datetime:
        if failures:
            raise failures.pop()
        return clock()

    class FailingClient(PushClient):
        def connect(self, endpoint: str, issuer: str) -> AbstractAsyncContextManager[PushConnection]:
            if endpoint == other.url:
                raise RuntimeError("of one URL")
            return super().connect(endpoint, issuer)

    client = FailingClient(hub.key_sets.client.policy, hub.key_sets.client.seconds)
    worker = KeySetWorker(evolve(hub.key_sets, clock=failing_clock, client=client))
    site.publish(FIRST, SECOND)
    clock.advance(hours=1)
    worker.start()
    try:
        deadline = time.monotonic() + 20
        while site.questions < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        worker.stop()
        other.close()
    assert failures == []
    assert accepted(shop, FIRST, SECOND) == [True, True]
