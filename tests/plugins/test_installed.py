"""Wheels in an empty environment: the plugin is found there, and posts."""

import json
from pathlib import Path

import pytest

from tests.plugins.installed import Installed

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ORDERS = Path(__file__).parents[2] / "examples" / "data" / "orders.csv"
POST = """
import sys
from pathlib import Path
from sesame_sdk import Client, PartnerConfig, Signal
from sesame_sdk.plugins import PluginRegistry

orders, config, hub = sys.argv[1:]
partner = PartnerConfig.create(Path(config), issuer="https://shop.example", hub=hub)
provider, pseudonymizer = PluginRegistry.discover().provider("retail"), partner.pseudonymizer
outcomes = (one for order in provider.read(Path(orders)) for one in provider.signals(order, pseudonymizer))
with Client.from_config(partner) as client:
    posted = client.post(one for one in outcomes if isinstance(one, Signal))
print(posted.signals, posted.envelopes)
"""


def test_the_environment_is_not_the_checkout(installed_plugin: Installed) -> None:
    """The SDK comes from its wheel, and neither the hub's libraries nor another plugin are there."""
    location = installed_plugin.python("import sesame_sdk; print(sesame_sdk.__file__)")
    assert Path(location.strip()).is_relative_to(installed_plugin.folder)
    absent = ("litestar", "sqlalchemy", "alembic", "sesame_social", "sesame_baihe", "sklearn")
    asked = f"import importlib.util as u; print([n for n in {absent} if u.find_spec(n)])"
    assert installed_plugin.python(asked) == "[]\n"


def test_the_plugin_is_registered(installed_plugin: Installed) -> None:
    """With the version and the kinds of its wheel."""
    (plugin,) = json.loads(installed_plugin.sesame("plugins", "--json"))
    assert (plugin["name"], plugin["version"], plugin["state"]) == ("retail", "0.1.0", "active")
    assert "retail.order.completed" in plugin["kinds"]
    assert len(plugin["kinds"]) == 10


def test_it_posts_into_an_outbox(installed_plugin: Installed) -> None:
    """The sample's orders, signed and on disk, with no hub in sight."""
    config = installed_plugin.folder / "shop"
    output = installed_plugin.python(POST, ORDERS, config, "http://127.0.0.1:9")
    signals, envelopes = map(int, output.split())
    assert signals > 1_000
    assert envelopes == -(-signals // 1_000)
    assert (config / "outbox.sqlite").stat().st_size > 100_000
