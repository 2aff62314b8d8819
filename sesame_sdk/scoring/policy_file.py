"""Reads a policy from TOML: checked against the schema, then by the guard. `docs/scoring.md` has the format.

An unknown key is an error, so that a typo cannot switch a rule off. Points have at most two decimals, so that
reasons add up to the score exactly. What a kind leaves out has the default of its observation.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import evolve

from sesame_sdk import toml_file
from sesame_sdk.catalogue.effects import Side
from sesame_sdk.catalogue.observations import Observation, parse_observation
from sesame_sdk.constants import MAX_POINTS
from sesame_sdk.errors import FindingLike, GuardRefusedError, InvalidInputError
from sesame_sdk.guard.guard import Guard
from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.finding import Action
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import SignalKind
from sesame_sdk.model.terms import ADULT, Effect, Ranking, Terms
from sesame_sdk.scoring.scorecard import to_hundredths
from sesame_sdk.toml_file import KeyPath, TomlDocument, find_key_lines, find_line

#: A policy of a hundred kinds needs a tenth of this.
MAX_BYTES = 256 * 1024
#: What one partner may add or take of a kind's cap or floor, unless the file says more.
PARTNER_SHARE = 0.25
#: What to write where a key is missing.
EXAMPLES = {
    "name": 'name = "retail-privileges"',
    "version": "version = 1",
    "context": 'context = "retail"',
    "base": "base = 550",
    "range": "range = [350, 950]",
    "bands": 'bands = [{ name = "ordinary", from = 350 }]',
    "kinds": "[[kinds]] with a kind, its observation, weight, and cap or floor",
    "from": "from = 350",
    "kind": 'kind = "retail.order.completed"',
    "observation": 'observation = "order_kept"; the others: sesame observations list',
    "effect": 'effect = "free_delivery"; the others: sesame observations list --effects',
    "weight": "weight = 4; points for a value of 1 today, below 0 for what lowers a score",
    "cap": "cap = 120; the maximum that all signals of the kind add",
    "floor": "floor = -60; the most that all signals of the kind take",
}
#: Bounds of a half-life or an expiry: a quarter of an hour to three human lifetimes.
MIN_DAYS, MAX_DAYS = 0.01, 100_000.0
# Keys of the file, by the model's field where the two differ.
_KIND_KEYS = {"name": "kind"}
_EFFECT_KEYS = {"band": "from, below"}
_POLICY_KEYS = {"low": "range", "high": "range", "weightings": "kinds"}
#: How findings label what they are about (`guard.labels`), and the table and key of it in a file.
_LABEL = re.compile(r"(?:policy .*?, )?(?P<noun>kind|effect|band) (?P<name>.+)")
_TABLES = {"kind": ("kinds", "kind"), "effect": ("effects", "effect"), "band": ("bands", "name")}
#: Keys that a rule checks where it is about no kind or effect; the first that the file has is shown.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "VIS-1": ("visibility",),
    "ENR-1": ("mandatory", "default_on", "bundled"),
    "NOS-1": ("no_score",),
    "MIN-1": ("minimum_age",),
    "MAT-1": ("ranking",),
    "DSP-1": ("disputed_count", "disputes"),
    "PUR-6": ("reshare", "purposes"),
    **dict.fromkeys(("PUR-1", "PUR-2", "PUR-3", "PUR-4", "PUR-5"), ("purposes",)),
}


class BandEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[bands]]``."""

    name: str
    start: float = msgspec.field(name="from")


class KindEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[kinds]]``: how the kind counts, and which observation it is."""

    kind: str
    observation: str
    weight: float
    cap: float | None = None
    floor: float | None = None
    currency: str = ""
    partner_cap: float | None = None
    half_life_days: float | None = None
    expires_days: float | None = None
    effort: float | None = None
    code: str = ""


class EffectEntry(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table under ``[[effects]]``."""

    effect: str
    start: str | None = msgspec.field(name="from", default=None)
    below: str | None = None
    percent: float = 0.0


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
    observations: dict[str, dict[str, Any]] = {}


def build_policy(entries: PolicySchema, document: TomlDocument) -> Policy:
    """The policy of a file, with its digest. A `ConfigurationError` names the line, the table and the key."""
    bands, weightings = [], []
    for at, entry in enumerate(entries.bands):
        with document.locating("bands", at):
            bands.append(Band(entry.name, _points("from", entry.start)))
    proposals = {}
    for name, table in entries.observations.items():
        with document.locating("observations", name):
            proposals[name] = parse_observation(table)
    for at, kind in enumerate(entries.kinds):
        with document.locating("kinds", at, keys=_KIND_KEYS):
            weightings.append(_weighting(kind, proposals.get(kind.observation)))
    terms = _terms(entries, document)
    with document.locating(keys=_POLICY_KEYS):
        policy = Policy(
            name=entries.name,
            version=entries.version,
            context=entries.context,
            base=_points("base", entries.base),
            low=_points("range", entries.range[0]),
            high=_points("range", entries.range[1]),
            # Sorted, so that the digest does not depend on the order in which the file lists them.
            bands=tuple(sorted(bands, key=lambda band: band.start)),
            weightings=tuple(sorted(weightings, key=lambda weighting: weighting.kind.name)),
            purposes=tuple(sorted(set(entries.purposes))),
            disputes=entries.disputes,
            disputed_count=entries.disputed_count,
            terms=terms,
        )
    return evolve(policy, digest=policy_digest(policy))


def _terms(entries: PolicySchema, document: TomlDocument) -> Terms:
    effects = []
    for at, entry in enumerate(entries.effects):
        with document.locating("effects", at, keys=_EFFECT_KEYS):
            effects.append(_effect(entry))
    with document.locating("ranking"):
        ranking = Ranking(tuple(shown.parameters), shown.other_order) if (shown := entries.ranking) else None
    with document.locating():
        return Terms(
            visibility=entries.visibility,
            default_on=entries.default_on,
            mandatory=entries.mandatory,
            bundled=entries.bundled,
            no_score=entries.no_score,
            reshare=entries.reshare,
            minimum_age=entries.minimum_age,
            effects=tuple(sorted(effects, key=lambda effect: (effect.effect, effect.band))),
            ranking=ranking,
        )


def _effect(entry: EffectEntry) -> Effect:
    if (entry.start is None) == (entry.below is None):
        raise InvalidInputError("must name one band", field="from, below", hint="set one of the two")
    effect = Effect(entry.effect, entry.start or entry.below or "", entry.percent)
    side = Side.BELOW if entry.start is None else Side.FROM
    if effect.known and effect.known.direction is not side:
        right = effect.known.direction
        message = f"a {effect.known.consequence} is for people {_PEOPLE[right]} a band"
        raise InvalidInputError(message, field=side.value, hint=f'write {right} = "{effect.band}"')
    return effect


_PEOPLE = {Side.FROM: "who reached", Side.BELOW: "below"}


def _weighting(entry: KindEntry, proposal: Observation | None) -> Weighting:
    kind = SignalKind(entry.kind, entry.observation, entry.currency, proposal=proposal)
    bound = _bound(entry, kind.known)
    share = round(abs(bound) * PARTNER_SHARE, 2)
    partner_cap = max(share, 0.01) if entry.partner_cap is None else entry.partner_cap
    half_life, expiry, effort = entry.half_life_days, entry.expires_days, entry.effort
    if known := kind.known:
        half_life = known.half_life_days if half_life is None else half_life
        expiry = known.expires_days if expiry is None else expiry
        effort = known.effort if effort is None else effort
    return Weighting(
        kind=kind,
        weight=_number("weight", entry.weight, -MAX_POINTS, MAX_POINTS),
        floor=_points("floor", entry.floor or 0.0),
        cap=_points("cap", entry.cap or 0.0),
        partner_cap=_points("partner_cap", partner_cap),
        half_life_days=_days("half_life_days", half_life),
        expires_days=_days("expires_days", expiry),
        effort=effort,
        code=entry.code,
    )


def _bound(entry: KindEntry, known: Observation | None) -> float:
    """The cap of what raises, or the floor of what lowers, which the file must have."""
    lowers = known.lowers if known else entry.weight < 0
    bound = entry.floor if lowers else entry.cap
    if bound is None:
        key = "floor" if lowers else "cap"
        raise InvalidInputError("missing key", field=key, hint=f"add {EXAMPLES[key]}")
    return bound


def _points(key: str, number: float) -> float:
    points = _number(key, number, -MAX_POINTS, MAX_POINTS)
    if to_hundredths(points) / 100 != points:
        raise InvalidInputError("has more than two decimals", field=key, hint="round it to hundredths")
    return points


def _days(key: str, number: float | None) -> float | None:
    return None if number is None else _number(key, number, MIN_DAYS, MAX_DAYS)


def _number(key: str, number: float, low: float, high: float) -> float:
    if not low <= number <= high:  # also true for NaN
        raise InvalidInputError("is out of range", field=key, hint=f"use a number from {low:g} to {high:g}")
    return number + 0.0  # -0.0 becomes 0.0


def load_policy(path: Path, guard: Guard | None = None) -> Policy:
    """Read and check the policy in the file `path`; see `parse_policy`."""
    return parse_policy(read_policy_text(path), guard, name=str(path))


def read_policy_text(path: Path) -> str:
    """The text of a policy file."""
    return toml_file.read_text(path, "policy", MAX_BYTES)


def parse_policy(text: str, guard: Guard | None = None, *, name: str = "policy") -> Policy:
    """Read a policy from TOML and have it checked, by default by a guard with the built-in rules alone.

    Its digest depends on the rules and not on how the file is written. A `ConfigurationError` names file,
    line and key; a `GuardRefusedError` has the findings and their lines. Both call the file `name`.
    """
    document = TomlDocument(name, text, "policy", MAX_BYTES, EXAMPLES)
    policy = build_policy(document.decode(PolicySchema), document)
    try:
        (guard or Guard()).admit_policy(policy)
    except GuardRefusedError as refused:
        refused.field = name
        refused.lines = locate_findings(text, refused.findings)
        raise
    return policy


def locate_findings(text: str, findings: Iterable[FindingLike]) -> tuple[int | None, ...]:
    """The line of the policy `text`, which can be read, that each finding is about; None where unknown."""
    lines, values = find_key_lines(text), tomllib.loads(text)
    return tuple(find_line(lines, _path_of(finding, values)) for finding in findings)


def _path_of(finding: FindingLike, values: Mapping[str, Any]) -> KeyPath:
    label = _LABEL.fullmatch(getattr(finding, "about", ""))
    if label:
        table, key = _TABLES[label["noun"]]
        entries = enumerate(values.get(table, ()))
        index = next((at for at, entry in entries if _is_named(entry.get(key), label["name"])), None)
        return () if index is None else (table, index, key)
    of_name = getattr(finding, "action", None) is Action.REVIEW
    keys = () if of_name else _KEYS.get(finding.rule, ())
    return next(((key,) for key in keys if key in values), ("name",))


def _is_named(entry: object, name: str) -> bool:
    """Whether a finding that names `name` is about this entry; findings truncate long names."""
    return entry == name or (name.endswith("…") and str(entry).startswith(name[:-1]))
