"""The built-in rules. They run in every guard, and there is no list to take one off."""

from typing import Final

from sesame_sdk.guard.access import Consent, Essentials, Money, PublicServices, Resale, StatedPurpose, Work
from sesame_sdk.guard.content import OtherPeople, Politics, SpecialCategories, Taste
from sesame_sdk.guard.effect import Contexts, Inferences, NoScore, Retention
from sesame_sdk.interfaces import GuardRule

CONTEXTS: Final = Contexts()
INFERENCES: Final = Inferences()

BUILT_IN: Final[tuple[GuardRule, ...]] = (
    CONTEXTS,
    Politics(),
    SpecialCategories(),
    Taste(),
    OtherPeople(),
    INFERENCES,
    NoScore(),
    StatedPurpose(),
    Work(),
    PublicServices(),
    Essentials(),
    Money(),
    Resale(),
    Consent(),
    Retention(),
)
