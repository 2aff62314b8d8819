"""From the entries of a policy file to the nouns. Pure; every fault names the table and the key."""

from attrs import evolve

from sesame_sdk.constants import MAX_POINTS
from sesame_sdk.errors import InvalidInputError
from sesame_sdk.model.codec import policy_digest
from sesame_sdk.model.policy import Band, Policy, Weighting
from sesame_sdk.model.signals import Polarity, SignalKind
from sesame_sdk.model.terms import Effect, Ranking, Side, Terms
from sesame_sdk.scoring.policy_file.locations import PolicyText
from sesame_sdk.scoring.policy_file.schema import EffectEntry, KindEntry, PolicyForm
from sesame_sdk.scoring.scorecard import hundredths

#: What a half-life or an expiry may last: a quarter of an hour to three lifetimes.
FEWEST_DAYS, MOST_DAYS = 0.01, 100_000.0
# What the file calls the fields of the nouns that have another name there.
_OF_KINDS = {"name": "kind"}
_OF_EFFECTS = {"band": "from, below"}
_OF_POLICY = {"low": "range", "high": "range", "weightings": "kinds"}


def to_policy(form: PolicyForm, file: PolicyText) -> Policy:
    """The policy that the entries of a file make, with its digest.

    Raises:
        Misconfigured: naming the file, the line, and the table and key in it.
    """
    bands, weightings = [], []
    for at, entry in enumerate(form.bands):
        with file.naming("bands", at):
            bands.append(Band(entry.name, _points("from", entry.start)))
    for at, kind in enumerate(form.kinds):
        with file.naming("kinds", at, keys=_OF_KINDS):
            weightings.append(_weighting(kind, form.context))
    terms = _terms(form, file)
    with file.naming(keys=_OF_POLICY):
        policy = Policy(
            name=form.name,
            version=form.version,
            context=form.context,
            base=_points("base", form.base),
            low=_points("range", form.range[0]),
            high=_points("range", form.range[1]),
            # Sorted, so that the digest does not depend on the order in which the file tells them.
            bands=tuple(sorted(bands, key=lambda band: band.start)),
            weightings=tuple(sorted(weightings, key=lambda weighting: weighting.kind.name)),
            purposes=tuple(sorted(set(form.purposes))),
            aim=form.aim,
            disputes=form.disputes,
            disputed_count=form.disputed_count,
            terms=terms,
        )
    return evolve(policy, digest=policy_digest(policy))


def _terms(form: PolicyForm, file: PolicyText) -> Terms:
    effects = []
    for at, entry in enumerate(form.effects):
        with file.naming("effects", at, keys=_OF_EFFECTS):
            effects.append(_effect(entry))
    with file.naming("ranking"):
        ranking = Ranking(tuple(told.parameters), told.other_order) if (told := form.ranking) else None
    with file.naming():
        return Terms(
            visibility=form.visibility,
            default_on=form.default_on,
            mandatory=form.mandatory,
            bundled=form.bundled,
            no_score=form.no_score,
            reshare=form.reshare,
            minimum_age=form.minimum_age,
            effects=tuple(sorted(effects, key=lambda effect: (effect.name, effect.band, effect.side))),
            ranking=ranking,
        )


def _effect(entry: EffectEntry) -> Effect:
    if (entry.start is None) == (entry.below is None):
        raise InvalidInputError("names one band", field="from, below", hint="give one of the two")
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
    if hundredths(points) / 100 != points:
        raise InvalidInputError(
            "must be whole hundredths", field=key, hint="write it with two decimals at most"
        )
    return points


def _days(key: str, number: float | None) -> float | None:
    return None if number is None else _number(key, number, FEWEST_DAYS, MOST_DAYS)


def _number(key: str, number: float, least: float, most: float) -> float:
    if not least <= number <= most:  # so written that NaN fails
        raise InvalidInputError(
            "is out of range", field=key, hint=f"give a number from {least:g} to {most:g}"
        )
    return number + 0.0  # of the two zeros, the positive one
