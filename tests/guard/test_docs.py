"""docs/guard.md lists every rule as the code has it, and the samples in the documents pass the guard."""

import inspect
import re
from pathlib import Path

import pytest

from sesame_sdk.guard.guard import BUILT_IN
from sesame_sdk.guard.purposes import CONDITIONS
from sesame_sdk.interfaces import GuardRule
from sesame_sdk.scoring.policy_file import parse_policy

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "guard.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| [A-Z]{3}-\d ", line)
]


def checks_of(rule: GuardRule) -> str:
    """What a rule checks, as the table lists it. A policy's kinds are checked as kinds."""
    names = ("kind", "policy", "consumer", "read")
    stands = {
        name
        for name in names
        if getattr(type(rule), f"check_{name}") is not getattr(GuardRule, f"check_{name}")
    }
    if "kind" in stands:
        stands.add("policy")
    return ", ".join(
        [*(name for name in names if name in stands), *(["consent"] if hasattr(rule, "check_grant") else [])]
    )


def test_the_table_lists_every_rule_in_the_order_of_findings() -> None:
    """Each once."""
    assert [row[0] for row in ROWS] == [rule.id for rule in BUILT_IN]


@pytest.mark.parametrize(
    ("rule", "row"), list(zip(BUILT_IN, ROWS, strict=True)), ids=[rule.id for rule in BUILT_IN]
)
def test_a_row_describes_the_rule(rule: GuardRule, row: list[str]) -> None:
    """Checks, action and source, as the code has them."""
    _, looks_at, at, action, source = row
    assert looks_at
    assert (at, source) == (checks_of(rule), rule.source)
    assert action == ("refuse, warn" if "self.warn(" in inspect.getsource(type(rule)) else "refuse")
    assert (type(rule).__doc__ or "").startswith(f"{rule.id}: ")


def test_the_rules_of_our_own_are_explained() -> None:
    """Each by name in its section, and so is every purpose with a condition."""
    section = PAGE.partition("## Three rules of our own")[2].partition("\n## ")[0]
    assert re.findall(r"\*\*([A-Z]{3}-\d),", section) == ["DCL-1", "LOC-1", "RGT-1"]
    assert all(
        f"| `{re.split('[#:]', purpose)[-1]}` | {condition}" in PAGE
        for purpose, condition in CONDITIONS.items()
        if "score offered" not in condition
    )


def test_the_sample_policies_of_the_documents_pass() -> None:
    """What is shown first is what people copy."""
    (sample,) = re.findall(r"```toml\n(.*?)```", (DOCS / "scoring.md").read_text(), re.DOTALL)
    assert parse_policy(sample).terms.effects
