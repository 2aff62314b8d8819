"""Builds a `Policy` from the entries of a policy file. Errors name the line, the table and the key."""

from attrs import evolve

from sesame_sdk.constants import MAX_POINTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import Polarity, SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Side, Terms
from sesame_sdk.scoring.policy_file.schema import EffectEntry, KindEntry, PolicySchema
from sesame_sdk.scoring.scorecard import to_hundredths
from sesame_sdk.toml_file import TomlDocument

#: Bounds of a half-life or an expiry: a quarter of an hour to three human lifetimes.
MIN_DAYS, MAX_DAYS = 0.01, 100_000.0
# Keys of the file, by the model's field where the two differ.
_KIND_KEYS = {"name": "kind"}
_EFFECT_KEYS = {"band": "from, below"}
_POLICY_KEYS = {"low": "range", "high": "range", "weightings": "kinds"}


def build_policy(entries: PolicySchema, document: TomlDocument) -> Policy:
    """The policy of a file, with its digest.

    Raises:
        ConfigurationError: naming the file, the line, the table and the key.
    """
    bands, weightings = [], []
    for at, entry in enumerate(entries.bands):
        with document.locating("bands", at):
            bands.append(Band(entry.name, _points("from", entry.start)))
    for at, kind in enumerate(entries.kinds):
        with document.locating("kinds", at, keys=_KIND_KEYS):
            weightings.append(_weighting(kind, entries.context))
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
            aim=entries.aim,
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
            effects=tuple(sorted(effects, key=lambda effect: (effect.name, effect.band, effect.side))),
            ranking=ranking,
        )


def _effect(entry: EffectEntry) -> Effect:
    if (entry.start is None) == (entry.below is None):
        raise InvalidInputError("must name one band", field="from, below", hint="set one of the two")
    return Effect(
        name=entry.name,
        band=entry.start or entry.below or "",
        side=Side.BELOW if entry.start is None else Side.FROM,
        consequence=entry.consequence,
        decides=entry.decides,
        price_percent=entry.price_percent,
        disclosed=entry.disclosed,
    )


def _weighting(entry: KindEntry, context: str) -> Weighting:
    return Weighting(
        kind=_kind(entry, context),
        weight=_number("weight", entry.weight, -MAX_POINTS, MAX_POINTS),
        floor=_points("floor", entry.floor),
        cap=_points("cap", entry.cap),
        partner_cap=_points("partner_cap", entry.partner_cap),
        half_life_days=_days("half_life_days", entry.half_life_days),
        expires_days=_days("expires_days", entry.expires_days),
        severity=entry.severity,
        effort=entry.effort,
        code=entry.code,
    )


def _kind(entry: KindEntry, context: str) -> SignalKind:
    return SignalKind(
        name=entry.kind,
        context=context if entry.context is None else entry.context,
        unit=entry.unit,
        evidence=entry.evidence,
        polarity=entry.polarity or (Polarity.BOTH if entry.floor < 0 else Polarity.REWARD),
        sensitivity=entry.sensitivity,
        reason=entry.reason,
        conduct=entry.conduct,
        categories=tuple(sorted(set(entry.categories))),
        sources=tuple(entry.sources),
        title=entry.title,
        description=entry.description,
    )


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
