"""The built-in rules. They run in every guard, and there is no list to take one off."""

from typing import Final

from sesame_sdk.guard.rules.declarations import Declared, Explained
from sesame_sdk.guard.rules.outcomes import Decisions, Prices, Proportion, Rankings
from sesame_sdk.guard.rules.purposes import (
    Consent,
    Essentials,
    Money,
    PublicServices,
    Resale,
    StatedPurpose,
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
from sesame_sdk.guard.rules.terms import Adults, Disputes, Joining, NoScore, Visibility
from sesame_sdk.interfaces import GuardRule

CONTEXTS: Final = Contexts()
INFERENCES: Final = Inferences()
DECLARED: Final = Declared()
ADULTS: Final = Adults()

#: In the order in which findings are told.
BUILT_IN: Final[tuple[GuardRule, ...]] = (
    DECLARED,
    CONTEXTS,
    Proportion(),
    Politics(),
    SpecialCategories(),
    Taste(),
    OtherPeople(),
    INFERENCES,
    Biometrics(),
    Locations(),
    Rights(),
    Visibility(),
    Joining(),
    NoScore(),
    StatedPurpose(),
    Work(),
    PublicServices(),
    Essentials(),
    Money(),
    Resale(),
    Decisions(),
    Consent(),
    ADULTS,
    Retention(),
    Explained(),
    Disputes(),
    Prices(),
    Rankings(),
)

#: Those that hold a policy's entry to the kind as it is registered.
OF_REGISTERED: Final = (DECLARED, CONTEXTS, INFERENCES)
