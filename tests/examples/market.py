"""A hub as a process, a shop that sends to it, and matchmaking sites that people let read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from attrs import frozen
from sesame_baihe import Matchmaking
from sesame_retail import sesame_signal_providers

from sesame_sdk import Direction, Grant, PartnerConfig
from sesame_sdk.hub.database import timestamps
from sesame_sdk.hub.hub import Hub
from sesame_sdk.scoring.policy_file import load_policy
from sesame_sdk.testing.partner import LONG_AGO, Partner, make_manifest
from tests.hub.fixtures import new_hub
from tests.hub.process import free_port, serving

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
ORDER, SPEND = "retail.order.completed", "retail.order.spend"
DECLARATION = Matchmaking.declaration
YESTERDAY = timestamps.utc_now() - timedelta(days=1)


@frozen
class Market:
    """A hub that is served, opened by its operator too, and a shop.

    Attributes:
        folder: where all of it is.
        url: of the hub.
        hub: its ledger.
        shop: sends orders.
    """

    folder: Path
    url: str
    hub: Hub
    shop: Partner

    def site(self, name: str, issuer: str) -> PartnerConfig:
        """A matchmaking site that the hub admitted."""
        config = PartnerConfig.create(self.folder / name, issuer=issuer, hub=self.url)
        self.hub.add_partner(issuer, [config.signer.public_jwk], not_before=LONG_AGO)
        reader = Partner(issuer, self.hub, timestamps.utc_now, key=config.signer)
        reader.register(make_manifest((), [DECLARATION], name="sesame-baihe"))
        return config

    def buy(self, person: str, orders: int = 1) -> None:
        """Somebody who lets the shop send keeps orders."""
        self.hub.add_grants([self.shop.send_grant(person, ORDER, SPEND)])
        keys = [f"{person} {number}" for number in range(orders)]
        receipt = self.shop.send(*(self.shop.signal(person, key, ORDER, at=YESTERDAY) for key in keys))
        assert receipt.accepted + receipt.duplicates == orders

    def agree(self, person: str, config: PartnerConfig) -> None:
        """A person grants a site read access."""
        subject = config.pseudonymizer.pseudonym(person)
        terms = {
            "purpose": DECLARATION.purpose,
            "context": DECLARATION.context,
            "crossings": ("retail",),
            "adult": True,
        }
        self.hub.add_grants(
            [(person, Grant(config.issuer, subject, Direction.READ, timestamps.utc_now(), **terms))]
        )

    def withdraw(self, person: str, config: PartnerConfig) -> None:
        """Somebody takes that back."""
        assert self.hub.withdraw_grants(person, config.issuer) == 1


@contextmanager
def open_market(folder: Path) -> Iterator[Market]:
    """A market, until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    path = new_hub(folder / "hub", issuer=url)
    with (path / "hub.toml").open("a", encoding="utf-8") as file:
        file.write("heartbeat_interval_seconds = 1\n")
    (provider,) = sesame_signal_providers()
    with Hub.open(path) as hub:
        for name in ("retail", "matchmaking"):
            hub.set_policy(load_policy(POLICIES / f"{name}.toml"))
        shop = Partner("https://shop.example", hub, timestamps.utc_now)
        hub.add_partner(shop.issuer, [shop.key.public_jwk], not_before=LONG_AGO)
        shop.register(make_manifest(provider.kinds, name="sesame-retail"))
        with serving(path, port):
            yield Market(folder, url, hub, shop)
