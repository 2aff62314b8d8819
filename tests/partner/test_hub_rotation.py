"""A hub rotates its key, and partners that pinned the old one follow: in memory, on disk, in each thread."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.delivery.outbox import Outbox
from sesame_sdk.hub import own_keys
from sesame_sdk.model import codec
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.config import PartnerConfig
from sesame_sdk.partner.key_pinning import PinnedKeys
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.published_keys import PublishedKeys
from sesame_sdk.testing import Clock, LocalHub
from sesame_sdk.testing.partner import LONG_AGO
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER

WEEK = timedelta(days=7)
HUB = "https://hub.example"


@pytest.fixture
def local() -> Iterator[LocalHub]:
    """A hub at the time of this machine."""
    with LocalHub(clock=Clock(datetime.now(UTC))) as running:
        yield running


def rotate(local: LocalHub, overlap: timedelta = WEEK) -> str:
    """A rotation of the hub's key while it runs."""
    return own_keys.rotate(local.hub.settings, overlap, datetime.now(UTC))


def test_a_client_follows_a_rotation_between_two_deliveries(local: LocalHub) -> None:
    """Nobody confirms anything; nothing becomes a dead letter."""
    partner = local.admit_partner(kinds=[ORDERS])
    with local.client(partner) as client:
        for number in range(3):
            client.post([partner.signal("ada", f"{number}", ORDER)])
            assert client.deliver().dead == 0
            rotate(local)
            assert client.check_hub() == 2 + number  # all within their overlap
        assert (client.counts().sent, client.counts().pending) == (3, 0)


def test_all_threads_of_a_delivery_follow_a_rotation_at_once(local: LocalHub) -> None:
    """One asks for the new key, and the others wait for its answer."""
    partner = local.admit_partner(kinds=[ORDERS])
    with local.client(partner) as client:
        client.check_hub()
        for number in range(24):
            client.post([partner.signal("ada", f"{number}", ORDER)])
        rotate(local)
        result = client.deliver(concurrency=8)
    assert (result.sent, result.dead, result.pending) == (24, 0, 0)


def test_hub_and_partner_rotate_at_once(local: LocalHub, tmp_path: Path) -> None:
    """The receipt of the partner's announcement has the hub's new key, which the partner follows."""
    config = PartnerConfig.create(tmp_path / "shop", issuer="https://shop.example", hub=local.issuer)
    local.hub.add_partner(config.issuer, [config.signer.public_jwk], not_before=LONG_AGO)
    with Client.from_config(config, transport=local.transport()) as client:
        client.check_hub()
        rotate(local, timedelta())
        kid = client.rotate_key(timedelta())
        assert local.hub.list_partners()[0].kids[-1] == kid == config.signer.kid
        assert client.counts().dead == 0


def test_the_replacement_of_a_stolen_key_needs_the_operator(local: LocalHub) -> None:
    """Until then nothing is lost, and what the stolen key signs is not accepted."""
    partner = local.admit_partner(kinds=[ORDERS])
    with local.client(partner) as client:
        client.check_hub()
        now = datetime.now(UTC)
        own_keys.replace_revoked(local.hub.settings, now - WEEK, now)
        client.post([partner.signal("ada", "1", ORDER)])
        with pytest.raises(ConfigurationError, match="sesame keys trust"):
            client.deliver()
        assert client.counts().pending == 1

        client.repin()

        assert (client.check_hub(), client.deliver().sent) == (1, 1)


class Website:
    """What is published at the hub's URL; counts the questions."""

    def __init__(self, keys: PublishedKeys) -> None:
        self.keys = keys
        self.questions = 0
        self.away = False

    def fetch(self) -> bytes:
        """The set now."""
        self.questions += 1
        if self.away:
            raise RetryableError("no response")
        return codec.encode(self.keys.to_dict())


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """Where keys are pinned."""
    opened = Outbox(tmp_path / "outbox.sqlite")
    yield opened
    opened.close()


FIRST, SECOND, THIEF = (SigningKey.generate() for _ in range(3))
NOW = datetime.now(UTC)
START = PublishedKeys().with_key(FIRST.public_jwk)
ROTATED = START.rotated(FIRST, SECOND, issuer=HUB, now=NOW - timedelta(days=1), overlap=timedelta(hours=1))


def test_what_was_followed_is_pinned_for_other_processes(outbox: Outbox) -> None:
    """A process that starts later trusts the new key and not the old one, though it is shown the old set."""
    site = Website(START)
    running = PinnedKeys(HUB, site.fetch, outbox)
    running.check()
    site.keys = ROTATED
    assert running.find(HUB, SECOND.kid, NOW)["x"] == SECOND.public_jwk["x"]

    site.keys = START.rotated(FIRST, THIEF, issuer=HUB, now=NOW, overlap=WEEK)
    with pytest.raises(ConfigurationError, match="publishes other keys"):
        PinnedKeys(HUB, site.fetch, outbox).check()


def test_an_old_key_is_refused_after_its_end(outbox: Outbox) -> None:
    """Whatever the messages under it say."""
    keys = PinnedKeys(HUB, Website(ROTATED).fetch, outbox)

    assert keys.check() == 1
    with pytest.raises(InvalidInputError, match="has expired"):
        keys.find(HUB, FIRST.kid, NOW)


def test_a_revocation_reaches_a_process_that_runs_for_long(outbox: Outbox) -> None:
    """It compares the keys once an hour, unasked; while the hub is away nothing changes."""
    time = [1000.0]
    site = Website(ROTATED.with_key(THIEF.public_jwk))
    keys = PinnedKeys(HUB, site.fetch, outbox, clock=lambda: time[0])
    keys.check()
    revoked = tuple(
        key if key.kid != THIEF.kid else type(key)(key.jwk, key.not_before, revoked_at=NOW)
        for key in site.keys.keys
    )
    site.keys = PublishedKeys(revoked, site.keys.rotations)
    assert keys.find(HUB, THIEF.kid, NOW)
    time[0] += 3600
    site.away = True
    assert keys.find(HUB, THIEF.kid, NOW)
    site.away = False
    time[0] += 61

    with pytest.raises(InvalidInputError, match="was revoked"):
        keys.find(HUB, THIEF.kid, NOW)
    assert keys.find(HUB, SECOND.kid, NOW)
    assert site.questions == 3


def test_a_process_that_saw_an_older_set_does_not_undo_a_later_rotation(outbox: Outbox) -> None:
    """Its answer was on the way while another process followed."""
    site = Website(START)
    other = PinnedKeys(HUB, Website(ROTATED).fetch, outbox)

    def slow_fetch() -> bytes:
        answer = site.fetch()
        other.check()
        return answer

    PinnedKeys(HUB, site.fetch, outbox).check()
    with pytest.raises(ConfigurationError):
        PinnedKeys(HUB, slow_fetch, outbox).check()

    pinned = PublishedKeys.from_json(outbox.pinned_keys(HUB) or b"")
    assert [key.kid for key in pinned.keys] == [FIRST.kid, SECOND.kid]
    assert pinned.keys[0].not_after is not None


def test_a_caller_with_patience_waits_for_the_answer_to_anothers_question(outbox: Outbox) -> None:
    """And one without is told to try again: the hub is asked once."""
    site, asked, go_on = Website(START), threading.Event(), threading.Event()

    def slow_fetch() -> bytes:
        if site.keys is ROTATED:
            asked.set()
            go_on.wait(30)
        return site.fetch()

    keys = PinnedKeys(HUB, slow_fetch, outbox, patience=30)
    keys.check()
    site.keys = ROTATED
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(keys.find(HUB, SECOND.kid, NOW))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    assert asked.wait(30)
    go_on.set()
    for thread in threads:
        thread.join()

    assert (len(found), site.questions) == (4, 2)
    with pytest.raises(RetryableError, match="asked for its keys just now"):
        keys.find(HUB, THIEF.kid, NOW)
