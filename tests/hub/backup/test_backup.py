"""A hub in one file while it runs, and back: a prefix of its ledger, without what was taken back."""

import io
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import requests
from attrs import define, evolve, field

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.hub.backup import archive
from sesame_sdk.hub.backup.backup import create_backup
from sesame_sdk.hub.backup.restore import restore
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import KEY_FILE, SETTINGS_FILE, create_hub, load_settings
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER, Partner
from tests.hub.ledger import change
from tests.hub.server.populated_hub import HubFixture, new_hub_fixture
from tests.hub.server.process import running, wait_until

#: Each starts a hub, which takes a while on a machine that is busy.
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SESAME = Path(sys.executable).with_name("sesame")
SIGNALS = 30


@define
class Sender:
    """Sends envelopes until it is stopped, and remembers the acknowledged ones."""

    made: HubFixture
    number: int
    acknowledged: list[bytes] = field(factory=list)
    over: threading.Event = field(factory=threading.Event)

    def run(self) -> None:
        """One after the other."""
        with requests.Session() as session:
            while not self.over.is_set():
                count = len(self.acknowledged)
                signals = [self.made.order(f"p{n}", f"{self.number}-{count}-{n}") for n in range(SIGNALS)]
                envelope = self.made.shop.seal(*signals, jti=f"{self.number}-{count}")
                answer = self.made.post(envelope, session)
                assert answer.status_code == 202
                self.acknowledged.append(envelope)


def ledger(path: Path) -> list[tuple[str, bytes]]:
    """What a hub's ledger holds, in its order: the id of each envelope, and its receipt."""
    with closing(sqlite3.connect(path / "hub.sqlite")) as connection:
        return connection.execute("SELECT jti, outcome FROM envelopes ORDER BY id").fetchall()


def sesame(*words: object) -> str:
    """Run a command; its stderr."""
    done = subprocess.run(
        [SESAME, *map(str, words)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_backup_in_the_middle_of_ingest_is_a_prefix_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    """By the commands, beside a hub under load: whole envelopes, in their order."""
    with new_hub_fixture(tmp_path) as made:
        made.record_consents(*(f"p{n}" for n in range(SIGNALS)))
        senders = [Sender(made, number) for number in range(4)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        with running(made.path, made.port):
            for thread in threads:
                thread.start()
            wait_until(lambda: all(len(sender.acknowledged) > 5 for sender in senders))
            before = [len(sender.acknowledged) for sender in senders]
            sesame("hub", "backup", tmp_path / "hub.tar", "--with-key", "--hub", made.path)
            after = [len(sender.acknowledged) for sender in senders]
            wait_until(lambda: all(len(s.acknowledged) > n + 2 for s, n in zip(senders, after, strict=True)))
            for sender in senders:
                sender.over.set()
            for thread in threads:
                thread.join()
        log = made.path / "withdrawals.jsonl"
        output = sesame(
            "hub", "restore", tmp_path / "hub.tar", "--withdrawal-log", log, "--hub", tmp_path / "back"
        )
    assert "is restored to" in output
    whole, back = ledger(made.path), ledger(tmp_path / "back")
    assert back == whole[: len(back)]
    assert len(back) < len(whole)
    names = {jti for jti, _ in back}
    for sender, count in zip(senders, before, strict=True):
        assert {f"{sender.number}-{n}" for n in range(count)} <= names
    envelopes = sum(jti[1:2] == "-" for jti in names)
    with Hub.open(tmp_path / "back") as hub:
        with closing(sqlite3.connect(tmp_path / "back" / "hub.sqlite")) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM signals").fetchone()
        assert hub.rebuild().signals == rows == envelopes * SIGNALS


@define
class Old:
    """A hub with a person in it, its backup, and what is to become of it."""

    path: Path
    file: Path
    shop: Partner
    hub: Hub

    @property
    def withdrawal_log(self) -> Path:
        """Of the old hub."""
        return self.path / "withdrawals.jsonl"


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    """Ada and ben agreed, and bought; then the backup was made."""
    path = create_hub(tmp_path / "hub", issuer="https://hub.example").path
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS, reads=["retail"])
        given = timestamps.utc_now() - timedelta(days=1)
        for person in ("ada", "ben"):
            hub.add_grants(shop.grants(person, ORDER, reads="retail", given_at=given))
            shop.send(shop.signal(person, f"{person} 1", at=given))
        file, _ = create_backup(load_settings(path), tmp_path, with_key=True)
        yield Old(path, file, shop, hub)


def test_a_backup_is_its_owners_alone_and_says_what_it_is(old: Old, tmp_path: Path) -> None:
    """0600, named by the from_micros, with the key only if that was asked for; its files are named."""
    assert stat.S_IMODE(old.file.stat().st_mode) == 0o600
    manifest = archive.read_manifest(old.file)
    assert old.file.name == f"hub-{manifest.created_at:%Y%m%dT%H%M%SZ}.tar"
    assert manifest.kid == SigningKey.load(old.path / KEY_FILE).kid
    assert set(manifest.members) == {"ledger.sqlite", SETTINGS_FILE, KEY_FILE}
    _, other = create_backup(load_settings(old.path), tmp_path / "without.tar")
    assert set(other.members) == {"ledger.sqlite", SETTINGS_FILE}
    assert (old.path / KEY_FILE).read_bytes() not in (tmp_path / "without.tar").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"hub", old.file.name, "without.tar"}


def test_a_backup_overwrites_nothing(old: Old, tmp_path: Path) -> None:
    """Nor is anything left where it cannot be made."""
    with pytest.raises(ConfigurationError, match="file exists"):
        create_backup(load_settings(old.path), old.file)
    with pytest.raises(ConfigurationError, match="parent folder does not exist"):
        create_backup(load_settings(old.path), tmp_path / "nowhere" / "hub.tar")
    empty = create_hub(tmp_path / "empty", issuer="https://hub.example").path
    with pytest.raises(ConfigurationError, match="file not found"):
        create_backup(load_settings(empty), tmp_path / "empty.tar")
    assert not (tmp_path / "empty.tar").exists()


@pytest.mark.parametrize("name", ["nightly", "nightly/", "nightly.tar/", "hub-backups.2026"])
def test_a_folder_that_is_missing_is_made_and_works_the_second_night(
    old: Old, tmp_path: Path, name: str
) -> None:
    """A name without .tar, or with a slash, is a folder: it never becomes one file that blocks the next."""
    nights = [timestamps.utc_now(), timestamps.utc_now() + timedelta(days=1)]
    files = [
        create_backup(load_settings(old.path), f"{tmp_path}/{name}", clock=lambda night=night: night)[0]
        for night in nights
    ]
    folder = tmp_path / name.rstrip("/")
    assert {file.parent for file in files} == {folder}
    assert len(list(folder.iterdir())) == len(files) == 2
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_backup_into_a_file_without_tar_is_refused(old: Old, tmp_path: Path) -> None:
    """Such a file stands where the folder would be."""
    (tmp_path / "backups").write_text("an old backup")
    with pytest.raises(ConfigurationError, match="file exists") as refused:
        create_backup(load_settings(old.path), tmp_path / "backups")
    assert refused.value.hint == "name a folder, or a new file ending in .tar"


def test_a_damaged_ledger_is_not_taken_for_a_backup(old: Old, tmp_path: Path) -> None:
    """The copy is looked at page by page before it gets its name."""
    old.hub.close()
    with (old.path / "hub.sqlite").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(ConfigurationError, match=r"damaged|cannot be read"):
        create_backup(load_settings(old.path), tmp_path / "bad.tar")
    assert not (tmp_path / "bad.tar").exists()


def test_withdrawals_since_the_backup_are_replayed(old: Old, tmp_path: Path) -> None:
    """A withdrawal and a revoked key after the backup hold in what is restored; the rest is there."""
    old.hub.withdraw_grants("ada", old.shop.issuer)
    old.hub.revoke_key(old.shop.key.kid, timestamps.utc_now(), issuer=old.shop.issuer)
    done = restore(old.file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert done.replayed == 2
    with Hub.open(tmp_path / "back") as hub:
        assert [grant.withdrawn_at is not None for _, grant in hub.list_grants("ada")] == [True, True]
        assert [grant.withdrawn_at is not None for _, grant in hub.list_grants("ben")] == [False, False]
        assert hub.list_partners()[0].kids == ()
        with pytest.raises(InvalidInputError):
            hub.receive(old.shop.seal(old.shop.signal("ben", "later")))
        assert len(hub.list_grants("ada")) == len(old.hub.list_grants("ada"))


def test_a_revocation_is_replayed_whatever_else_is_in_the_ledger(old: Old, tmp_path: Path) -> None:
    """One damaged envelope does not keep a key valid; a key that came after the backup stays revoked too."""
    change(old.path, "UPDATE envelopes SET token = CAST('?' AS BLOB), audience = '?' WHERE id = 2")
    file, _ = create_backup(load_settings(old.path), tmp_path / "damaged.tar", with_key=True)
    later = SigningKey.generate()
    old.hub.add_partner(old.shop.issuer, [later.public_jwk])
    for kid in (old.shop.key.kid, later.kid):
        old.hub.revoke_key(kid, timestamps.utc_now())
    done = restore(file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert (done.replayed, done.unknown) == (1, 1)
    with Hub.open(tmp_path / "back") as hub:
        assert hub.list_partners()[0].kids == ()
        with pytest.raises(InvalidInputError, match="was revoked"):
            hub.add_partner(old.shop.issuer, [later.public_jwk])


def test_an_erasure_is_replayed_though_an_envelope_is_damaged(old: Old, tmp_path: Path) -> None:
    """The envelope is quarantined, and named; nothing of it stays, since it may hold the person's data."""
    change(old.path, "UPDATE envelopes SET disclosures = CAST('~no base64~' AS BLOB) WHERE id = 2")
    file, _ = create_backup(load_settings(old.path), tmp_path / "damaged.tar", with_key=True)
    old.hub.withdrawal_log.record_erasure("ada")
    old.hub.revoke_key(old.shop.key.kid, timestamps.utc_now())
    done = restore(file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert done.replayed == 2
    assert [one.envelope for one in done.ledger.differences] == [2]
    with Hub.open(tmp_path / "back") as hub:
        assert "ada" not in hub.list_people()
        assert hub.list_partners()[0].kids == ()
    assert b"no base64" not in (tmp_path / "back" / "hub.sqlite").read_bytes()


def test_a_backup_says_that_an_envelope_is_missing(old: Old, tmp_path: Path) -> None:
    """It is written all the same, the command exits with 4, and a restore of it too."""
    change(old.path, "DELETE FROM envelopes WHERE id = 3")
    command = [SESAME, "hub", "backup", tmp_path / "less.tar", "--with-key", "--hub", old.path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, "sesame hub verify" in done.stderr) == (4, True)
    assert archive.read_manifest(tmp_path / "less.tar").differences == 2
    restored = restore(tmp_path / "less.tar", tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert len(restored.ledger.differences) == 2


def test_an_older_withdrawal_and_a_new_consent_are_as_they_were(old: Old, tmp_path: Path) -> None:
    """Only what came after the backup is done again."""
    old.hub.withdraw_grants("ada", old.shop.issuer)
    given = timestamps.utc_now() + timedelta(minutes=10)
    late = Hub.open(old.path, clock=lambda: given + timedelta(minutes=1))
    with late:
        late.add_grants(old.shop.grants("ada", ORDER, given_at=given))
        file, _ = create_backup(
            load_settings(old.path),
            tmp_path / "later.tar",
            with_key=True,
            clock=lambda: given + timedelta(minutes=2),
        )
    done = restore(file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert done.replayed == 0
    with Hub.open(tmp_path / "back") as hub:
        assert sum(grant.withdrawn_at is None for _, grant in hub.list_grants("ada")) == 1


def test_an_erasure_since_the_backup_is_replayed_before_the_hub_can_run(old: Old, tmp_path: Path) -> None:
    """The backup holds the person, and the restored hub does not; later people are unknown to it."""
    old.hub.rights.erase("ada")
    old.hub.withdrawal_log.record_erasure("somebody who came after the backup")
    assert restore(old.file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log]).replayed == 1
    with Hub.open(tmp_path / "back") as hub:
        assert "ada" not in hub.list_people()
        assert hub.list_grants("ada") == []


def test_without_a_complete_withdrawal_log_nothing_is_restored(old: Old, tmp_path: Path) -> None:
    """Unless the replay is skipped by a flag: people who withdrew since would reappear."""
    with pytest.raises(ConfigurationError, match=r"withdrawal log.*would reappear"):
        restore(old.file, tmp_path / "back")
    old.withdrawal_log.unlink()
    Hub.open(old.path).close()  # begins a new one, which knows nothing of before
    with pytest.raises(ConfigurationError, match=r"does not reach back"):
        restore(old.file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert not (tmp_path / "back").exists()
    assert restore(old.file, tmp_path / "back", without_withdrawal_log=True).replayed == 0
    Hub.open(tmp_path / "back").close()


def test_the_restored_hub_continues_the_withdrawal_log_of_the_old_one(old: Old, tmp_path: Path) -> None:
    """So the same backup can be restored a second time, and what was taken back before still is."""
    old.hub.withdraw_grants("ada", old.shop.issuer)
    restore(old.file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert stat.S_IMODE((tmp_path / "back" / "withdrawals.jsonl").stat().st_mode) == 0o600
    again = restore(old.file, tmp_path / "again", withdrawal_logs=[tmp_path / "back" / "withdrawals.jsonl"])
    assert again.replayed >= 1
    with Hub.open(tmp_path / "again") as hub:
        assert all(grant.withdrawn_at for _, grant in hub.list_grants("ada"))


def _has_a_ledger(old: Old, folder: Path) -> None:
    folder.mkdir()
    shutil.copy(old.path / "hub.sqlite", folder)


def _has_another_key(_: Old, folder: Path) -> None:
    folder.mkdir()
    SigningKey.generate().save(folder / KEY_FILE)


def _has_another_issuer(_: Old, folder: Path) -> None:
    folder.mkdir()
    (folder / SETTINGS_FILE).write_text('issuer = "https://other.example"\n')


def _has_another_product(_: Old, folder: Path) -> None:
    folder.mkdir()
    (folder / SETTINGS_FILE).write_text(
        'issuer = "https://hub.example"\ndatabase = "postgresql://127.0.0.1/hub"\n'
    )


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        pytest.param(_has_a_ledger, "file exists", id="a ledger is there"),
        pytest.param(_has_another_key, "not the key of this backup", id="the key of another hub is there"),
        pytest.param(_has_another_issuer, "not the issuer of this backup", id="the settings of another hub"),
        pytest.param(_has_another_product, "for another database system", id="settings of another product"),
    ],
)
def test_a_folder_that_does_not_fit_is_not_changed(
    old: Old, tmp_path: Path, prepare: Callable[[Old, Path], None], says: str
) -> None:
    """The error has the reason."""
    folder = tmp_path / "back"
    prepare(old, folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(ConfigurationError, match=says):
        restore(old.file, folder, withdrawal_logs=[old.withdrawal_log])
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_running_hub_is_not_restored_over(tmp_path: Path) -> None:
    """Its ledger is there."""
    with new_hub_fixture(tmp_path) as made, running(made.path, made.port):
        file, _ = create_backup(load_settings(made.path), tmp_path, with_key=True)
        with pytest.raises(ConfigurationError, match="file exists"):
            restore(file, made.path)
        assert made.get("/health/ready").ok


def test_a_backup_without_the_key_needs_it_in_the_folder(old: Old, tmp_path: Path) -> None:
    """Settings that lie there hold instead of those in the backup."""
    file, _ = create_backup(load_settings(old.path), tmp_path / "without.tar")
    with pytest.raises(ConfigurationError, match=r"signing.jwk.*copy it to"):
        restore(file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert not (tmp_path / "back").exists()
    (tmp_path / "back").mkdir()
    shutil.copy(old.path / KEY_FILE, tmp_path / "back")
    (tmp_path / "back" / SETTINGS_FILE).write_text('issuer = "https://hub.example"\nbatch_size = 7\n')
    restore(file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    with Hub.open(tmp_path / "back") as hub:
        assert hub.settings.batch_size == 7
        assert hub.jwks() == old.hub.jwks()


def _cut_short(file: Path) -> None:
    with file.open("r+b") as damaged:
        damaged.truncate(file.stat().st_size // 2)


def _one_bit(file: Path) -> None:
    with tarfile.open(file) as tar:
        place = tar.getmember("ledger.sqlite").offset_data
    with file.open("r+b") as damaged:
        damaged.seek(place + 20_000)
        byte = damaged.read(1)
        damaged.seek(place + 20_000)
        damaged.write(bytes([byte[0] ^ 1]))


def _something_else(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04" * 1000)


def _of_the_future(file: Path) -> None:
    text = b'{"format_version":2,"issuer":"https://hub.example","kid":"k","created_at":"2026-06-01T00:00:00Z","version":"9","members":{}}'
    with tarfile.open(file, "w") as tar:
        entry = tarfile.TarInfo(archive.MANIFEST)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(_cut_short, "no readable manifest", id="cut short"),
        pytest.param(_one_bit, "member ledger.sqlite is damaged", id="one bit is another"),
        pytest.param(_something_else, "cannot be read as a backup", id="no tar at all"),
        pytest.param(_of_the_future, "of another version", id="a form that is not known yet"),
    ],
)
def test_a_damaged_backup_is_reported_before_anything_is_put_in_place(
    old: Old, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    """And nothing is left behind."""
    damage(old.file)
    with pytest.raises(ConfigurationError, match=says):
        restore(old.file, tmp_path / "back", withdrawal_logs=[old.withdrawal_log])
    assert not (tmp_path / "back").exists()


def test_names_in_an_archive_lead_nowhere(old: Old, tmp_path: Path) -> None:
    """A member is written under a name of ours or not at all."""
    manifest = archive.read_manifest(old.file)
    evil = {"../evil": archive.Member(1, "x")}
    bad = msgspec.json.encode(evolve(manifest, members=evil))
    with tarfile.open(old.file, "w") as tar:
        for name, text in (("../evil", b"x"), (archive.MANIFEST, bad)):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    with pytest.raises(ConfigurationError, match="invalid member name"):
        restore(old.file, tmp_path / "back", without_withdrawal_log=True)
    assert not (tmp_path / "evil").exists()
