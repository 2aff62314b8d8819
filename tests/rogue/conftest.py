"""One running hub for all attacks: `deployment` describes its partners."""

from collections.abc import Iterator

import pytest

from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.settings import SETTINGS_FILE, create_hub
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import LATES, ORDERS, clock, hub, hub_path, shop
from tests.hub.fixtures import LONG_AGO, ORDER, Partner, policy, weighting
from tests.hub.process import free_port, serving
from tests.rogue.deployment import BODY_SECONDS, YESTERDAY, Deployment

__all__ = ["clock", "deployment", "hub", "hub_path", "shop"]


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A hub as a process. Ada grants both partners both rights, and Bob the twin; there is no other grant."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = create_hub(tmp_path_factory.mktemp("rogue") / "hub", issuer=url)
    with (settings.path / SETTINGS_FILE).open("a", encoding="utf-8") as file:
        file.write(f"body_timeout_seconds = {BODY_SECONDS}\n")
    with Hub.open(settings.path) as opened:
        first = Partner.join(
            "https://shop.example", opened, timestamps.utc_now, ORDERS, LATES, reads=["retail"]
        )
        twin = Partner.join("https://twin.example", opened, timestamps.utc_now, ORDERS, reads=["retail"])
        opened.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        for partner in (first, twin):
            opened.add_grants(partner.grants("ada", ORDER, reads="retail", given_at=YESTERDAY))
        opened.add_grants(twin.grants("bob", ORDER, reads="retail", given_at=YESTERDAY))
        first.send(first.signal("ada", "known", at=YESTERDAY))
        revoked, early = (SigningKey.generate() for _ in range(2))
        opened.add_partner(first.issuer, [revoked.public_jwk], not_before=LONG_AGO)
        opened.revoke_key(revoked.kid, LONG_AGO, issuer=first.issuer)
        opened.add_partner(
            first.issuer, [early.public_jwk], not_before=timestamps.utc_now().replace(year=2100)
        )
        # All background work is done, so a table that changes later was changed by a request.
        opened.streams.rescore_pending()
        with serving(settings.path, port) as process:
            yield Deployment(url, opened, first, twin, revoked, early, process.pid or 0)
