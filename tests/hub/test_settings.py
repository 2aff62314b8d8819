"""A hub's folder and settings: sources, errors, and passwords that are never shown."""

import json
import os
import stat
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import (
    DEFAULT,
    SETTINGS,
    SETTINGS_FILE,
    Settings,
    SettingType,
    create_hub,
    has_password,
    load_settings,
    load_with_sources,
    mask_password,
)
from sesame_sdk.model.issuers import normalize_issuer
from tests.hub.fixtures import HUB

PASSWORD = "correct-horse-battery"
_WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
#: For each setting, values that are good.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "issuer": _WORDS.map(lambda word: f"https://{word}.example"),
    "database": _WORDS.map(lambda word: f"sqlite:///{word}.sqlite"),
    "host": _WORDS,
    "metrics_address": st.integers(1, 65_535).map(lambda port: f"127.0.0.1:{port}") | st.just(""),
    "log_level": st.sampled_from(["debug", "info", "warning", "error"]),
    "log_format": st.sampled_from(["auto", "json", "text"]),
    "withdrawal_log": _WORDS,
    "push_networks": st.lists(st.ip_addresses().map(str), max_size=2).map(", ".join),
    "push_ports": st.lists(st.integers(1, 65_535).map(str), max_size=2).map(",".join),
    "as_of": st.dates(date(1980, 1, 1)),
}


def good(name: str) -> st.SearchStrategy[Any]:
    """Good values of a setting."""
    if name in VALUES:
        return VALUES[name]
    words = SETTINGS[name].type.expected.split()
    return st.integers(int(words[-3]), int(words[-1]))


@st.composite
def _places(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Some settings in each place."""
    some = st.fixed_dictionaries({}, optional={name: good(name) for name in SETTINGS})
    return {place: draw(some) for place in ("flags", "environment", "file")}


def written(path: Path, values: dict[str, Any]) -> None:
    """A hub.toml."""
    lines = [
        f"{name} = {value.isoformat() if isinstance(value, date) else json.dumps(value)}"
        for name, value in values.items()
    ]
    (path / SETTINGS_FILE).write_text("\n".join(lines), encoding="utf-8")
    (path / SETTINGS_FILE).chmod(0o600)


@given(_places())
def test_a_flag_wins_over_the_environment_and_that_over_the_file(places: dict[str, dict[str, Any]]) -> None:
    """For every setting: the first that has it, and its name as the source; else the default."""
    flags, environment = places["flags"], places["environment"]
    file = {"issuer": HUB} | places["file"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        written(path, file)
        loaded = load_with_sources(
            path,
            flags={name: str(value) for name, value in flags.items()},
            environment={SETTINGS[name].variable: str(value) for name, value in environment.items()},
        )
    for name, setting in SETTINGS.items():
        sources = [
            (place[name], source)
            for place, source in (
                (flags, setting.flag),
                (environment, setting.variable),
                (file, f"{path / SETTINGS_FILE}: {name}"),
            )
            if name in place
        ]
        expected = sources[0] if sources else (setting.default, DEFAULT)
        if name == "issuer":
            expected = normalize_issuer(str(expected[0])), expected[1]
        assert (getattr(loaded.settings, name), loaded.sources[name]) == expected


def test_every_setting_has_a_type_and_help() -> None:
    """For the command line's help and the operators' page."""
    assert list(SETTINGS) == [field.name for field in fields(Settings)][1:]
    for setting in SETTINGS.values():
        assert isinstance(setting.type, SettingType)
        assert setting.type.expected
        assert setting.help


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The folder of a new hub."""
    return create_hub(tmp_path / "hub", issuer=HUB).path


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("push_networks", "reader.example"),
        ("push_networks", "10.0.0.1/8"),
        ("push_networks", "10.0.0.0/33"),
        ("push_ports", "0"),
        ("push_ports", "65536"),
        ("push_ports", "8_443"),
        ("push_ports", "8443;22"),
    ],
)
def test_what_a_hub_may_push_to_is_checked(path: Path, name: str, wrong: str) -> None:
    """A network with host bits is a mistake, not a wider network."""
    with pytest.raises(ConfigurationError, match=f"must be {SETTINGS[name].type.expected}"):
        load_settings(path, environment={SETTINGS[name].variable: wrong})


@pytest.mark.parametrize("name", [name for name, s in SETTINGS.items() if "whole number" in s.type.expected])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("1_000", id="with an underscore"),
        pytest.param("-1", id="below all bounds"),
        pytest.param("9" * 30, id="above all bounds"),
        pytest.param("1e3", id="with an exponent"),
        pytest.param("", id="nothing at all"),
        pytest.param("٣٣٣", id="in digits of another script"),
    ],
)
def test_an_invalid_number_is_reported_with_its_source_and_bounds(path: Path, name: str, wrong: str) -> None:
    """The flag, the variable, or the file with the key; and what was given is not repeated."""
    setting = SETTINGS[name]
    for values, source in (
        ({"environment": {setting.variable: wrong}}, setting.variable),
        ({"environment": {}, "flags": {name: wrong}}, setting.flag),
    ):
        with pytest.raises(ConfigurationError) as error:
            load_settings(path, **values)  # type: ignore[arg-type]
        assert str(error.value) == f"{source}: must be {setting.type.expected}"
    written(path, {"issuer": HUB, name: wrong})
    with pytest.raises(ConfigurationError) as error:
        load_settings(path, environment={})
    assert str(error.value) == f"{path / SETTINGS_FILE}: {name}: must be {setting.type.expected}"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        pytest.param("issuer", "hub", id="an issuer that is no URL"),
        pytest.param("metrics_address", "9464", id="a port without a host"),
        pytest.param("metrics_address", "127.0.0.1:0", id="port 0, which is chosen at random"),
        pytest.param("metrics_address", "127.0.0.1:99999", id="a port that is none"),
        pytest.param("log_level", "chatty", id="a level that is none"),
        pytest.param("log_format", "JSON", id="a format in capitals"),
        pytest.param("as_of", "2026-06-01T10:00:00", id="a time instead of a day"),
        pytest.param("host", "  ", id="a host of spaces"),
    ],
)
def test_other_invalid_settings_are_reported_in_the_same_way(path: Path, name: str, wrong: str) -> None:
    """Naming the variable."""
    setting = SETTINGS[name]
    with pytest.raises(ConfigurationError) as error:
        load_settings(path, environment={setting.variable: wrong})
    assert str(error.value) == f"{setting.variable}: must be {setting.type.expected}"


@pytest.mark.parametrize("good", ["127.0.0.1:9464", "[::1]:9464", "metrics.internal:1", ""])
def test_a_metrics_address(path: Path, good: str) -> None:
    """A host with a port, or nothing."""
    assert load_settings(path, environment={"SESAME_METRICS_ADDRESS": good}).metrics_address == good


def test_a_boolean_is_not_a_number(path: Path) -> None:
    """Although Python takes it for 1."""
    (path / SETTINGS_FILE).write_text(f'issuer = "{HUB}"\nbatch_size = true\n')
    with pytest.raises(ConfigurationError, match="batch_size: must be a whole number"):
        load_settings(path, environment={})


URL = f"postgresql+psycopg://hub:{PASSWORD}@db.example/hub"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param(URL, "postgresql+psycopg://hub:***@db.example/hub", id="in its place"),
        pytest.param(f"postgresql://:{PASSWORD}@h/d", "postgresql://:***@h/d", id="without a user"),
        pytest.param(
            f"postgresql://u:p@ss/{PASSWORD}@h/d", "postgresql://u:***@h/d", id="with an @ and a slash"
        ),
        pytest.param(
            f"postgresql://h/d?user=u&password={PASSWORD}&sslmode=require",
            "postgresql://h/d?user=u&password=***&sslmode=require",
            id="as a parameter",
        ),
        pytest.param("postgresql://u@h/d", "postgresql://u@h/d", id="none at all"),
        pytest.param("sqlite:////srv/a:b@c.sqlite", "sqlite:////srv/a:b@c.sqlite", id="a file with an @"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_password_in_a_url_is_masked(url: str, shown: str) -> None:
    """And recognised in a URL without a port."""
    assert mask_password(url) == shown
    assert has_password(url) == (url != shown)


def test_a_password_is_not_shown_with_the_settings(path: Path) -> None:
    """Neither by their text in a trace."""
    loaded = load_settings(path, environment={"SESAME_DATABASE": URL})
    assert loaded.database == URL
    assert PASSWORD not in repr(loaded)
    assert PASSWORD not in repr(evolve(loaded, port=1))


def test_a_password_as_a_flag_is_refused(path: Path) -> None:
    """Every user of the machine can read a process's arguments; the hint names another way."""
    with pytest.raises(
        ConfigurationError, match=r"--database: must not contain a password.*PGPASSFILE"
    ) as error:
        load_settings(path, flags={"database": URL}, environment={})
    assert PASSWORD not in str(error.value)


def test_a_password_in_a_file_that_others_may_read_is_refused(path: Path) -> None:
    """Until it is its owner's alone."""
    written(path, {"issuer": HUB, "database": URL})
    (path / SETTINGS_FILE).chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_settings(path, environment={})
    (path / SETTINGS_FILE).chmod(0o600)
    assert load_settings(path, environment={}).database == URL


def test_a_new_hub_is_its_owners_alone(tmp_path: Path) -> None:
    """Folder, key and ledger are private to their owner."""
    settings = create_hub(tmp_path / "a" / "hub", issuer=HUB)
    Hub.open(settings.path).close()
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600


def test_a_ledger_in_another_folder_is_private_to_its_owner(tmp_path: Path) -> None:
    """With its log, its locks and its index, whatever the umask."""
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    database = f"sqlite:///{other}/ledger.sqlite"
    create_hub(tmp_path / "hub", issuer=HUB, database=database)
    before = os.umask(0o022)
    try:
        with Hub.open(tmp_path / "hub") as hub:
            hub.streams.acquire_leader_lock()
            hub.rebuild()
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in other.iterdir()}
    finally:
        os.umask(before)
    assert {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-streams"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_settings_come_back_as_they_were_given(tmp_path: Path) -> None:
    """Also the day of an old feed."""
    made = create_hub(tmp_path / "hub", issuer=HUB, as_of=date(2011, 9, 1))
    assert load_settings(tmp_path / "hub") == made


def test_a_hub_is_not_made_twice(hub_path: Path) -> None:
    """Its key would be lost."""
    with pytest.raises(ConfigurationError, match="folder is not empty"):
        create_hub(hub_path, issuer=HUB)


def test_a_hub_without_a_url_is_not_made(tmp_path: Path) -> None:
    """And leaves nothing behind."""
    with pytest.raises(InvalidInputError, match="issuer"):
        create_hub(tmp_path / "hub", issuer="hub")
    assert not (tmp_path / "hub").exists()


def test_the_ledger_lies_in_the_folder_wherever_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path in the settings is taken from the folder, not from where the process was started."""
    hub_path = create_hub(tmp_path / "hub", issuer=HUB).path
    monkeypatch.chdir(hub_path.parent)
    with Hub.open(Path("hub")):
        pass
    assert (hub_path / "hub.sqlite").exists()
    assert (
        Settings(hub_path, HUB, database="sqlite:////srv/hub.sqlite").database_url
        == "sqlite:////srv/hub.sqlite"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("issuer = ", SETTINGS_FILE, id="not TOML"),
        pytest.param("", "issuer", id="no issuer"),
        pytest.param('issuer = "hub"', "issuer", id="an issuer that is no URL"),
        pytest.param(f'issuer = "{HUB}"\nmax_queue = 0', "max_queue", id="a queue of length 0"),
        pytest.param(f'issuer = "{HUB}"\nbody_limit = "2 MB"', "max_body_bytes", id="a number that is none"),
        pytest.param(f'issuer = "{HUB}"\nports = 80', "unknown setting ports", id="a setting that is none"),
        pytest.param(f'issuer = "{HUB}"\nas_of = "yesterday"', "as_of", id="a day that is none"),
    ],
)
def test_an_invalid_setting_is_named(hub_path: Path, text: str, named: str) -> None:
    """File and key, in one line."""
    (hub_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=named) as wrong:
        Hub.open(hub_path)
    assert str(hub_path / SETTINGS_FILE) in str(wrong.value)


@pytest.mark.parametrize(
    ("database", "named"),
    [
        pytest.param("mysql://localhost/hub", "mysql", id="another product"),
        pytest.param("postgresql://127.0.0.1:1/hub", "cannot be opened", id="a server that is not there"),
        pytest.param("hub.sqlite", "cannot be opened", id="no URL"),
        pytest.param(
            "sqlite:////nowhere/at/all/hub.sqlite", "cannot be opened", id="a folder that is not there"
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_named(hub_path: Path, database: str, named: str) -> None:
    """Before anything else is done."""
    (hub_path / SETTINGS_FILE).write_text(f'issuer = "{HUB}"\ndatabase = "{database}"\n')
    with pytest.raises(ConfigurationError, match=named):
        Hub.open(hub_path)


def test_a_folder_without_a_hub_says_how_to_make_one(tmp_path: Path) -> None:
    """The command is in the message."""
    with pytest.raises(ConfigurationError, match="sesame hub init"):
        Hub.open(tmp_path)
