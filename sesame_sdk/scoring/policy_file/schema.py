"""The schema of a policy file: TOML with these keys and no others."""

import msgspec

from sesame_sdk.model.policy import Severity
from sesame_sdk.model.signals import Conduct, Evidence, Polarity, Sensitivity
from sesame_sdk.model.terms import ADULT, Consequence, Decider

#: A policy of a hundred kinds needs a tenth of this.
MAX_BYTES = 256 * 1024
#: What to write where a key is missing.
EXAMPLES = {
    "name": 'name = "retail-privileges"',
    "version": "version = 1",
    "context": 'context = "retail"',
    "base": "base = 550",
    "range": "range = [350, 950]",
    "bands": '[[bands]] with name = "ordinary" and from = 350',
    "kinds": "[[kinds]] with a kind, its weight, cap, partner_cap and reason",
    "from": "from = 350",
    "kind": 'kind = "retail.order.completed"',
    "unit": 'unit = "order"; what a value of 1 means',
    "weight": "weight = 4; points for a value of 1 today",
    "cap": "cap = 120; the maximum that all signals of the kind add",
    "partner_cap": "partner_cap = 60; the maximum that one partner adds or takes",
    "reason": 'reason = "Orders that you kept"; people read it beside the points',
}


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


class PolicySchema(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
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
