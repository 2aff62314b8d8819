"""A hub's folder: made once, private, and checked when it is opened."""

import stat
from datetime import date
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import FILE, Settings, create_hub, load_settings
from tests.hub.fixtures import HUB


def test_a_new_hub_is_its_owners_alone(tmp_path: Path) -> None:
    """Folder, key and ledger let nobody else in."""
    settings = create_hub(tmp_path / "a" / "hub", issuer=HUB)
    Hub.open(settings.path).close()
    assert stat.S_IMODE(settings.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600


def test_settings_come_back_as_they_were_given(tmp_path: Path) -> None:
    """Also the day of an old feed."""
    made = create_hub(tmp_path / "hub", issuer=HUB, as_of=date(2011, 9, 1))
    assert load_settings(tmp_path / "hub") == made


def test_a_hub_is_not_made_twice(hub_path: Path) -> None:
    """Its key would be lost."""
    with pytest.raises(ConfigurationError, match="holds something already"):
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
        pytest.param("issuer = ", FILE, id="not TOML"),
        pytest.param("", "issuer", id="no issuer"),
        pytest.param('issuer = "hub"', "issuer", id="an issuer that is no URL"),
        pytest.param(f'issuer = "{HUB}"\nwaiting = 0', "waiting", id="nobody may wait"),
        pytest.param(f'issuer = "{HUB}"\nbody_limit = "2 MB"', "body_limit", id="a number that is none"),
        pytest.param(f'issuer = "{HUB}"\nports = 80', "ports is not a setting", id="a setting that is none"),
        pytest.param(f'issuer = "{HUB}"\nas_of = "yesterday"', "as_of", id="a day that is none"),
    ],
)
def test_settings_that_are_wrong_are_named(hub_path: Path, text: str, named: str) -> None:
    """File and key, in one line."""
    (hub_path / FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=named) as wrong:
        Hub.open(hub_path)
    assert str(hub_path / FILE) in str(wrong.value)


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
    (hub_path / FILE).write_text(f'issuer = "{HUB}"\ndatabase = "{database}"\n')
    with pytest.raises(ConfigurationError, match=named):
        Hub.open(hub_path)


def test_a_folder_without_a_hub_says_how_to_make_one(tmp_path: Path) -> None:
    """The command is in the message."""
    with pytest.raises(ConfigurationError, match="sesame hub init"):
        Hub.open(tmp_path)
