"""The built-in rules. They run in every guard, and none can be removed."""

from typing import Final

from sesame_sdk.guard.rules.declarations import DeclaredCategories, SpecificReasons
from sesame_sdk.guard.rules.outcomes import HumanDecisions, Prices, Proportionality, Rankings
from sesame_sdk.guard.rules.purposes import (
    Consent,
    Credit,
    Essentials,
    PublicServices,
    Resale,
    StatedPurposes,
    Work,
)
from sesame_sdk.guard.rules.score_influence import Contexts, Inferences, Retention
from sesame_sdk.guard.rules.sensitive_data import (
    Biometrics,
    Locations,
    OtherPeople,
    Politics,
    Rights,
    SpecialCategories,
    Taste,
)
from sesame_sdk.guard.rules.terms import Disputes, Enrolment, MinimumAge, NoScore, Visibility
from sesame_sdk.interfaces import GuardRule

CONTEXTS: Final = Contexts()
INFERENCES: Final = Inferences()
DECLARED_CATEGORIES: Final = DeclaredCategories()
MINIMUM_AGE: Final = MinimumAge()

#: In the order of findings.
BUILT_IN: Final[tuple[GuardRule, ...]] = (
    DECLARED_CATEGORIES,
    CONTEXTS,
    Proportionality(),
    Politics(),
    SpecialCategories(),
    Taste(),
    OtherPeople(),
    INFERENCES,
    Biometrics(),
    Locations(),
    Rights(),
    Visibility(),
    Enrolment(),
    NoScore(),
    StatedPurposes(),
    Work(),
    PublicServices(),
    Essentials(),
    Credit(),
    Resale(),
    HumanDecisions(),
    Consent(),
    MINIMUM_AGE,
    Retention(),
    SpecificReasons(),
    Disputes(),
    Prices(),
    Rankings(),
)

#: Rules that compare a policy's entry with the registered kind.
REGISTRATION_RULES: Final = (DECLARED_CATEGORIES, CONTEXTS, INFERENCES)
