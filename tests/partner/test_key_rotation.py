"""`sesame keys rotate` from a partner's side: files, outbox, and a hub that is away at the wrong time."""

import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError, RetryableError
from sesame_sdk.delivery.messages import Failed
from sesame_sdk.delivery.retry import RetryPolicy
from sesame_sdk.partner.client import Client
from sesame_sdk.partner.config import KEY, NEXT_KEY, SECRET, PartnerConfig
from sesame_sdk.signing.keys import KeyFile, SigningKey
from sesame_sdk.testing import Clock, LocalHub
from sesame_sdk.testing.partner import LONG_AGO
from tests.conftest import NOON

WEEK = timedelta(days=7)
ONCE = RetryPolicy(max_attempts=1)
SHOP = "https://shop.example"


@pytest.fixture
def local() -> Iterator[LocalHub]:
    """A hub at the time of this machine, which signs for partners with a directory."""
    with LocalHub(clock=Clock(datetime.now(UTC))) as running:
        yield running


@pytest.fixture
def config(local: LocalHub, tmp_path: Path) -> PartnerConfig:
    """A shop whose first key the hub knows."""
    made = PartnerConfig.create(tmp_path / "shop", issuer=SHOP, hub=local.issuer)
    local.hub.add_partner(SHOP, [made.signer.public_jwk], not_before=LONG_AGO)
    return made


@pytest.fixture
def client(local: LocalHub, config: PartnerConfig) -> Iterator[Client]:
    """Its client, which gives up after one attempt."""
    with Client.from_config(config, transport=local.transport(retries=ONCE)) as opened:
        yield opened


def kids(local: LocalHub) -> tuple[str, ...]:
    """The thumbprints that the hub knows, oldest first."""
    return local.hub.list_partners()[0].kids


def test_a_rotation_replaces_the_key_and_nothing_else(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """The secret, from which pseudonyms and signal ids come, stays; the key is its owner's alone."""
    before, secret = config.signer.kid, (config.path / SECRET).read_bytes()
    pseudonym = config.pseudonymizer.pseudonym("ada")

    kid = client.rotate_key(WEEK)

    assert kids(local) == (before, kid)
    loaded = PartnerConfig.load(config.path)
    assert (loaded.signer.kid, loaded.pseudonymizer.pseudonym("ada")) == (kid, pseudonym)
    assert (config.path / SECRET).read_bytes() == secret
    assert stat.S_IMODE((config.path / KEY).stat().st_mode) == 0o600
    assert not (config.path / NEXT_KEY).exists()
    assert (client.counts().pending, client.counts().sent, client.counts().dead) == (0, 1, 0)


def test_clients_that_are_running_sign_with_the_next_key(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """Another process needs no restart: messages of both keys are accepted, then those of the next alone."""
    with Client.from_config(
        PartnerConfig.load(config.path), transport=local.transport(retries=ONCE)
    ) as running:
        client.rotate_key(timedelta())
        local.advance_clock(seconds=1)
        assert running.rotate_key(timedelta()) == kids(local)[-1]
    assert len(kids(local)) == 3


@pytest.mark.parametrize(
    "processed", [pytest.param(False, id="not received"), pytest.param(True, id="received")]
)
def test_a_rotation_goes_on_after_the_connection_was_cut(
    local: LocalHub, config: PartnerConfig, client: Client, *, processed: bool
) -> None:
    """Without an overlap, and when the receipt was lost: the next call announces the same key."""
    before = config.signer.kid
    local.cut_next(processed=processed)
    with pytest.raises(RetryableError):
        client.rotate_key(timedelta())
    assert (config.signer.kid, client.counts().pending) == (before, 1)
    local.advance_clock(minutes=1)

    kid = client.rotate_key(timedelta())

    assert kids(local) == (before, kid)
    assert (config.signer.kid, client.counts().pending) == (kid, 0)


def test_a_delivery_completes_a_rotation(local: LocalHub, config: PartnerConfig, client: Client) -> None:
    """Also that of another process, such as `sesame outbox deliver`."""
    before = config.signer.kid
    local.cut_next(processed=True)
    with pytest.raises(RetryableError):
        client.rotate_key(timedelta())

    client.deliver()

    assert kids(local) == (before, config.signer.kid)
    assert not (config.path / NEXT_KEY).exists()


def test_a_process_that_died_before_it_took_the_next_key_does_so_when_it_starts(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """The receipt is in the outbox, so the hub knows the key."""
    old = SigningKey.load(config.path / KEY)
    kid = client.rotate_key(timedelta())
    (config.path / KEY).rename(config.path / NEXT_KEY)
    old.save(config.path / KEY)

    with Client.from_config(PartnerConfig.load(config.path), transport=local.transport()):
        assert PartnerConfig.load(config.path).signer.kid == kid


def test_a_rejected_announcement_leaves_the_present_key_and_no_dead_letter(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """Sent again later, it would announce a key that is gone."""
    before = config.signer.kid
    local.hub.revoke_key(before, local.clock())

    with pytest.raises(InvalidInputError, match="was revoked"):
        client.rotate_key(WEEK)

    assert (config.signer.kid, client.dead_letters(), client.counts().pending) == (before, [], 0)
    assert not (config.path / NEXT_KEY).exists()


def test_a_dead_letter_that_announces_the_key_is_sent_again(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """Another process delivered it before its cause was fixed; it is no dead letter afterwards."""
    local.cut_next(processed=True)
    with pytest.raises(RetryableError):
        client.rotate_key(WEEK)
    (message,) = client._outbox.fetch_pending()
    client._outbox.record_outcomes(failed=[Failed(message, "invalid_receipt", "the hub's key was unknown")])

    kid = client.rotate_key(WEEK)

    assert (config.signer.kid, kids(local)[-1], client.dead_letters()) == (kid, kid, [])


def test_after_a_revocation_the_key_is_replaced_without_an_announcement(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """The operator adds it, and from then on it announces the next."""
    local.hub.revoke_key(config.signer.kid, local.clock())

    kid = client.replace_key()

    assert (config.signer.kid, client.counts().sent) == (kid, 0)
    local.hub.add_partner(SHOP, [config.signer.public_jwk])
    assert kids(local) == (kid,)
    assert kids(local) != (client.rotate_key(WEEK),)


def test_a_replacement_forgets_a_rotation_under_way(
    local: LocalHub, config: PartnerConfig, client: Client
) -> None:
    """Its announcement is not sent later."""
    local.cut_next()
    with pytest.raises(RetryableError):
        client.rotate_key(WEEK)

    client.replace_key()

    assert client.counts().pending == 0
    assert not (config.path / NEXT_KEY).exists()


def test_two_processes_do_not_rotate_at_once(local: LocalHub, config: PartnerConfig, client: Client) -> None:
    """The second one is told to try again."""
    with client._outbox.rotation_lock(), pytest.raises(RetryableError, match="running rotation"):
        client.rotate_key(WEEK)
    assert kids(local) == (config.signer.kid,)


def test_a_client_of_a_signer_elsewhere_rotates_no_key(local: LocalHub) -> None:
    """A key in a KMS is not ours to replace."""
    partner = local.admit_partner("https://kms.example")
    with (
        local.client(partner) as client,
        pytest.raises(ConfigurationError, match="was passed to this client"),
    ):
        client.rotate_key(WEEK)


def test_a_key_file_follows_what_replaces_it(tmp_path: Path) -> None:
    """And keeps the last key if the file is removed."""
    first, second = SigningKey.generate(), SigningKey.generate()
    first.save(tmp_path / KEY)
    key = KeyFile(tmp_path / KEY)
    assert key.kid == first.kid
    second.save(tmp_path / NEXT_KEY)
    (tmp_path / NEXT_KEY).replace(tmp_path / KEY)
    assert (key.kid, key.public_jwk, key.sign(b"x")) == (second.kid, second.public_jwk, second.sign(b"x"))
    (tmp_path / KEY).unlink()
    assert key.kid == second.kid


def test_a_key_file_that_was_damaged_is_an_error(tmp_path: Path) -> None:
    """Rather than signatures under a key that the operator meant to replace."""
    SigningKey.generate().save(tmp_path / KEY)
    key = KeyFile(tmp_path / KEY)
    assert key.kid
    (tmp_path / KEY).write_text(f"{NOON}")
    with pytest.raises(ConfigurationError, match="not a private Ed25519 JWK"):
        _ = key.kid


def test_a_key_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Other clients look for the next key while it is written, and while it takes the present one's place."""
    file, stop = tmp_path / "next.jwk", threading.Event()
    faults = list[str]()

    def look() -> None:
        while not stop.is_set():
            try:
                SigningKey.load(file)
            except ConfigurationError as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    faults.append(str(error))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for _ in range(100):
            SigningKey.generate().save(file)
            file.unlink()
    finally:
        stop.set()
        reader.join()
    assert faults == []
    assert list(tmp_path.iterdir()) == []
    SigningKey.generate().save(file)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        SigningKey.generate().save(file)
