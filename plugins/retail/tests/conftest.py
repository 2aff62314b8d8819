"""What the tests of this plugin share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sesame_retail import Order, Orders

from sesame_sdk import Pseudonymizer, Skipped

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "online-retail"


@pytest.fixture(scope="session")
def pseudonymizer() -> Pseudonymizer:
    """A shop's pseudonymizer with a fixed secret."""
    return Pseudonymizer(b"a secret of thirty-two bytes....")


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """The folder of the real shop's file; CI always has it."""
    if not REAL.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{REAL} must be there in CI")
        pytest.skip(f"needs the real data in {REAL}")
    return REAL


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Order | Skipped]]:
    """Read lines as the shop would export them, under the usual header."""

    def run(*lines: str, header: str = HEADER) -> list[Order | Skipped]:
        file = tmp_path / "orders.csv"
        file.write_text("\n".join((header, *lines)) + "\n")
        return list(Orders().read(file))

    return run
