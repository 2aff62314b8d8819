"""The topics that a text can be read for, and which word lists belong to which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import frozen

from sesame_sdk.guard.wordlists import (
    biometrics_location_rights,
    external_records,
    high_stakes_uses,
    protected_topics,
    punitive_wording,
)


class Topic(StrEnum):
    """What a text may speak of that is refused somewhere."""

    POLITICS = "politics"
    SPECIAL = "special categories"
    TASTE = "taste"
    OTHERS = "other people"

    BIOMETRICS = "biometrics and emotion"
    LOCATION = "places and trails"
    RIGHTS = "the use of one's rights"
    GUESSES = "guesses"
    RECORDS = "records from elsewhere"

    WORK = "work"
    PUBLIC_SERVICES = "public services"
    ESSENTIALS = "what people need to live"
    MONEY = "credit and insurance"
    RESALE = "resale"
    PUBLICITY = "publicity"

    BURDENS = "more than a review"
    BANS = "the end of the service"
    SURCHARGES = "a higher price"
    STIGMA = "a verdict on a person"
    JOINING = "a duty to join"
    MINORS = "people under age"
    PLACINGS = "a place in an order"
    TRIFLES = "light conduct"


#: Topics of kinds: what a score must not be made of.
OF_KINDS: Final = tuple(Topic)[:9]
#: Topics of effects, aims and consumers' names: what a score must not be for.
OF_EFFECTS: Final = tuple(Topic)[9:15]
#: Topics of what is declared to be something else: read by the rules on consequences and terms.
OF_VERDICTS: Final = tuple(Topic)[15:]


@frozen
class Words:
    """The word lists of one topic.

    Attributes:
        english: entries between semicolons.
        chinese: entries between spaces.
        innocent: phrases that contain a listed word and mean something else. Each module's own, so that
            none makes a word of another module innocent.
    """

    english: str
    chinese: str
    innocent: str


_SUBJECTS, _TRACES, _STAKES = (
    protected_topics.INNOCENT,
    biometrics_location_rights.INNOCENT,
    high_stakes_uses.INNOCENT,
)
_RECORDS, _VERDICTS = external_records.INNOCENT, punitive_wording.INNOCENT

LISTS: Final[Mapping[Topic, Words]] = MappingProxyType(
    {
        Topic.POLITICS: Words(protected_topics.POLITICS, protected_topics.POLITICS_CHINESE, _SUBJECTS),
        Topic.SPECIAL: Words(protected_topics.SPECIAL, protected_topics.SPECIAL_CHINESE, _SUBJECTS),
        Topic.TASTE: Words(protected_topics.TASTE, protected_topics.TASTE_CHINESE, _SUBJECTS),
        Topic.OTHERS: Words(protected_topics.OTHERS, protected_topics.OTHERS_CHINESE, _SUBJECTS),
        Topic.BIOMETRICS: Words(
            biometrics_location_rights.BIOMETRICS, biometrics_location_rights.BIOMETRICS_CHINESE, _TRACES
        ),
        Topic.LOCATION: Words(
            biometrics_location_rights.LOCATION, biometrics_location_rights.LOCATION_CHINESE, _TRACES
        ),
        Topic.RIGHTS: Words(
            biometrics_location_rights.RIGHTS, biometrics_location_rights.RIGHTS_CHINESE, _TRACES
        ),
        Topic.WORK: Words(high_stakes_uses.WORK, high_stakes_uses.WORK_CHINESE, _STAKES),
        Topic.PUBLIC_SERVICES: Words(
            high_stakes_uses.PUBLIC_SERVICES, high_stakes_uses.PUBLIC_SERVICES_CHINESE, _STAKES
        ),
        Topic.ESSENTIALS: Words(high_stakes_uses.ESSENTIALS, high_stakes_uses.ESSENTIALS_CHINESE, _STAKES),
        Topic.MONEY: Words(high_stakes_uses.MONEY, high_stakes_uses.MONEY_CHINESE, _STAKES),
        Topic.RESALE: Words(high_stakes_uses.RESALE, high_stakes_uses.RESALE_CHINESE, _STAKES),
        Topic.PUBLICITY: Words(high_stakes_uses.PUBLICITY, high_stakes_uses.PUBLICITY_CHINESE, _STAKES),
        Topic.GUESSES: Words(external_records.GUESSES, external_records.GUESSES_CHINESE, _RECORDS),
        Topic.RECORDS: Words(external_records.RECORDS, external_records.RECORDS_CHINESE, _RECORDS),
        Topic.BURDENS: Words(punitive_wording.BURDENS, punitive_wording.BURDENS_CHINESE, _VERDICTS),
        Topic.BANS: Words(punitive_wording.BANS, punitive_wording.BANS_CHINESE, _VERDICTS),
        Topic.SURCHARGES: Words(punitive_wording.SURCHARGES, punitive_wording.SURCHARGES_CHINESE, _VERDICTS),
        Topic.STIGMA: Words(punitive_wording.STIGMA, punitive_wording.STIGMA_CHINESE, _VERDICTS),
        Topic.JOINING: Words(punitive_wording.JOINING, punitive_wording.JOINING_CHINESE, _VERDICTS),
        Topic.MINORS: Words(punitive_wording.MINORS, punitive_wording.MINORS_CHINESE, _VERDICTS),
        Topic.PLACINGS: Words(punitive_wording.PLACINGS, punitive_wording.PLACINGS_CHINESE, _VERDICTS),
        Topic.TRIFLES: Words(punitive_wording.TRIFLES, punitive_wording.TRIFLES_CHINESE, _VERDICTS),
    }
)
