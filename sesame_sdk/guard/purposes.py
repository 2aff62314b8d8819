"""The purposes for which a score may be read: W3C DPV 2.3 terms and two of our own. All others are refused.

The allowed set is closed, and IRIs are compared whole: another spelling or a narrower term is not allowed. A
refused purpose is assigned to a rule by the name at the end of its IRI, so that the refusal says why: a DPV
term by its broader terms, any other name by its words.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from types import MappingProxyType

from sesame_sdk.guard.dpv import DPV, find_nearest_rule, load_hierarchy

OWN_PREFIX = "urn:sesame-sdk:purpose:"

PERSONALISED_BENEFITS = f"{DPV}PersonalisedBenefits"
PRODUCT_RECOMMENDATIONS = f"{DPV}ProvideProductRecommendations"
CUSTOMER_CARE = f"{DPV}CustomerCare"
RIGHTS_FULFILMENT = f"{DPV}RightsFulfilment"
DISPUTE_MANAGEMENT = f"{DPV}DisputeManagement"
FRAUD_PREVENTION = f"{DPV}FraudPreventionAndDetection"
MISUSE_PREVENTION = f"{DPV}MisusePreventionAndDetection"
#: Narrower than dpv:ServicePersonalisation, which is too broad to be allowed.
MATCHMAKING_RANKING = f"{OWN_PREFIX}MatchmakingRanking"
DEPOSIT_WAIVER = f"{OWN_PREFIX}DepositWaiver"

#: Allowed with a condition that a declaration cannot prove; the operator is responsible for it.
CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        FRAUD_PREVENTION: "transactions only, and a person reviews",
        MISUSE_PREVENTION: "the platform's own data only",
        MATCHMAKING_RANKING: "opt-in, parameters shown, an order without the score offered",
        DEPOSIT_WAIVER: "opt-in, and paying the deposit stays possible",
    }
)
ALLOWED = frozenset(
    (
        *(PERSONALISED_BENEFITS, PRODUCT_RECOMMENDATIONS, CUSTOMER_CARE, RIGHTS_FULFILMENT),
        *(DISPUTE_MANAGEMENT, *CONDITIONS),
    )
)

#: Rule id to the DPV terms that it refuses, with all narrower terms. A term that is listed itself belongs to
#: the rule that lists it.
REFUSED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "PUR-2": frozenset(("HumanResourceManagement",)),
        "PUR-3": frozenset(("PublicBenefit", "PoliticalCampaign")),
        "PUR-4": frozenset(("ImproveHealthcare", "ImproveTransportMobility", "ServiceAccessDetermination")),
        "PUR-5": frozenset(("CustomerSolvencyMonitoring", "CounterMoneyLaundering")),
        "PUR-6": frozenset(("SellDataToThirdParties", "SellInsightsFromData", "DataAltruism")),
    }
)

#: Rule id to patterns of the names that it refuses where DPV has no such term. The first match decides.
NAME_PATTERNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PUR-2": (
            *("recruit*", "personnel*", "humanresource*", "*hiring*", "*employment*", "*employee*"),
            *("*jobapplic*", "*payroll*"),
        ),
        "PUR-3": (
            *("socialwelfare*", "*publicservice*", "publicbenefit*", "*publicpolicy*", "*benefiteligib*"),
            *("*nationalsecurity*", "*publicsecurity*", "*terror*", "*officialstatistics*", "*politic*"),
            *("*polic[ei]*", "*lawenforcement*", "*justice*", "*migration*", "*asylum*", "*voting*"),
            # Not "selection": of vendors, of products.
            *("election*", "*[!s]election*", "combatclimatechange", "*government*"),
        ),
        "PUR-4": (
            *("*health*", "*transport*", "*housing*", "*tenan*", "*utilit*", "*internet*", "*bandwidth*"),
            *("*education*", "*school*", "serviceaccessdetermination"),
        ),
        "PUR-5": ("*credit*", "*solvency*", "*insur*", "*loan*", "*lending*", "*moneylaundering*"),
        "PUR-6": ("selldata*", "sellinsights*", "*thirdpart*", "dataaltruism", "*resale*", "*reshare*"),
    }
)


@cache
def _terms() -> Mapping[str, str]:
    return {term.casefold(): term for term in load_hierarchy("purposes")}


@lru_cache(maxsize=1024)
def find_refusing_rule(purpose: str) -> str | None:
    """Id of the rule that refuses `purpose`; None if it is allowed. Unknown purposes are PUR-1."""
    if purpose in ALLOWED:
        return None
    name = re.split(r"[#/:]", purpose.strip().rstrip("#/:"))[-1].casefold()
    if term := _terms().get(name):
        return find_nearest_rule(term, load_hierarchy("purposes"), REFUSED) or "PUR-1"
    named = (rule for rule, names in NAME_PATTERNS.items() if any(fnmatchcase(name, like) for like in names))
    return next(named, "PUR-1")
