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
aim = "Small privileges for customers whose orders go well"
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
name = "Free express delivery"
from = "good"
"""
ORDERS = """
[[kinds]]
kind = "retail.order.completed"
unit = "order"
categories = ["https://w3id.org/dpv/pd#Transaction"]
weight = {orders}
half_life_days = 365
expires_days = 1825
cap = 90
partner_cap = 30
effort = 1
reason = "Orders that you kept"
"""
SPEND = """
[[kinds]]
kind = "retail.order.spend"
unit = "GBP"
categories = ["https://w3id.org/dpv/pd#Transaction"]
weight = {spend}
half_life_days = 365
expires_days = 1825
cap = 90
partner_cap = 30
effort = 0.05
reason = "What you spent on orders that you kept"
"""
TENURE = """
[[kinds]]
kind = "retail.customer.tenure"
unit = "month"
categories = ["https://w3id.org/dpv/pd#Transaction"]
weight = 0.5
expires_days = 1825
cap = 40
partner_cap = 20
reason = "Months that you have been a customer"
"""
RETURNED = """
[[kinds]]
kind = "retail.order.returned"
unit = "GBP"
categories = ["https://w3id.org/dpv/pd#Transaction"]
weight = -0.05
half_life_days = 180
expires_days = 730
floor = -60
cap = 0
partner_cap = 30
reason = "What you were paid back for orders"
"""
EVERYTHING = (ORDERS, SPEND, TENURE, RETURNED)


def shop(
    *kinds: str, orders: float = 1.0, spend: float = 0.02, good: float = 580.0, old: str = "", new: str = ""
) -> Policy:
    """A shop's policy; of all kinds unless a test names some, and with `new` in the place of `old`."""
    text = "".join((HEAD, *(kinds or EVERYTHING))).format(
        orders=orders, spend=spend, good=good, benefit=BENEFIT
    )
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
