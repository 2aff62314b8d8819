"""Ways round the rules that were tried, each beside the ordinary thing that it looks like."""

import pytest

from sesame_sdk.errors import Refused
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.terms import Effect
from sesame_sdk.scoring.policy_file import parse_policy
from tests.guard.builders import consumer, policy

GUARD = Guard()

FILE = """
name = "retail-privileges"
version = 1
context = "retail"
aim = "Small privileges for customers whose orders go well"
disputes = "https://shop.example/disputes"
base = 550
range = [350, 950]
purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]
[[bands]]
name = "ordinary"
from = 350
[[effects]]
name = "Free delivery"
from = "ordinary"
[[effects]]
name = "%s"
from = "ordinary"
[[kinds]]
kind = "retail.order.completed"
unit = "order"
categories = ["https://w3id.org/dpv/pd#Purchase"]
weight = 4
cap = 100
partner_cap = 60
reason = "Orders that you kept"
"""


def test_each_effect_that_speaks_of_a_topic_is_named() -> None:
    """PUR-2 to PUR-6 and VIS-1 say which effect, at both doors; one does not hide another."""
    effects = (Effect("A cheaper loan", "good"), Effect("Free delivery", "good"), Effect("No debts", "good"))
    found = GUARD.policy(policy(effects=effects))
    assert [finding.about for finding in found] == [
        "policy retail-privileges, effect A cheaper loan",
        "policy retail-privileges, effect No debts",
    ]
    told = GUARD.consumer(consumer(effects=(Effect("On the leaderboard", "good"),)))
    assert [finding.about for finding in told] == ["consumer care, effect On the leaderboard"]


@pytest.mark.parametrize("name", ["A cheaper loan", f"A loan {'for you ' * 23}"], ids=["short", "cut"])
def test_the_line_of_an_effect_is_found(name: str) -> None:
    """Also where the finding cuts its name."""
    with pytest.raises(Refused) as refused:
        parse_policy(FILE % name)
    (line,) = refused.value.lines
    assert (FILE % name).splitlines()[(line or 0) - 1] == f'name = "{name}"'
