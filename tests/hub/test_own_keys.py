"""A hub replaces its own key, and partners that pinned the old one follow."""

import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.hub import own_keys
from sesame_sdk.hub.backup.backup import create_backup
from sesame_sdk.hub.backup.restore import restore
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.own_keys import NEXT_KEY_FILE, PUBLISHED_FILE, load_published
from sesame_sdk.hub.settings import KEY_FILE, Settings, create_hub, load_settings
from sesame_sdk.model import codec
from sesame_sdk.signing.keys import SigningKey
from sesame_sdk.signing.published_keys import PublishedKeys
from tests.commands import run_sesame
from tests.conftest import NOON
from tests.hub.fixtures import HUB, ORDER, Partner

WEEK = timedelta(days=7)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The folder of a hub."""
    return create_hub(tmp_path / "own", issuer=HUB)


def present(settings: Settings) -> str:
    """The thumbprint of the key that signs."""
    return SigningKey.load(settings.key_path).kid


def test_before_the_first_rotation_the_present_key_is_published(settings: Settings) -> None:
    """With no file but the key's."""
    assert [key.kid for key in load_published(settings).keys] == [present(settings)]


def test_a_rotation_publishes_both_keys_with_their_validity_and_the_announcement(settings: Settings) -> None:
    """The new one signs; the files are their owner's alone."""
    before = present(settings)

    kid = own_keys.rotate(settings, WEEK, NOON)

    published = load_published(settings)
    assert present(settings) == kid
    assert [(key.kid, key.not_after) for key in published.keys] == [(before, NOON + WEEK), (kid, None)]
    assert (published.keys[1].not_before, len(published.rotations)) == (NOON, 1)
    assert not (settings.path / NEXT_KEY_FILE).exists()
    assert {(settings.path / name).stat().st_mode & 0o777 for name in (KEY_FILE, PUBLISHED_FILE)} == {0o600}


def test_a_running_hub_signs_with_the_new_key_and_publishes_it(hub: Hub, shop: Partner) -> None:
    """Without a restart. A message that was sent before gets its receipt again, now under the new key."""
    message = shop.seal(shop.signal("ada", "1", ORDER))
    first = hub.receive(message)

    kid = own_keys.rotate(hub.settings, WEEK, shop.clock())

    assert hub.jwks()["keys"][-1]["kid"] == kid
    again = hub.receive(message)
    assert again != first
    assert shop.read_receipt(again) == shop.read_receipt(first)


@pytest.mark.parametrize("stop", ["before it is published", "after it is published"])
def test_an_interrupted_rotation_goes_on_with_the_same_key(settings: Settings, stop: str) -> None:
    """Wherever it stopped: the key that was made, or announced, is the one that signs in the end."""
    old = SigningKey.load(settings.key_path)
    if stop == "before it is published":
        SigningKey.generate().save(settings.path / NEXT_KEY_FILE)
        expected = SigningKey.load(settings.path / NEXT_KEY_FILE).kid
    else:
        expected = own_keys.rotate(settings, WEEK, NOON)
        settings.key_path.rename(settings.path / NEXT_KEY_FILE)
        old.save(settings.key_path)

    assert own_keys.rotate(settings, WEEK, NOON) == expected
    assert [key.kid for key in load_published(settings).keys] == [old.kid, expected]
    assert len(load_published(settings).rotations) == 1


def test_two_operators_at_once_make_two_rotations(settings: Settings) -> None:
    """One after the other: no key is lost, and each is announced by the one before."""
    threads = [threading.Thread(target=own_keys.rotate, args=(settings, WEEK, NOON)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    published = load_published(settings)
    assert (len(published.keys), len(published.rotations)) == (5, 4)
    assert published.keys[-1].kid == present(settings)


def test_a_stolen_key_is_revoked_and_announces_nothing(settings: Settings) -> None:
    """Partners have to confirm its replacement."""
    stolen = present(settings)

    kid = own_keys.replace_revoked(settings, NOON - WEEK, NOON)

    published = load_published(settings)
    assert [(key.kid, key.revoked_at) for key in published.keys] == [(stolen, NOON - WEEK), (kid, None)]
    assert published.rotations == ()


def test_an_overlap_out_of_range_changes_nothing(settings: Settings) -> None:
    """The next key that was made is used by the next attempt."""
    before = present(settings)
    with pytest.raises(InvalidInputError, match="overlap"):
        own_keys.rotate(settings, timedelta(days=91), NOON)
    assert present(settings) == before
    assert not (settings.path / PUBLISHED_FILE).exists()


def test_a_damaged_file_of_published_keys_is_an_error(settings: Settings) -> None:
    """Rather than a set without the keys that partners pinned."""
    (settings.path / PUBLISHED_FILE).write_text("{}")
    with pytest.raises(ConfigurationError, match="is not a set of keys"):
        load_published(settings)


def test_the_command_line_rotates_and_lists(settings: Settings) -> None:
    """The list says which key signs, and the validity of each."""
    folder, run = str(settings.path), partial(run_sesame, settings.path.parent)
    rotated = run("hub", "keys", "rotate", "--hub", folder, "--overlap-days", "3")
    assert (rotated.returncode, present(settings) in rotated.stderr) == (0, True)
    stolen = run("hub", "keys", "rotate", "--hub", folder, "--revoked", "--since", "2026-11-01T00:00:00Z")
    assert (stolen.returncode, "sesame keys trust" in stolen.stderr) == (0, True)

    rows = codec.decode(run("hub", "keys", "list", "--hub", folder, "--json").stdout, list[dict[str, object]])

    assert [row["signs"] for row in rows] == [False, False, True]
    assert [row["revoked"] for row in rows] == [None, "2026-11-01T00:00:00Z", None]
    assert [row["until"] is None for row in rows] == [False, True, True]
    assert run("hub", "keys", "rotate", "--hub", folder, "--since", "2026-11-01T00:00:00Z").returncode == 2


def test_a_backup_has_the_published_keys_and_fits_a_later_key(hub: Hub, tmp_path: Path) -> None:
    """A hub that rotated since its backup is restored with its present key, which partners trust by now."""
    own_keys.rotate(hub.settings, WEEK, NOON)
    archive, manifest = create_backup(hub.settings, tmp_path / "backup.tar")
    assert PUBLISHED_FILE in manifest.members
    later = own_keys.rotate(hub.settings, WEEK, NOON)
    folder = tmp_path / "restored"
    folder.mkdir(mode=0o700)
    for name in (KEY_FILE, PUBLISHED_FILE):
        (folder / name).write_bytes((hub.settings.path / name).read_bytes())
        (folder / name).chmod(0o600)
    if not hub.settings.database_url.startswith("sqlite"):
        return  # a restore needs an empty database, which the tests of backups make
    restore(archive, folder, without_withdrawal_log=True)

    assert present(load_settings(folder)) == later
    assert len(PublishedKeys.from_json((folder / PUBLISHED_FILE).read_bytes()).keys) == 3


def test_a_backup_brings_the_published_keys_back(hub: Hub, tmp_path: Path) -> None:
    """Without them, partners would have to confirm the key."""
    own_keys.rotate(hub.settings, WEEK, NOON)
    archive, _ = create_backup(hub.settings, tmp_path / "backup.tar", with_key=True)
    if not hub.settings.database_url.startswith("sqlite"):
        return
    restore(archive, tmp_path / "restored", without_withdrawal_log=True)

    restored = load_settings(tmp_path / "restored")
    assert load_published(restored) == load_published(hub.settings)
