"""The table of signals is a view: deleted, it comes back from the ledger, row for row."""

from datetime import timedelta
from pathlib import Path

from sesame_sdk.hub.database.tables import signals
from sesame_sdk.hub.hub import Hub
from sesame_sdk.hub.ingest.verification import RebuildReport
from sesame_sdk.model.envelope import EventType
from sesame_sdk.signing.keys import SigningKey
from tests.hub.conftest import ORDERS
from tests.hub.fixtures import LATE, NOON, ORDER, Clock, Partner
from tests.hub.ledger import change, rows


def _rows(path: Path) -> list[tuple[object, ...]]:
    return rows(path, signals)


def test_a_rebuild_gives_the_same_rows(shop: Partner, hub: Hub, hub_path: Path, clock: Clock) -> None:
    """After all that can happen: parts dropped, sent again or in the clear, withdrawn, revoked."""
    twin = Partner.join("https://twin.example", hub, clock, ORDERS)
    hub.add_grants([*shop.grants("ada", ORDER, LATE), *shop.grants("bob", ORDER), *twin.grants("ada", ORDER)])
    first = [shop.signal("ada", "1"), shop.signal("bob", "2"), shop.signal("stranger", "3")]
    shop.send(*first)
    shop.send(*first, shop.signal("ada", "4", LATE, value=0.5, at=NOON - timedelta(days=9, microseconds=1)))
    for batch in ([shop.signal("ada", "5")], [shop.signal("bob", "6"), shop.signal("stranger", "7")]):
        hub.receive(shop.token(EventType.SIGNALS, {"signals": batch}))
    old = twin.with_key(SigningKey.generate())
    hub.add_partner(twin.issuer, [old.key.public_jwk])
    old.send(twin.signal("ada", "1", value=4.0), twin.signal("ada", "2"))
    twin.send(twin.signal("ada", "1", value=3.0))
    hub.revoke_key(old.key.kid, NOON, issuer=twin.issuer)
    hub.withdraw_grants("bob", shop.issuer)
    before = _rows(hub_path)
    assert len(before) == 7
    assert hub.rebuild() == RebuildReport(len(before), (), ())
    assert _rows(hub_path) == before
    assert hub.verify_ledger().differences == ()
    change(hub_path, "DELETE FROM signals")
    change(hub_path, "DELETE FROM further_disclosures")
    assert hub.rebuild().changes
    assert _rows(hub_path) == before
    assert hub.verify_ledger().differences == ()
