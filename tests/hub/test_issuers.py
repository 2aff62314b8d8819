"""Issuers at a hub: one admission for all spellings of a URL, and a question before a look-alike."""

from pathlib import Path

import pytest

from sesame_sdk import InvalidInputError
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import load_settings
from sesame_sdk.signing.keys import SigningKey
from tests.commands import run_sesame
from tests.hub.fixtures import HUB, new_hub

SHOP = "https://shop.example"
LOOKALIKES = {
    "Cyrillic letters": "https://sh\u043ep.example",
    "the same in ASCII": "https://xn--shp-ted.example",
    "a digit": "https://sh0p.example",
    "an l": "https://shop.exampIe".replace("I", "1"),
    "http": "http://shop.example",
    "an accent": "https://shöp.example",
}


def _jwks() -> list[dict[str, object]]:
    return [SigningKey.generate().public_jwk]


def test_all_spellings_are_one_partner(tmp_path: Path, database: str) -> None:
    """A second admission adds a key; the hub's own issuer is never a partner."""
    with Hub.open(new_hub(tmp_path / "hub", issuer="https://Hub.example:443/", database=database)) as hub:
        assert hub.settings.issuer == "https://hub.example"
        for spelling in (SHOP, f"{SHOP}/", "HTTPS://Shop.example:443"):
            hub.add_partner(spelling, _jwks())
        (partner,) = hub.list_partners()
        assert (partner.issuer, len(partner.kids)) == (SHOP, 3)
        assert hub.partner_limit(f"{SHOP}:443/") == hub.partner_limit(SHOP)
        with pytest.raises(InvalidInputError, match="is this hub itself"):
            hub.add_partner("https://hub.example/", _jwks())


@pytest.mark.parametrize("lookalike", LOOKALIKES.values(), ids=LOOKALIKES.keys())
def test_a_lookalike_is_admitted_on_purpose_only(tmp_path: Path, database: str, lookalike: str) -> None:
    """Also one of the hub itself; what is admitted already is asked about no more."""
    with Hub.open(new_hub(tmp_path / "hub", issuer=HUB, database=database)) as hub:
        hub.add_partner(SHOP, _jwks())
        with pytest.raises(InvalidInputError, match=rf"looks like {SHOP}"):
            hub.add_partner(lookalike, _jwks())
        assert len(hub.list_partners()) == 1
        hub.add_partner(lookalike, _jwks(), allow_lookalike=True)
        hub.add_partner(lookalike, _jwks())
        hub.add_partner("https://shed.example", _jwks())
        with pytest.raises(InvalidInputError, match=rf"looks like {HUB}"):
            hub.add_partner(HUB.replace("hub", "h\u03c5b"), _jwks())


@pytest.mark.long
def test_the_command_asks(tmp_path: Path) -> None:
    """No answer changes nothing; --yes is an answer. The partner's directory shows what its URLs became."""
    run_sesame(tmp_path, "hub", "init", "hub", "--issuer", "HTTPS://hub.example/")
    assert load_settings(tmp_path / "hub").issuer == "https://hub.example"
    made = run_sesame(
        tmp_path, "keys", "new", "shop", "--issuer", f"{SHOP}/", "--hub-url", "https://HUB.example:443"
    )
    assert f"{SHOP}/ is spelt {SHOP}\n" in made.stderr
    assert "https://HUB.example:443 is spelt https://hub.example\n" in made.stderr
    for folder in ("shop", "false"):
        run_sesame(tmp_path, "keys", "new", folder, "--issuer", SHOP, "--hub-url", "https://hub.example")
        (tmp_path / f"{folder}.jwks").write_text(
            run_sesame(tmp_path, "keys", "show", "--config", folder).stdout
        )

    def add(folder: str, issuer: str, *options: str) -> tuple[int, str]:
        command = ("partners", "add", issuer, "--jwks", f"{folder}.jwks", "--hub", "hub")
        done = run_sesame(tmp_path, *command, *options)
        return done.returncode, done.stderr

    assert add("shop", f"{SHOP}/")[0] == 0
    code, asked = add("false", "https://sh\u043ep.example")
    assert code != 0
    assert f"https://xn--shp-ted.example looks like {SHOP}" in asked
    assert add("false", "https://sh\u043ep.example", "--yes")[0] == 0
    assert run_sesame(tmp_path, "partners", "list", "--hub", "hub", "--json").stdout.count('"issuer"') == 2
