"""The topics that a text can be read for, and which word lists belong to which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import frozen

from sesame_sdk.guard.vocabulary import records, stakes, subjects, traces, verdicts


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


_SUBJECTS, _TRACES, _STAKES = subjects.INNOCENT, traces.INNOCENT, stakes.INNOCENT
_RECORDS, _VERDICTS = records.INNOCENT, verdicts.INNOCENT

LISTS: Final[Mapping[Topic, Words]] = MappingProxyType(
    {
        Topic.POLITICS: Words(subjects.POLITICS, subjects.POLITICS_CHINESE, _SUBJECTS),
        Topic.SPECIAL: Words(subjects.SPECIAL, subjects.SPECIAL_CHINESE, _SUBJECTS),
        Topic.TASTE: Words(subjects.TASTE, subjects.TASTE_CHINESE, _SUBJECTS),
        Topic.OTHERS: Words(subjects.OTHERS, subjects.OTHERS_CHINESE, _SUBJECTS),
        Topic.BIOMETRICS: Words(traces.BIOMETRICS, traces.BIOMETRICS_CHINESE, _TRACES),
        Topic.LOCATION: Words(traces.LOCATION, traces.LOCATION_CHINESE, _TRACES),
        Topic.RIGHTS: Words(traces.RIGHTS, traces.RIGHTS_CHINESE, _TRACES),
        Topic.WORK: Words(stakes.WORK, stakes.WORK_CHINESE, _STAKES),
        Topic.PUBLIC_SERVICES: Words(stakes.PUBLIC_SERVICES, stakes.PUBLIC_SERVICES_CHINESE, _STAKES),
        Topic.ESSENTIALS: Words(stakes.ESSENTIALS, stakes.ESSENTIALS_CHINESE, _STAKES),
        Topic.MONEY: Words(stakes.MONEY, stakes.MONEY_CHINESE, _STAKES),
        Topic.RESALE: Words(stakes.RESALE, stakes.RESALE_CHINESE, _STAKES),
        Topic.PUBLICITY: Words(stakes.PUBLICITY, stakes.PUBLICITY_CHINESE, _STAKES),
        Topic.GUESSES: Words(records.GUESSES, records.GUESSES_CHINESE, _RECORDS),
        Topic.RECORDS: Words(records.RECORDS, records.RECORDS_CHINESE, _RECORDS),
        Topic.BURDENS: Words(verdicts.BURDENS, verdicts.BURDENS_CHINESE, _VERDICTS),
        Topic.BANS: Words(verdicts.BANS, verdicts.BANS_CHINESE, _VERDICTS),
        Topic.SURCHARGES: Words(verdicts.SURCHARGES, verdicts.SURCHARGES_CHINESE, _VERDICTS),
        Topic.STIGMA: Words(verdicts.STIGMA, verdicts.STIGMA_CHINESE, _VERDICTS),
        Topic.JOINING: Words(verdicts.JOINING, verdicts.JOINING_CHINESE, _VERDICTS),
        Topic.MINORS: Words(verdicts.MINORS, verdicts.MINORS_CHINESE, _VERDICTS),
        Topic.PLACINGS: Words(verdicts.PLACINGS, verdicts.PLACINGS_CHINESE, _VERDICTS),
        Topic.TRIFLES: Words(verdicts.TRIFLES, verdicts.TRIFLES_CHINESE, _VERDICTS),
    }
)
