"""The same orders, exported again with other times or amounts, count once, as the later export says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve
from sesame_retail import Orders
from sesame_retail.files.mapping import load_mapping
from sesame_retail.kinds import KINDS

from sesame_sdk import Signal
from sesame_sdk.testing import LocalHub

HEADER = "InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
LINES = "A1,1,2026-05-01 {}:00{},{},K1\nA2,1,2026-05-02 {}:00{},100.00,K1\n"
AT_TEN = [datetime(2026, 5, day, 10, tzinfo=UTC) for day in (1, 2)]
AT_EIGHT = [datetime(2026, 5, day, 8, tzinfo=UTC) for day in (1, 2)]


@pytest.mark.parametrize(
    ("lines", "zone", "times", "spent"),
    [
        pytest.param(
            ("10", ":37", "100.00"), "UTC", [at.replace(second=37) for at in AT_TEN], 200.0, id="seconds"
        ),
        pytest.param(("10", "", "100.00"), "Europe/Berlin", AT_EIGHT, 200.0, id="another time zone"),
        pytest.param(("10", "", "60.00"), "UTC", AT_TEN, 160.0, id="another price"),
    ],
)
def test_an_export_that_is_corrected_counts_once(
    sesame_hub: LocalHub,
    tmp_path: Path,
    lines: tuple[str, str, str],
    zone: str,
    times: list[datetime],
    spent: float,
) -> None:
    """Two orders, at the corrected times and prices, and one month of tenure."""
    shop = sesame_hub.admit_partner(kinds=KINDS)
    subject = shop.pseudonymizer.pseudonym("K1")
    person, grant = shop.send_grant("ada", *(kind.name for kind in KINDS))
    sesame_hub.record_consent((person, evolve(grant, subject=subject)))
    with sesame_hub.client(shop) as client:
        for (hour, seconds, price), name in ((("10", "", "100.00"), "UTC"), (lines, zone)):
            file, mapping = tmp_path / "orders.csv", tmp_path / "mapping.toml"
            file.write_text(HEADER + LINES.format(hour, seconds, price, hour, seconds))
            mapping.write_text(f'time_zone = "{name}"\n')
            provider = Orders.from_mapping(load_mapping(mapping))
            made = [
                one for order in provider.read(file) for one in provider.signals(order, shop.pseudonymizer)
            ]
            client.post(one for one in made if isinstance(one, Signal))
            client.deliver()
        first, second = client.receipts()
    assert (first.accepted, second.accepted) == (5, 0)
    assert second.corrected + second.duplicates == 6
    stored = sesame_hub.signals(shop.issuer)
    completed = [one.occurred_at for one in stored if one.kind == "retail.order.completed"]
    assert completed == times
    assert sum(one.value for one in stored if one.kind == "retail.order.spend") == spent
    assert len(stored) == 5
