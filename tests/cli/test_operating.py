"""What an operator types at night: settings and where they come from, backups, streams."""

import json
from pathlib import Path

import pytest

from sesame_sdk.hub.settings import SETTINGS
from tests.cli.conftest import Run

PASSWORD = "correct-horse-battery"


def test_each_setting_is_shown_with_where_it_comes_from(
    run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flag, variable, file, default; an unknown variable with the prefix is an error."""
    monkeypatch.setenv("SESAME_MAX_BODY_BYTES", "5000")
    monkeypatch.setenv("SESAME_MAX_BODYBYTES", "6000")
    done = run("hub", "settings", "--hub", "hub", "--port", "99", "--json")
    settings = {row["setting"]: (row["value"], row["source"]) for row in json.loads(done.out)}
    assert list(settings) == list(SETTINGS)
    assert settings["port"] == ("99", "--port")
    assert settings["max_body_bytes"] == ("5000", "SESAME_MAX_BODY_BYTES")
    assert settings["issuer"][1] == "hub/hub.toml: issuer"
    assert settings["batch_size"] == ("16", "default")
    assert "SESAME_MAX_BODYBYTES is set but is not a setting" in done.err
    assert (hub / "hub.toml").exists()


def test_a_password_is_masked(run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the table, in JSON, and in the error when the database does not answer."""
    monkeypatch.delenv("COLUMNS", raising=False)  # or the table is folded
    monkeypatch.setenv("SESAME_DATABASE", f"postgresql://hub:{PASSWORD}@127.0.0.1:9/hub")
    for words in (("hub", "settings"), ("hub", "settings", "--json"), ("partners", "list")):
        done = run(*words, "--hub", hub)
        assert PASSWORD not in done.out + done.err
    assert "postgresql://hub:***@127.0.0.1:9/hub" in run("hub", "settings", "--hub", hub).out


@pytest.mark.parametrize("query", [False, True])
def test_init_refuses_a_password_in_its_flag(run: Run, tmp_path: Path, query: bool) -> None:
    """Other users see it in the process list. Nothing is made, and the error says how to give it."""
    url = f"postgresql://hub:{PASSWORD}@db/hub" if not query else f"postgresql://db/hub?password={PASSWORD}"
    done = run("hub", "init", "new", "--issuer", "https://hub.example", "--database", url)
    assert done.code == 2
    assert "--database: must not contain a password" in done.err
    assert all(way in done.err for way in ("SESAME_DATABASE", "PGPASSFILE", "hub.toml"))
    assert PASSWORD not in done.out + done.err
    assert not (tmp_path / "new").exists()


def test_a_wrong_setting_is_one_line_and_code_2(run: Run, hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a flag or a variable, before anything is served."""
    done = run("hub", "run", "--hub", hub, "--port", "eighty")
    assert (done.code, done.err) == (2, "error: --port: must be a whole number from 0 to 65535\n")
    monkeypatch.setenv("SESAME_LOG_LEVEL", "loud")
    done = run("hub", "run", "--hub", hub)
    assert (done.code, done.err) == (
        2,
        "error: SESAME_LOG_LEVEL: must be one of debug, info, warning, error\n",
    )


def test_the_help_of_run_has_every_setting(run: Run) -> None:
    """With its flag, its variable and its default."""
    shown = " ".join(run("hub", "run", "--help").out.split())
    for setting in SETTINGS.values():
        assert setting.flag in shown
        assert f"[env: {setting.variable}]" in shown
    assert "[default: 8080]" in shown


def test_a_backup_and_its_way_back(run: Run, hub: Path, tmp_path: Path) -> None:
    """One line for each; a missing setting comes with a hint."""
    (tmp_path / "backups").mkdir()
    done = run("hub", "backup", "backups", "--hub", hub)
    (file,) = (tmp_path / "backups").iterdir()
    assert done.code == 0
    assert done.err.startswith(f"backups/{file.name}: 0.")
    assert "without its key" in done.err
    missing = run("hub", "restore", file, "--hub", "new", "--withdrawal-log", hub / "withdrawals.jsonl")
    assert (missing.code, "signing.jwk" in missing.err) == (2, True)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "signing.jwk").write_bytes((hub / "signing.jwk").read_bytes())
    (tmp_path / "new" / "signing.jwk").chmod(0o600)
    done = run("hub", "restore", file, "--hub", "new", "--without-withdrawal-log")
    assert done.code == 0
    assert "by hand" in done.err
    assert (
        run("partners", "list", "--hub", "new", "--json").out
        == run("partners", "list", "--hub", hub, "--json").out
    )


def test_without_streams_the_list_is_empty(run: Run, hub: Path) -> None:
    """A hub without streams says so; a stream that is none is an error."""
    assert run("streams", "list", "--hub", hub).err == "no streams\n"
    assert run("streams", "redrive", "unknown", "--hub", hub).code == 4
