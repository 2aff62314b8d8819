"""The categories of personal data that a kind may be made of: categories of W3C DPV-PD 2.3.

The allowed list is closed and short, and IRIs are compared whole: a category that is narrower than an
allowed one is not thereby allowed. A refused category is assigned to a rule by DPV-PD's hierarchy, so that
the refusal says why; DCL-1 has all others (money, work, crime, devices, messages) and unknown ones.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from sesame_sdk.guard.dpv import PD, find_nearest_rule, load_hierarchy

PURCHASE = f"{PD}Purchase"
SALE = f"{PD}Sale"
TRANSACTION = f"{PD}Transaction"
SERVICE_USE = f"{PD}ServiceConsumptionBehaviour"
SOCIAL_BEHAVIOUR = f"{PD}SocialBehaviour"
RELIABILITY = f"{PD}Reliability"
OFFICIAL_ID = f"{PD}OfficialID"

#: What a kind may be made of, and what for.
ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        PURCHASE: "Orders placed, kept and sent back: that they were, and for how much; never of what.",
        SALE: "What a person sold on a marketplace and delivered as described.",
        TRANSACTION: "Payments made, late or missing; deposits; donations; fraud that a person confirmed.",
        SERVICE_USE: "How long a person has been a customer or member of the sender's own service.",
        SOCIAL_BEHAVIOUR: "Own conduct on a platform: help, volunteering, abuse that a person confirmed.",
        RELIABILITY: "What was agreed and kept: appointments, bookings, things lent and given back.",
        OFFICIAL_ID: "That an identity was verified; never a number, a document or its contents.",
    }
)

#: Rule id to the categories that it refuses, with all narrower ones. A category that is listed itself belongs
#: to the rule that lists it.
REFUSED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "POL-1": frozenset(
            ("PoliticalAffiliation", "PoliticalOpinion", "TradeUnionMembership", "Opinion", "Thought")
        ),
        "BIO-1": frozenset(("Biometric", "Emotion", "Mood", "Picture")),
        "SPC-1": frozenset(
            (
                *("dpv:SpecialCategoryPersonalData", "dpv:SensitivePersonalData", "Ethnicity", "SkinTone"),
                *("Citizenship", "Nationality", "BirthPlace", "Gender"),
            )
        ),
        "TST-1": frozenset(
            ("Preference", "Language", "Country", "TVViewingBehaviour", "BrowsingBehaviour", "LinkClicked")
        ),
        "ASC-1": frozenset(("Family", "SocialNetwork", "Household", "MaritalStatus", "GroupProfile")),
        "LOC-1": frozenset(("Location", "Geographic")),
    }
)


@lru_cache(maxsize=1024)
def find_refusing_rule(category_iri: str) -> str | None:
    """Id of the rule that refuses a category; None if it is allowed. Unknown categories are DCL-1."""
    if category_iri in ALLOWED:
        return None
    name = category_iri.removeprefix(PD) if category_iri.startswith(PD) else ""
    return find_nearest_rule(name, load_hierarchy("categories"), REFUSED) or "DCL-1"
