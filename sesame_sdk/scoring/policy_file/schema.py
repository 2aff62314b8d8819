"""The form of a policy file: TOML with these keys and no others. Text in, entries out; no judgement."""

import tomllib
from collections.abc import Mapping

import msgspec

from sesame_sdk.constants import MAX_TOML_DOTS_PER_LINE
from sesame_sdk.errors import ConfigurationError
from sesame_sdk.model.policy import Severity
from sesame_sdk.model.signals import Conduct, Evidence, Polarity, Sensitivity
from sesame_sdk.model.terms import ADULT, Consequence, Decider
from sesame_sdk.scoring.policy_file.error_messages import explained
from sesame_sdk.scoring.policy_file.locations import PolicyText

#: A policy of a hundred kinds takes a tenth of this.
MOST_BYTES = 256 * 1024


class BandEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[bands]]``."""

    name: str
    start: float = msgspec.field(name="from")


class KindEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[kinds]]``: how the kind counts, and what it is."""

    kind: str
    unit: str
    weight: float
    cap: float
    partner_cap: float
    reason: str
    floor: float = 0.0
    half_life_days: float | None = None
    expires_days: float | None = None
    context: str | None = None
    evidence: Evidence = Evidence.OBSERVED
    polarity: Polarity | None = None
    sensitivity: Sensitivity = Sensitivity.ORDINARY
    conduct: Conduct = Conduct.OWN
    categories: list[str] = []
    sources: list[str] = []
    title: str = ""
    description: str = ""
    severity: Severity = Severity.MINOR
    effort: float | None = None
    code: str = ""


class EffectEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[effects]]``."""

    name: str
    start: str | None = msgspec.field(name="from", default=None)
    below: str | None = None
    consequence: Consequence = Consequence.BENEFIT
    decides: Decider = Decider.SCORE
    price_percent: float = 0.0
    disclosed: bool = False


class RankingEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table ``[ranking]``."""

    parameters: list[str] = []
    other_order: str = ""


class PolicyForm(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The whole file."""

    name: str
    version: int
    context: str
    base: float
    range: tuple[float, float]
    bands: list[BandEntry]
    kinds: list[KindEntry]
    aim: str = ""
    purposes: list[str] = []
    disputes: str = ""
    disputed_count: bool = False
    visibility: str = "private"
    default_on: bool = False
    mandatory: bool = False
    bundled: bool = False
    no_score: str = "neutral"
    reshare: bool = False
    minimum_age: int = ADULT
    effects: list[EffectEntry] = []
    ranking: RankingEntry | None = None


def read_form(file: PolicyText) -> PolicyForm:
    """The entries of a policy file.

    Raises:
        ConfigurationError: naming the file, the line and the key.
    """
    values = _toml(file)
    try:
        return msgspec.convert(values, PolicyForm, strict=True)
    except msgspec.ValidationError as error:
        raise explained(error, PolicyForm, file) from error


def _toml(file: PolicyText) -> Mapping[str, object]:
    text, name = file.text, file.name
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        hint = f"keep it under {MOST_BYTES // 1024} KiB"
        raise ConfigurationError("is too long for a policy", field=name, hint=hint)
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MAX_TOML_DOTS_PER_LINE:
            raise ConfigurationError(
                "has too many dots", field=f"{name}, line {number}", hint="shorten the key"
            )
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        hint = "a policy is two tables deep"
        raise ConfigurationError("is nested too deeply", field=name, hint=hint) from error
    except ValueError as error:  # TOMLDecodeError, or a number beyond what Python reads
        raise ConfigurationError(
            f"is not TOML: {error}", field=name, hint="mend the line it names"
        ) from error
