"""Policies and populations for the tests of the simulation: small, and with a word for each thing tested."""

from typing import Any

from attrs import evolve

from sesame_sdk.audit.simulation.population import Correlation, Group, Leak, Population
from sesame_sdk.model.policy import Policy
from sesame_sdk.scoring.policy_file import parse_policy

HEAD = """
name = "shop"
version = 1
context = "retail"
disputes = "https://shop.example/disputes"
base = 550
range = [350, 950]
purposes = ["https://w3id.org/dpv#PersonalisedBenefits"]

[[bands]]
name = "ordinary"
from = 350

[[bands]]
name = "known"
from = 560

[[bands]]
name = "good"
from = {good}

{benefit}
"""
BENEFIT = """[[effects]]
effect = "free_express_delivery"
from = "good"
"""
ORDERS = """
[[kinds]]
kind = "retail.order.completed"
observation = "order_kept"
weight = {orders}
cap = 90
partner_cap = 30
"""
SPEND = """
[[kinds]]
kind = "retail.order.spend"
observation = "order_spend"
currency = "GBP"
weight = {spend}
cap = 90
partner_cap = 30
effort = 0.05
"""
TENURE = """
[[kinds]]
kind = "retail.customer.tenure"
observation = "membership_month"
weight = 0.5
cap = 40
partner_cap = 20
"""
RETURNED = """
[[kinds]]
kind = "retail.order.returned"
observation = "order_returned"
currency = "GBP"
weight = -0.05
floor = -60
partner_cap = 30
"""
EVERYTHING = (ORDERS, SPEND, TENURE, RETURNED)


def shop(
    *kinds: str,
    orders: float = 1.0,
    spend: float = 0.02,
    good: float = 580.0,
    old: str = "",
    new: str = "",
    both: str = "",
) -> Policy:
    """A shop's policy; of all kinds unless a test names some, and with `new` in the place of `old`.

    `both` is the beginning of its purposes, with another one.
    """
    text = "".join((HEAD, *(kinds or EVERYTHING))).format(
        orders=orders, spend=spend, good=good, benefit=BENEFIT
    )
    text = text.replace("purposes = [", both) if both else text
    return parse_policy(text.replace(old, new) if old else text)


def money() -> Policy:
    """A policy that weighs nothing but what people spend."""
    return shop(SPEND, spend=0.1, good=590.0)


def crowd(people: int = 10_000, **settings: Any) -> Population:
    """A small population; equal groups of A and B, unless a test says more."""
    groups = (Group("group A", 0.5), Group("group B", 0.5))
    return evolve(Population(people=people, groups=groups), **settings)


def tied(**traits: float) -> Correlation:
    """Groups that differ in traits."""
    return Correlation(**traits)


def leaking(amount: float) -> Leak:
    """Choices that all go along with what is rewarded."""
    return Leak(amount, amount, amount)
