"""What the documents say of refusals is what the hub does."""

import re
from pathlib import Path

from sesame_sdk.model.envelope import DropReason
from tests.rogue import test_envelopes, test_reading, test_registering

_PAYLOADS = (Path(__file__).parents[2] / "docs" / "payloads.md").read_text(encoding="utf-8")


def _table(head: str) -> list[list[str]]:
    """The cells of the table that begins with this line."""
    lines = _PAYLOADS.split(head)[1].split("\n\n")[0].strip().splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_reason_to_drop_is_in_the_table_of_reasons() -> None:
    """And no other one."""
    documented = {row[0].strip("`") for row in _table("| reason | means |")}
    assert documented == {reason.value for reason in DropReason}


def test_every_code_of_a_refusal_is_in_the_table_of_refusals() -> None:
    """Those that the tests of this room see, with the two that ask to come back; and no other one."""
    seen = {code for code, _ in (test_envelopes.WAYS | test_registering.WAYS).values()}
    seen |= {code for _, code, _ in test_reading.TOKENS.values()}
    rows = _table("| `err` | status | when |")
    assert {row[0].strip("`") for row in rows} == seen | {"too_many", "unavailable"}
    statuses = {status for row in rows for status in re.findall(r"\d{3}", row[1])}
    assert statuses == {"400", "408", "413", "415", "429", "503"}
