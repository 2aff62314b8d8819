"""A partner's folder: made whole, read strictly, for its owner alone."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sesame_sdk import ConfigurationError, InvalidInputError, PartnerConfig
from sesame_sdk.partner.client import Client

SHOP = "https://shop.example"
HUB = "https://hub.example"


@pytest.fixture
def config(tmp_path: Path) -> PartnerConfig:
    """A new folder."""
    return PartnerConfig.create(tmp_path / "deep" / "shop", issuer=SHOP, hub=HUB)


def test_what_was_made_can_be_read(config: PartnerConfig) -> None:
    """The same partner, key and pseudonyms come back."""
    read = PartnerConfig.load(config.path)

    assert (read.issuer, read.hub, read.outbox) == (SHOP, HUB, config.path / "outbox.sqlite")
    assert read.signer.kid == config.signer.kid
    assert read.pseudonymizer.pseudonym("ada") == config.pseudonymizer.pseudonym("ada")
    assert [entry.name for entry in config.path.parent.iterdir()] == ["shop"]


def test_each_folder_has_secrets_of_its_own(config: PartnerConfig, tmp_path: Path) -> None:
    """Two partners that know the same person call them by different names."""
    other = PartnerConfig.create(tmp_path / "other", issuer=SHOP, hub=HUB)

    assert other.signer.kid != config.signer.kid
    assert other.pseudonymizer.pseudonym("ada") != config.pseudonymizer.pseudonym("ada")


def test_the_folder_is_private_to_its_owner(config: PartnerConfig) -> None:
    """Folder 0700, files 0600, the outbox too."""
    with Client.from_config(config):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in config.path.iterdir()}

    assert stat.S_IMODE(config.path.stat().st_mode) == 0o700
    assert {"partner.toml", "signing.jwk", "identity.secret", "outbox.sqlite"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_nothing_is_written_over(config: PartnerConfig) -> None:
    """Keys that are lost cannot be made again."""
    before = (config.path / "signing.jwk").read_bytes()

    with pytest.raises(ConfigurationError, match="name a new directory"):
        PartnerConfig.create(config.path, issuer=SHOP, hub=HUB)
    assert (config.path / "signing.jwk").read_bytes() == before
    assert [entry.name for entry in config.path.parent.iterdir()] == ["shop"]


@pytest.mark.parametrize(("issuer", "hub"), [("shop", HUB), (SHOP, ""), ("https://a b", HUB)])
def test_names_must_be_urls(tmp_path: Path, issuer: str, hub: str) -> None:
    """And nothing is made when they are not."""
    with pytest.raises(InvalidInputError, match=r"issuer|hub"):
        PartnerConfig.create(tmp_path / "shop", issuer=issuer, hub=hub)
    assert list(tmp_path.iterdir()) == []


def test_odd_urls_survive_the_file(tmp_path: Path) -> None:
    """Quotes, backslashes and characters beyond ASCII are encoded, in the file and when it is read."""
    issuer = 'https://shöp.example/"a"\\b/😀'

    PartnerConfig.create(tmp_path / "shop", issuer=issuer, hub=HUB)

    encoded = "https://xn--shp-tna.example/%22a%22%5Cb/%F0%9F%98%80"
    assert PartnerConfig.load(tmp_path / "shop").issuer == encoded
    (tmp_path / "shop" / "partner.toml").write_text(f"issuer = '{issuer}'\nhub = '{HUB}/'\n")
    config = PartnerConfig.load(tmp_path / "shop")
    assert (config.issuer, config.hub) == (encoded, HUB)


@pytest.mark.parametrize("name", ["partner.toml", "signing.jwk", "identity.secret"])
def test_a_missing_file_is_named(config: PartnerConfig, name: str) -> None:
    """And how to make one."""
    (config.path / name).unlink()

    with pytest.raises(ConfigurationError, match=rf"{name}.*sesame keys new"):
        PartnerConfig.load(config.path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """And how to make one."""
    with pytest.raises(
        ConfigurationError, match=r"nowhere: directory not found \(create one with: sesame keys new\)"
    ):
        PartnerConfig.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["", "partner.toml", "signing.jwk", "identity.secret"])
@pytest.mark.parametrize("mode", [0o040, 0o004, 0o020, 0o002])
def test_what_others_may_touch_is_not_trusted(config: PartnerConfig, name: str, mode: int) -> None:
    """The folder and each file in it; the error says how to close it."""
    path = config.path / name
    path.chmod(path.stat().st_mode | mode)

    with pytest.raises(ConfigurationError, match=f"chmod {'600' if name else '700'}"):
        PartnerConfig.load(config.path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('issuer = "https://a.example"\nhub = "https://b.example"\nhubb = 1', "unknown keys: hubb"),
        ('issuer = "https://a.example"', "hub"),
        ('issuer = "https://a.example"\nhub = 7', "hub"),
        ('issuer = "https://a.example"\nhub = "nowhere"', "hub"),
        ('issuer = "https://a.example"\nhub = "https://b.example"\ncapacity = "big"', "capacity"),
        ('issuer = "https://a.example"\nhub = "https://b.example"\ncapacity = 0', "capacity"),
        ("issuer", "invalid"),
        ("\udcff", "invalid"),
    ],
)
def test_wrong_settings_are_named(config: PartnerConfig, text: str, says: str) -> None:
    """The file and the key."""
    (config.path / "partner.toml").write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(ConfigurationError, match=rf"partner\.toml.*{says}"):
        PartnerConfig.load(config.path)


def test_the_capacity_can_be_set(config: PartnerConfig) -> None:
    """In bytes, in the file."""
    with (config.path / "partner.toml").open("a") as file:
        file.write("capacity = 5_000_000\n")

    assert PartnerConfig.load(config.path).capacity == 5_000_000


@pytest.mark.parametrize("secret", ["not hex", "abcd", ""])
def test_a_damaged_secret_is_named_and_not_shown(config: PartnerConfig, secret: str) -> None:
    """The message holds nothing of it."""
    (config.path / "identity.secret").write_text(secret)

    with pytest.raises(ConfigurationError) as wrong:
        PartnerConfig.load(config.path)
    assert "secret" in str(wrong.value)
    assert not secret or secret not in str(wrong.value)


def test_importing_the_sdk_loads_no_network_library() -> None:
    """`Client` is fetched when it is first named, and only then."""
    script = (
        "import sys, sesame_sdk\n"
        "network = {'requests', 'urllib3', 'http.client', 'tenacity', 'sqlite3', 'socket', 'ssl'}\n"
        "print(sorted(network & sys.modules.keys()))\n"
        "sesame_sdk.Client, sesame_sdk.PartnerConfig\n"
        "print('requests' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines() == ["[]", "True"]
