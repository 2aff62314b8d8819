"""A hub with a shop that sends and reads, as operators and partners see them from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import requests
from attrs import frozen

from sesame_sdk import Signal
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from tests.hub.conftest import LATES, ORDERS
from tests.hub.fixtures import LATE, ORDER, Partner, new_hub, policy, weighting
from tests.hub.process import free_port

SET = "application/secevent+jwt"
YESTERDAY = timestamps.utc_now() - timedelta(days=1)


@frozen
class HubFixture:
    """The hub's folder and address, its ledger opened by its operator, and a shop."""

    path: Path
    port: int
    hub: Hub
    shop: Partner

    @property
    def url(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def record_consents(self, *persons: str) -> None:
        """These people agree to all."""
        consents = [self.shop.grants(who, ORDER, LATE, reads="retail", given_at=YESTERDAY) for who in persons]
        self.hub.add_grants(grant for grants in consents for grant in grants)

    def order(self, person: str, key: str, value: float = 1.0) -> Signal:
        """An order of yesterday."""
        return self.shop.signal(person, key, value=value, at=YESTERDAY)

    def post(self, body: bytes, session: requests.Session | None = None, **headers: str) -> requests.Response:
        """Deliver an event, and want the receipt."""
        request_headers = {"Content-Type": SET, "Accept": SET} | headers
        return (session or requests.Session()).post(
            f"{self.url}/v1/events", data=body, headers=request_headers, timeout=30
        )

    def bearer(self, token: bytes | None = None) -> dict[str, str]:
        """A reader's Authorization header, with a new token unless one is given."""
        return {"Authorization": f"Bearer {(token or self.shop.read_token()).decode()}"}

    def get(self, path: str) -> requests.Response:
        """Ask the hub."""
        return requests.get(self.url + path, timeout=30)


@contextmanager
def new_hub_fixture(folder: Path) -> Iterator[HubFixture]:
    """A new one; the hub is not served."""
    port = free_port()
    path = new_hub(folder / "hub", issuer=f"http://127.0.0.1:{port}")
    with Hub.open(path) as hub:
        shop = Partner.join(
            f"http://127.0.0.1:{free_port()}", hub, timestamps.utc_now, ORDERS, LATES, reads=["retail"]
        )
        hub.set_policy(
            policy(weighting(ORDERS), weighting(LATES, weight=-7.0, floor=-60.0, expires_days=9.0))
        )
        yield HubFixture(path, port, hub, shop)
