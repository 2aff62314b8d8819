"""A backup of a ledger in PostgreSQL, by its own programs, beside a hub that writes; and back."""

import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.backup.archive import no_progress
from sesame_sdk.hub.backup.backup import create_backup
from sesame_sdk.hub.backup.postgresql import PostgreSQLLedger
from sesame_sdk.hub.backup.restore import restore
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import SETTINGS_FILE, create_hub, load_settings
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import ORDER, Partner
from tests.postgresql import Server, binaries

PEOPLE = [f"p{n}" for n in range(20)]
ISSUER = "https://hub.example"


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """``pg_dump`` and ``pg_restore``, where an operator has them."""
    monkeypatch.setenv("PATH", f"{binaries()}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def urls(postgresql: Server) -> Iterator[tuple[str, str]]:
    """Two empty databases."""
    names = [postgresql.create(), postgresql.create()]
    yield postgresql.url(names[0]), postgresql.url(names[1])
    for name in names:
        postgresql.drop(name)


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    """What a database answers."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_backup_of_a_hub_that_writes_comes_back_as_a_prefix(urls: tuple[str, str], tmp_path: Path) -> None:
    """Into another database, with every envelope that was acknowledged before, and what was taken back."""
    path = create_hub(tmp_path / "hub", issuer=ISSUER, database=urls[0]).path
    given = timestamps.utc_now() - timedelta(days=1)
    acknowledged: list[int] = []
    enough, over = threading.Event(), threading.Event()
    with Hub.open(path) as hub:
        shop = Partner.join("https://shop.example", hub, timestamps.utc_now, ORDERS)
        for person in PEOPLE:
            hub.add_grants(shop.grants(person, ORDER, given_at=given))

        def send() -> None:
            while not over.is_set():
                count = len(acknowledged)
                orders = [shop.signal(person, f"{count} {person}", at=given) for person in PEOPLE]
                hub.receive(shop.seal(*orders, jti=f"number-{count}"))
                acknowledged.append(count)
                if count == 5:
                    enough.set()

        sender = threading.Thread(target=send)
        sender.start()
        assert enough.wait(60)
        before = len(acknowledged)
        file, manifest = create_backup(load_settings(path), tmp_path, with_key=True)
        over.set()
        sender.join()
        hub.withdraw_grants(PEOPLE[0], shop.issuer)
    assert manifest.ledger == "ledger.pgdump"
    folder = tmp_path / "back"
    folder.mkdir()
    (folder / SETTINGS_FILE).write_text(f'issuer = "{ISSUER}"\ndatabase = "{urls[1]}"\n')
    (folder / SETTINGS_FILE).chmod(0o600)
    done = restore(file, folder, withdrawal_logs=[path / "withdrawals.jsonl"])
    assert done.replayed == 1
    whole, back = (rows(url, "SELECT jti, outcome FROM envelopes ORDER BY id") for url in urls)
    assert back == whole[: len(back)]
    assert {f"number-{count}" for count in range(before)} <= {jti for jti, _ in back}
    envelopes = sum(str(jti).startswith("number-") for jti, _ in back)
    with Hub.open(folder) as hub:
        ((kept,),) = rows(urls[1], "SELECT count(*) FROM signals")
        assert hub.rebuild().signals == kept == envelopes * len(PEOPLE)
        assert all(grant.withdrawn_at for _, grant in hub.list_grants(PEOPLE[0]))
        assert not any(grant.withdrawn_at for _, grant in hub.list_grants(PEOPLE[1]))


def test_a_database_that_holds_something_is_not_restored_over(urls: tuple[str, str], tmp_path: Path) -> None:
    """A running hub's among them: its tables are there."""
    path = create_hub(tmp_path / "hub", issuer=ISSUER, database=urls[0]).path
    with Hub.open(path):
        file, _ = create_backup(load_settings(path), tmp_path, with_key=True)
        with pytest.raises(ConfigurationError, match=r"not empty: \d+ table"):
            restore(file, tmp_path / "back", withdrawal_logs=[path / "withdrawals.jsonl"])
    assert not (tmp_path / "back").exists()


def test_a_damaged_dump_fills_nothing(urls: tuple[str, str], tmp_path: Path) -> None:
    """It is read to its end before the database is touched."""
    path = create_hub(tmp_path / "hub", issuer=ISSUER, database=urls[0]).path
    Hub.open(path).close()
    dump = tmp_path / "ledger.pgdump"
    ledger = PostgreSQLLedger(urls[0])
    ledger.back_up(dump, no_progress)
    with dump.open("r+b") as file:
        file.truncate(dump.stat().st_size * 2 // 3)
    with pytest.raises(ConfigurationError, match="pg_restore: failed"):
        ledger.check_copy(dump, no_progress)
    assert rows(urls[1], "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_no_password_stands_in_an_argument(
    urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs are given it in their environment; one in PGPASSFILE does as well."""
    arguments = tmp_path / "arguments"
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {arguments}\nexec {binaries()}/pg_dump "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    path = create_hub(tmp_path / "hub", issuer=ISSUER, database=urls[0]).path
    Hub.open(path).close()
    create_backup(load_settings(path), tmp_path / "one.tar")
    url = make_url(urls[0])
    password = str(url.password)
    assert len(password) > 5
    assert password not in arguments.read_text()
    assert "--dbname=host=" in arguments.read_text()
    (tmp_path / "pgpass").write_text(f"*:*:*:{url.username}:{password}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    monkeypatch.setenv("SESAME_DATABASE", url._replace(password=None).render_as_string())
    create_backup(load_settings(path), tmp_path / "two.tar")


def test_a_missing_or_failing_program_is_an_error(
    urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the package to install; and with only the first line of its stderr, which quotes no row."""
    path = create_hub(tmp_path / "hub", issuer=ISSUER, database=urls[0]).path
    Hub.open(path).close()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="install postgresql-client"):
        create_backup(load_settings(path), tmp_path / "one.tar")
    failing = tmp_path / "pg_dump"
    failing.write_text("#!/bin/sh\necho 'pg_dump: error: no' >&2\necho 'CONTEXT: p-17' >&2\nexit 1\n")
    failing.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"pg_dump: failed: pg_dump: error: no$"):
        create_backup(load_settings(path), tmp_path / "one.tar")
    assert not (tmp_path / "one.tar").exists()


def test_values_of_a_url_cannot_add_to_the_connection_string() -> None:
    """Quotes and backslashes are escaped, as libpq has it."""
    url = make_url("postgresql+psycopg://h/d").set(username="a' host='evil", database="d\\")
    assert PostgreSQLLedger(url.render_as_string())._dbname == (
        "--dbname=host='h' user='a\\' host=\\'evil' dbname='d\\\\'"
    )
