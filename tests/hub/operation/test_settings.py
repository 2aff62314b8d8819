"""Settings come from flags, the environment and hub.toml, in that order; and passwords are not shown."""

import json
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from sesame_sdk import ConfigurationError
from sesame_sdk.hub.asks import SettingType
from sesame_sdk.hub.database_url import has_password, masked
from sesame_sdk.hub.settings import (
    DEFAULT,
    FILE,
    SETTINGS,
    Settings,
    create_hub,
    load_settings,
    read_settings,
)
from tests.hub.fixtures import HUB

PASSWORD = "correct-horse-battery"
_WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
#: For each setting, values that are good.
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "issuer": _WORDS.map(lambda word: f"https://{word}.example"),
    "database": _WORDS.map(lambda word: f"sqlite:///{word}.sqlite"),
    "host": _WORDS,
    "metrics": st.integers(1, 65_535).map(lambda port: f"127.0.0.1:{port}") | st.just(""),
    "log_level": st.sampled_from(["debug", "info", "warning", "error"]),
    "log_format": st.sampled_from(["auto", "json", "text"]),
    "journal": _WORDS,
    "as_of": st.dates(date(1980, 1, 1)),
}


def good(name: str) -> st.SearchStrategy[Any]:
    """Good values of a setting."""
    if name in VALUES:
        return VALUES[name]
    words = SETTINGS[name].ask.words.split()
    return st.integers(int(words[-3]), int(words[-1]))


@st.composite
def _places(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Some settings in each place."""
    some = st.fixed_dictionaries({}, optional={name: good(name) for name in SETTINGS})
    return {place: draw(some) for place in ("flags", "environment", "file")}


def written(path: Path, told: dict[str, Any]) -> None:
    """A hub.toml."""
    lines = [
        f"{name} = {value.isoformat() if isinstance(value, date) else json.dumps(value)}"
        for name, value in told.items()
    ]
    (path / FILE).write_text("\n".join(lines), encoding="utf-8")
    (path / FILE).chmod(0o600)


@given(_places())
def test_a_flag_wins_over_the_environment_and_that_over_the_file(places: dict[str, dict[str, Any]]) -> None:
    """For every setting: the first that has it, and its name as the source; else the default."""
    flags, environment = places["flags"], places["environment"]
    file = {"issuer": HUB} | places["file"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        written(path, file)
        loaded = read_settings(
            path,
            flags={name: str(value) for name, value in flags.items()},
            environment={SETTINGS[name].variable: str(value) for name, value in environment.items()},
        )
    for name, setting in SETTINGS.items():
        found = [
            (place[name], source)
            for place, source in (
                (flags, setting.flag),
                (environment, setting.variable),
                (file, f"{path / FILE}: {name}"),
            )
            if name in place
        ]
        expected = found[0] if found else (setting.default, DEFAULT)
        assert (getattr(loaded.settings, name), loaded.sources[name]) == expected


def test_every_setting_asks_and_means_something() -> None:
    """Each can be read from a text, and has words for the help and the operator's page."""
    assert list(SETTINGS) == [field.name for field in fields(Settings)][1:]
    for setting in SETTINGS.values():
        assert isinstance(setting.ask, SettingType)
        assert setting.ask.words
        assert setting.means


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The folder of a new hub."""
    return create_hub(tmp_path / "hub", issuer=HUB).path


@pytest.mark.parametrize("name", [name for name, s in SETTINGS.items() if "whole number" in s.ask.words])
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
def test_a_wrong_number_is_told_with_where_it_stands_and_what_it_must_be(
    path: Path, name: str, wrong: str
) -> None:
    """The flag, the variable, or the file with the key; and what was given is not repeated."""
    setting = SETTINGS[name]
    for told, source in (
        ({"environment": {setting.variable: wrong}}, setting.variable),
        ({"environment": {}, "flags": {name: wrong}}, setting.flag),
    ):
        with pytest.raises(ConfigurationError) as error:
            load_settings(path, **told)  # type: ignore[arg-type]
        assert str(error.value) == f"{source}: must be {setting.ask.words}"
    written(path, {"issuer": HUB, name: wrong})
    with pytest.raises(ConfigurationError) as error:
        load_settings(path, environment={})
    assert str(error.value) == f"{path / FILE}: {name}: must be {setting.ask.words}"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        pytest.param("issuer", "hub", id="an issuer that is no URL"),
        pytest.param("metrics", "9464", id="a port without a host"),
        pytest.param("metrics", "127.0.0.1:0", id="port 0, which nobody would find"),
        pytest.param("metrics", "127.0.0.1:99999", id="a port that is none"),
        pytest.param("log_level", "chatty", id="a level that is none"),
        pytest.param("log_format", "JSON", id="a format in other letters"),
        pytest.param("as_of", "2026-06-01T10:00:00", id="a moment instead of a day"),
        pytest.param("host", "  ", id="a host of spaces"),
    ],
)
def test_other_wrong_settings_are_told_in_the_same_way(path: Path, name: str, wrong: str) -> None:
    """Naming the variable."""
    setting = SETTINGS[name]
    with pytest.raises(ConfigurationError) as error:
        load_settings(path, environment={setting.variable: wrong})
    assert str(error.value) == f"{setting.variable}: must be {setting.ask.words}"


@pytest.mark.parametrize("good", ["127.0.0.1:9464", "[::1]:9464", "metrics.internal:1", ""])
def test_an_address_for_figures(path: Path, good: str) -> None:
    """A host with a port, or nothing."""
    assert load_settings(path, environment={"SESAME_METRICS": good}).metrics == good


def test_a_true_is_no_number(path: Path) -> None:
    """Although Python takes it for 1."""
    (path / FILE).write_text(f'issuer = "{HUB}"\ngroup = true\n')
    with pytest.raises(ConfigurationError, match="group: must be a whole number"):
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
    """And told from a URL without one."""
    assert masked(url) == shown
    assert has_password(url) == (url != shown)


def test_a_password_is_not_shown_with_the_settings(path: Path) -> None:
    """Neither by their text in a trace."""
    loaded = load_settings(path, environment={"SESAME_DATABASE": URL})
    assert loaded.database == URL
    assert PASSWORD not in repr(loaded)
    assert PASSWORD not in repr(evolve(loaded, port=1))


def test_a_password_as_a_flag_is_refused(path: Path) -> None:
    """Everybody on the machine may read the arguments of a process; how else is said."""
    with pytest.raises(
        ConfigurationError, match=r"--database: must not hold a password.*PGPASSFILE"
    ) as error:
        load_settings(path, flags={"database": URL}, environment={})
    assert PASSWORD not in str(error.value)


def test_a_password_in_a_file_that_others_may_read_is_refused(path: Path) -> None:
    """Until it is its owner's alone."""
    written(path, {"issuer": HUB, "database": URL})
    (path / FILE).chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_settings(path, environment={})
    (path / FILE).chmod(0o600)
    assert load_settings(path, environment={}).database == URL
